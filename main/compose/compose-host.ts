import { readFileSync } from 'node:fs';
import type { KeychainKind } from '../contract/destinations.ts';
import { Fault } from '../contract/faults.ts';
import { saying } from '../contract/sayings.ts';
import type { Keychain } from '../engine/service/keychain.ts';
import { keepRefreshToken } from '../engine/service/kept-together.ts';
import { destinationCalled } from '../engine/service/known-destination.ts';
import type { TokenKeeping } from './compose-tokens.ts';
import type { Host, Observer } from './host.ts';
import { inTurns } from './in-turns.ts';

/**
 * This computer, behind the standard layers. Whatever costs time to load is loaded when it is asked for. `passphrase`: of the file that keeps
 * secrets, where no credential holds it; left out where there is nobody to ask.
 */
export function composeHost(signal: AbortSignal, observer: Observer, passphrase: (isNew: boolean) => Promise<string> = noPassphrase): Host {
  const keychains = new Map<KeychainKind, Keychain>();
  const host: Host = {
    version: readVersion(),
    env: process.env,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    now: Date.now,
    signal,
    openEngine: async () => {
      await inTurns(
        () => import('../engine/create-engine.ts'),
        () => import('./compose-engine-host.ts'),
      );
      return (await import('./compose-engine.ts')).composeEngine();
    },
    openSettings: async () => (await import('./compose-settings.ts')).composeSettings(),
    openKeychain: async (kind, given) => {
      const wanted = kind ?? (await (await host.openSettings()).read()).keychain ?? 'sealed-file';
      const known = keychains.get(wanted);
      if (known !== undefined && given === undefined) return known;
      const { composeKeychain } = await import('./compose-keychain.ts');
      const keychain = composeKeychain(wanted, async (isNew) => given ?? (await passphrase(isNew)));
      // A passphrase that opens nothing must not take the place of one that does.
      if (given !== undefined && (await keychain.exists())) await keychain.names();
      keychains.set(wanted, keychain);
      return keychain;
    },
    openBackend: async (destination, secrets, bandwidth) =>
      (await import('./compose-destination.ts')).composeBackend(destination, secrets, bandwidth, observer, (name) =>
        tokenKeeping(host, name),
      ),
    openTargets: async () => (await import('./compose-targets.ts')).composeTargets(),
    initializeProvider: async function* (open, aborted, onBegin) {
      yield* (await import('./compose-destination.ts')).composeChecks(open, aborted, onBegin);
    },
  };
  return host;
}

/** There is no terminal to ask on. A desktop has a keyring of its own, which opens with the session. */
function noPassphrase(): Promise<never> {
  const next = 'Keep the secrets in the keyring of the system: Settings, Secrets.';
  return Promise.reject(
    new Fault('config-invalid', 'the app cannot open the file that keeps the secrets', {
      operation: 'open the keychain',
      context: { ...saying('keychain-locked', {}), next },
    }),
  );
}

/** Where the tokens of a named destination are kept when the provider changes them. */
async function tokenKeeping(host: Host, name: string | null): Promise<TokenKeeping> {
  if (name === null) return { name };
  const file = await host.openSettings();
  const known = destinationCalled(await file.read(), name);
  const signedInAt = known?.signedInAt;
  return {
    ...{ name, signedInAt },
    refreshedAt: known?.refreshedAt,
    keepLasting: async (refreshedAt) => {
      await file.update((all) => {
        const now = destinationCalled(all, name);
        return now === undefined ? all : { ...all, destinations: { ...all.destinations, [name]: { ...now, refreshedAt } } };
      });
    },
    keep: (refreshToken) => keepRefreshToken({ settings: file, keychain: host.openKeychain }, name, signedInAt, refreshToken),
  };
}

function readVersion(): string {
  const text: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  if (typeof text === 'object' && text !== null && 'version' in text && typeof text.version === 'string') return text.version;
  throw new Error('package.json names no version');
}
