import type { CallHandlers } from '../../contract/calls.ts';
import { destinationSettingsSchema, type DestinationSettings } from '../../contract/destination-settings.ts';
import { Fault } from '../../contract/faults.ts';
import { clientOf, isSamePlace } from '../../contract/same-place.ts';
import { destinationPassword } from '../../contract/secret-names.ts';
import { providerSecrets, type Settings } from '../../contract/settings.ts';
import { checkApart, foldersTo } from './apart.ts';
import { completedBy } from './completed.ts';
import { destinationSecrets } from './kept-secrets.ts';
import { keepUnknown } from './keep-unknown.ts';
import { secretsNamed, withDestination } from './kept-together.ts';
import { knownDestination } from './known-destination.ts';
import type { Secrets, SettingsHost } from './settings-ports.ts';
import type { SignIns } from './sign-ins.ts';
import { noClientSecret } from './with-client.ts';

const operation = 'edit destination';

export interface EditParts {
  readonly host: SettingsHost;
  readonly signIns: SignIns;
  /** Rejects where something is stored that the password does not open. */
  readonly tryPassword: (name: string, at: DestinationSettings, secrets: Secrets, password: string, signal: AbortSignal) => Promise<void>;
  /** From now on the name means another store. */
  readonly moved: (name: string) => void;
  /** Somebody may show them. */
  readonly changed: () => void;
}

/**
 * Changes keys, address and all else of a destination but its kind. An old vault is never left unseen by mistake: where the settings mean another
 * store, whoever calls must say that this is meant (`moves`).
 */
export function destinationEdit({ host, signIns, tryPassword, moved, changed }: EditParts): CallHandlers['destination.edit'] {
  const { settings } = host;
  return async ({ name, settings: wanted, secrets: typed, signIn, moves, look }, signal) => {
    const { settings: before } = knownDestination(settings.current(), name);
    checkSecrets(before.provider, typed);
    const { at, secrets, signedInAt } = completedBy(signIns, wanted ?? before, givenOf(typed), signIn);
    checkKind(name, before, at);
    const isMoved = !isSamePlace(before, at);
    if (isMoved && !moves) throw elsewhere(name, host.labelOf(before), host.labelOf(at));
    const isOtherClient = clientOf(before) !== clientOf(at);
    if (isOtherClient && signIn === undefined) throw otherClient();
    if (isMoved) await checkApart(host.realPlace, foldersTo(settings.current(), name), [at]);
    if (isMoved && look) await lookThere(name, at, secrets, signal);
    // From here on it goes through: half of it would be worse than all.
    signal.throwIfAborted();
    const all = Object.entries({ ...(isOtherClient ? noClientSecret(at) : {}), ...typed, ...secrets });
    const kept = secretsNamed(name, Object.fromEntries(all.filter(([, value]) => value !== '')));
    await settings.alone(async (now) => {
      // It may have been removed meanwhile, and another one have come under its name.
      checkKind(name, knownDestination(now, name).settings, at);
      if (Object.keys(kept).length > 0) await (await host.keychain()).set(kept);
      await settings.update((present) => edited(present, name, at, signedInAt));
    });
    if (signIn !== undefined) signIns.forget(signIn);
    if (isMoved) moved(name);
    changed();
    return { moved: isMoved };
  };

  /** A password that does not open what is stored there would be found out by the next backup only. */
  async function lookThere(name: string, at: DestinationSettings, secrets: Secrets, signal: AbortSignal): Promise<void> {
    const keychain = await host.keychain();
    const password = await keychain.get(destinationPassword(name));
    if (password === null) return;
    const all = { ...(await destinationSecrets(() => Promise.resolve(keychain), name, at)), ...secrets };
    await tryPassword(name, at, all, password, signal);
  }
}

/** Those that are typed in: an empty one is kept as it is, null is forgotten. */
function givenOf(typed: Readonly<Record<string, string | null>>): Secrets {
  return Object.fromEntries(Object.entries(typed).flatMap(([name, value]) => (value === null || value === '' ? [] : [[name, value]])));
}

function checkSecrets(provider: DestinationSettings['provider'], typed: Readonly<Record<string, string | null>>): void {
  const names: readonly string[] = providerSecrets[provider].map(({ name }) => name);
  const stranger = Object.keys(typed).find((name) => !names.includes(name));
  if (stranger !== undefined) throw new Fault('config-invalid', `a ${provider} destination has no secret ${stranger}`, { operation });
}

function checkKind(name: string, before: DestinationSettings, at: DestinationSettings): void {
  if (at.provider === before.provider) return;
  throw new Fault('config-invalid', `${name} is a ${before.provider} destination; add one of another kind under another name`, {
    operation,
  });
}

function elsewhere(name: string, from: string, to: string): Fault {
  return new Fault(
    'config-invalid',
    `${name} would mean another place: ${to} instead of ${from}; what is stored there stays and is not seen`,
    {
      operation,
      context: { next: 'If that is what you want, say so; else add it as a place of its own.' },
    },
  );
}

function otherClient(): Fault {
  return new Fault('config-invalid', 'with another client id the sign-in of before is good for nothing', {
    operation,
    context: { next: 'Sign in with the new client id.' },
  });
}

function edited(all: Settings, name: string, at: DestinationSettings, signedInAt: number | undefined): Settings {
  const before = knownDestination(all, name);
  const now = {
    ...before,
    settings: keepUnknown(destinationSettingsSchema, before.settings, at),
    ...(signedInAt === undefined ? {} : { signedInAt }),
  };
  return withDestination(all, name, now);
}
