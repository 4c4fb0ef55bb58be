import { readFileSync } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { isatty } from 'node:tty';
import type { KeychainKind } from '../contract/destinations.ts';
import type { Keychain } from '../engine/service/keychain.ts';
import type { TokenKeeping } from './compose-tokens.ts';
import { destinationSecret } from '../contract/secret-names.ts';

import type { CliHost, Observer } from './host.ts';
import { inTurns } from './in-turns.ts';
import { readPassphrase } from './passwords.ts';
import { sinkOf } from './sink.ts';

/**
 * The real host: this process, its terminal, the folder destination behind the standard layers. Whatever costs time to load is loaded
 * when a command asks for it.
 */
export function composeHost(signal: AbortSignal, observer: Observer): CliHost {
  const stdout = sinkOf(process.stdout);
  const stderr = sinkOf(process.stderr);
  // The question goes to standard error: without a terminal there, it would wait for an answer to a question nobody sees.
  const canAsk = isatty(0) && stderr.isTTY;
  const keychains = new Map<KeychainKind, Keychain>();
  const host: CliHost = {
    version: readVersion(),
    env: process.env,
    cwd: process.cwd(),
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    now: Date.now,
    signal,
    get stdin() {
      // Ctrl-C must end the wait for input, too.
      return addAbortSignal(signal, process.stdin);
    },
    stdout,
    stderr,
    askSecret: canAsk
      ? async (question) => {
          const { askSecret } = await import('./ask-secret.ts');
          return askSecret(question, process.stdin, stderr, signal);
        }
      : null,
    openEngine: async () => {
      await inTurns(
        () => import('../engine/create-engine.ts'),
        () => import('./compose-engine-host.ts'),
      );
      return (await import('./compose-engine.ts')).composeEngine();
    },
    openSettings: async () => (await import('./compose-settings.ts')).composeSettings(),
    openKeychain: async (kind, passphrase) => {
      const wanted = kind ?? (await (await host.openSettings()).read()).keychain ?? 'sealed-file';
      const known = keychains.get(wanted);
      if (known !== undefined && passphrase === undefined) return known;
      const { composeKeychain } = await import('./compose-keychain.ts');
      const keychain = composeKeychain(wanted, async (isNew) => passphrase ?? (await readPassphrase(host, isNew)));
      keychains.set(wanted, keychain);
      return keychain;
    },
    openBackend: async (destination, secrets, bandwidth) =>
      (await import('./compose-destination.ts')).composeBackend(destination, secrets, bandwidth, observer, (name) =>
        tokenKeeping(host, name),
      ),
    openTargets: async () => (await import('./compose-targets.ts')).composeTargets(),
    initializeProvider: async function* (open, aborted) {
      yield* (await import('./compose-destination.ts')).composeChecks(open, aborted);
    },
  };
  return host;
}

/** Where the tokens of a named destination are kept when the provider changes them. */
async function tokenKeeping(host: CliHost, name: string | null): Promise<TokenKeeping> {
  if (name === null) return { name };
  const { destinations } = await (await host.openSettings()).read();
  return {
    name,
    signedInAt: destinations[name]?.signedInAt,
    keep: async (refreshToken) => await (await host.openKeychain()).set({ [destinationSecret(name, 'refreshToken')]: refreshToken }),
  };
}

function readVersion(): string {
  const text: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  if (typeof text === 'object' && text !== null && 'version' in text && typeof text.version === 'string') return text.version;
  throw new Error('package.json names no version');
}
