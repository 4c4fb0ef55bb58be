import type { CallHandlers } from '../../contract/calls.ts';
import type { DestinationSettings } from '../../contract/destination-settings.ts';
import type { DestinationRow } from '../../contract/destinations.ts';
import type { EventData } from '../../contract/events.ts';
import { asFault, Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { DestinationCheck } from '../../contract/reports.ts';
import { destinationPassword, destinationSecret } from '../../contract/secret-names.ts';
import { providerSecrets, type NamedDestination, type Settings } from '../../contract/settings.ts';
import type { Engine } from '../engine.ts';
import { throwIfCancelled } from '../storage/cancel.ts';
import { failedCheck } from '../storage/check-destination.ts';
import { checkApart, foldersTo } from './apart.ts';
import { completedBy } from './completed.ts';
import { destinationEdit } from './destination-edit.ts';
import { destinationSecrets, unlessLocked } from './kept-secrets.ts';
import { forgetDestination, secretsNamed, withDestination } from './kept-together.ts';
import { knownDestination } from './known-destination.ts';
import type { Secrets, SettingsHost } from './settings-ports.ts';
import type { SignIns } from './sign-ins.ts';

export type DestinationCalls = Pick<
  CallHandlers,
  | 'destinations.list'
  | 'destination.initialize'
  | 'destination.add'
  | 'destination.edit'
  | 'destination.test'
  | 'destination.remove'
  | 'destination.setPassword'
>;

const operation = 'keep destination';

/** How a destination is listed. */
export function destinationRow(name: string, destination: NamedDestination, kept: ReadonlySet<string> | null): DestinationRow {
  return {
    name,
    settings: destination.settings,
    secrets: providerSecrets[destination.settings.provider]
      .map((secret) => secret.name)
      .filter((secret) => kept?.has(destinationSecret(name, secret)) === true),
    hasPassword: kept?.has(destinationPassword(name)) ?? null,
  };
}

/** The names of what the keychain keeps; one with nothing in it is not opened. Null: it is locked, which must not keep anybody from seeing the rest. */
export async function keptNames(host: SettingsHost): Promise<ReadonlySet<string> | null> {
  const keychain = await host.keychain();
  return await unlessLocked(async () => new Set((await keychain.exists()) ? await keychain.names() : []), null);
}

export interface DestinationCallsParts {
  readonly host: SettingsHost;
  readonly engine: Engine;
  readonly signIns: SignIns;
  /** Somebody may show them. */
  readonly changed: () => void;
  /** A name means another store from now on. */
  readonly moved: (name: string) => void;
  /** How far a test is that is watched. */
  readonly checking: (step: EventData<'destination-check'>) => void;
}

/** Destinations in the settings, their secrets and passwords in the keychain. */
export function destinationCalls({ host, engine, signIns, changed, moved, checking }: DestinationCallsParts): DestinationCalls {
  const { settings } = host;

  /** Whether the password opens the vault. Without a vault any will do: the first backup makes it. */
  async function tryPassword(
    name: string,
    at: DestinationSettings,
    secrets: Secrets,
    password: string,
    signal: AbortSignal,
  ): Promise<void> {
    const destination = await host.openWith(name, at, secrets, password);
    if (await engine.hasVault(destination.backend, { signal })) await engine.snapshots(destination, {}, { signal });
  }

  /** What is kept of a destination, for settings of the same kind. */
  async function keptOf(name: string, { provider }: DestinationSettings): Promise<Secrets> {
    const { settings: at } = knownDestination(settings.current(), name);
    return at.provider === provider ? await destinationSecrets(() => host.keychain(), name, at) : {};
  }

  /** Tries them, and tells of each check to whoever watches. */
  async function tried(
    at: DestinationSettings,
    secrets: Secrets,
    watch: string | undefined,
    signal: AbortSignal,
  ): Promise<DestinationCheck[]> {
    const tell = (name: string, found: DestinationCheck | null): void => {
      if (watch !== undefined) checking({ watch, name, found });
    };
    const all: DestinationCheck[] = [];
    for await (const check of host.initializeProvider(at, secrets, signal, (name) => tell(name, null))) {
      all.push(check);
      tell(check.name, check);
    }
    return all;
  }

  return {
    'destinations.list': async () => {
      const all = Object.entries(settings.current().destinations);
      if (all.length === 0) return [];
      const kept = await keptNames(host);
      return all.map(([name, destination]) => destinationRow(name, destination, kept));
    },
    'destination.initialize': async ({ of, settings: given, secrets: typed, signIn, folder, watch }, signal) => {
      const { at, secrets } = completedBy(signIns, given, typed, signIn);
      // Before anything is written there.
      const folders = [...(folder === undefined ? [] : [folder]), ...(of === undefined ? [] : foldersTo(settings.current(), of))];
      await checkApart(host.realPlace, folders, [at]);
      const kept = of === undefined ? {} : await keptOf(of, at);
      return await tried(at, { ...kept, ...secrets }, watch, signal);
    },
    'destination.add': async ({ name, settings: given, secrets: typed, signIn, password }, signal) => {
      refuseSecond(settings.current(), name);
      const { at, secrets, signedInAt } = completedBy(signIns, given, typed, signIn);
      await engine.ensureVault(await host.openWith(name, at, secrets, password), { signal });
      // What was made is an empty place that this password opens: the next try finds it so.
      throwIfCancelled(signal, operation);
      const kept: NamedDestination = { settings: at, ...(signedInAt === undefined ? {} : { signedInAt }) };
      await settings.alone(async (now) => {
        // Of two who add it at once only one may keep secrets under it.
        refuseSecond(now, name);
        await (await host.keychain()).set({ ...secretsNamed(name, secrets), [destinationPassword(name)]: password });
        await settings.update((before) => {
          refuseSecond(before, name);
          return withDestination(before, name, kept);
        });
      });
      if (signIn !== undefined) signIns.forget(signIn);
      changed();
      return { name, settings: at, secrets: Object.keys(secrets), hasPassword: true };
    },
    'destination.edit': destinationEdit({ host, signIns, tryPassword, moved, changed }),
    'destination.test': async ({ name, watch }, signal) => {
      const { settings: at } = knownDestination(settings.current(), name);
      try {
        return await tried(at, await destinationSecrets(() => host.keychain(), name, at), watch, signal);
      } catch (error) {
        const fault = asFault(error, 'read the keys');
        return [{ ...failedCheck('keys', fault), next: String(fault.context['next'] ?? '') }];
      }
    },
    'destination.remove': async ({ name }) => {
      const refuse = ({ servers }: Settings): void => refuseUsed(servers, name);
      await forgetDestination({ settings, keychain: await host.keychain() }, name, refuse, settings.current());
      changed();
      return {};
    },
    'destination.setPassword': async ({ name, password }, signal) => {
      const { settings: at } = knownDestination(settings.current(), name);
      const keychain = await host.keychain();
      await tryPassword(name, at, await destinationSecrets(() => Promise.resolve(keychain), name, at), password, signal);
      throwIfCancelled(signal, operation);
      await settings.alone(async (now) => {
        knownDestination(now, name);
        await keychain.set({ [destinationPassword(name)]: password });
      });
      changed();
      return {};
    },
  };
}

function refuseUsed(servers: Settings['servers'], name: string): void {
  const users = servers.filter(({ destinations }) => destinations.includes(name));
  if (users.length === 0) return;
  const names = users.map((server) => server.name).join(', ');
  throw new Fault('config-invalid', `${names} still goes to ${name}`, {
    operation,
    context: { ...saying('place-used', { name, servers: names }), next: 'Give these servers another backup place first.' },
  });
}

function refuseSecond({ destinations }: Settings, name: string): void {
  if (!Object.hasOwn(destinations, name)) return;
  throw new Fault('already-exists', `there is a backup place called ${name} already`, {
    operation,
    context: { ...saying('place-taken', { name }), next: 'Choose another name, or change it with “holdfast destination edit”.' },
  });
}
