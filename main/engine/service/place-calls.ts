import type { CallHandlers } from '../../contract/calls.ts';
import { asFault, Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { SnapshotRow } from '../../contract/reports.ts';
import { destinationPassword } from '../../contract/secret-names.ts';
import type { Engine, OpenDestination } from '../engine.ts';
import { kitText } from '../kit/kit-text.ts';
import { accountRow } from './account-row.ts';
import { destinationSecrets } from './kept-secrets.ts';
import { knownDestination } from './known-destination.ts';
import type { SettingsHost } from './settings-ports.ts';

export type PlaceCalls = Pick<CallHandlers, 'destination.servers' | 'destination.account' | 'destination.changePassword' | 'kit.make'>;

/** Of a destination as a whole, whoever wrote what is in it. `open`: by its name, with the password that is kept. */
export function placeCalls(
  host: SettingsHost,
  engine: Engine,
  open: (name: string) => Promise<OpenDestination>,
  changed: () => void,
): PlaceCalls {
  const { settings } = host;

  /** Whether a server of this computer would write, or has written, under this name. */
  function isHere(destination: string, slug: string, name: string): boolean {
    return settings
      .current()
      .servers.some(
        (server) => server.destinations.includes(destination) && (server.name === name || (server.slug === slug && name === slug)),
      );
  }

  return {
    'destination.servers': async ({ name }, signal) => {
      knownDestination(settings.current(), name);
      const rows = await engine.snapshots(await open(name), {}, { signal });
      return [...Map.groupBy(rows, ({ slug }) => slug)].map(([slug, all]) => {
        const complete = all.filter((row) => row.complete);
        const newest = complete.find((row) => row.newest);
        const server = (newest ?? all.at(-1))?.server ?? slug;
        return {
          slug,
          name: server,
          snapshots: complete.length,
          newest: newest === undefined ? null : pointOf(newest),
          storedBytes: all.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
          here: isHere(name, slug, server),
        };
      });
    },
    'destination.account': async ({ name }, signal) => {
      const { settings: at } = knownDestination(settings.current(), name);
      const secrets = await destinationSecrets(() => host.keychain(), name, at);
      const account = await host.accountOf(at, secrets, { name, signal });
      return { account: account === null ? null : accountRow(account) };
    },
    'destination.changePassword': async ({ name, current, password, newKey }, signal) => {
      const { settings: at } = knownDestination(settings.current(), name);
      const keychain = await host.keychain();
      // One that is locked is told before anything is changed.
      if (await keychain.exists()) await keychain.names();
      if ((await keychain.isGiven?.(destinationPassword(name))) === true) {
        throw new Fault('config-invalid', `the password of ${name} is given by the system (systemd credentials)`, {
          operation: 'change password',
          context: {
            ...saying('password-given', { name }),
            next: 'Change it with “holdfast password”, then put the new one where the credential is kept.',
          },
        });
      }
      const place = await host.openWith(name, at, await destinationSecrets(() => Promise.resolve(keychain), name, at), current);
      const report = await engine.changePassword(place, { newPassword: password, newKey }, { signal });
      try {
        await keychain.set({ [destinationPassword(name)]: password });
      } catch (error) {
        throw notKept(name, error);
      }
      changed();
      return report;
    },
    'kit.make': async ({ name, recoveryKey, language }, signal) => {
      knownDestination(settings.current(), name);
      const kit = await engine.kit(await open(name), { recoveryKey }, { signal });
      const { kitPage } = await import('../kit/kit-page.ts');
      return { html: kitPage(kit, language), text: kitText(kit, language), fileName: `holdfast-recovery-kit-${name}.html` };
    },
  };
}

function pointOf({ id, time, files, bytes }: SnapshotRow): Pick<SnapshotRow, 'id' | 'time' | 'files' | 'bytes'> {
  return { id, time, files, bytes };
}

function notKept(name: string, cause: unknown): Fault {
  const fault = asFault(cause, 'change password');
  return new Fault(fault.code, `the password of ${name} is changed, but it could not be kept for the service: ${fault.message}`, {
    operation: 'change password',
    context: {
      ...fault.context,
      ...saying('password-not-kept', { name }),
      next: `Give the new one once more: holdfast destination password ${name}`,
    },
    cause,
  });
}
