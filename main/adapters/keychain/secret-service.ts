import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';

/** The answer of `busctl` with these arguments, as JSON; throws where there is none. */
export type AskBus = (args: readonly string[]) => Promise<string>;

/** What the Secret Service shows without a prompt and without a secret. */
export interface KeyringLook {
  readonly locked: boolean;
  /** Accounts for which there is a secret. */
  names(): Promise<readonly string[]>;
}

const run = promisify(execFile);
const name = 'org.freedesktop.secrets';
const root = '/org/freedesktop/secrets';
const property = z.object({ data: z.boolean() });
/** Open ones, and locked ones. */
const found = z.object({ data: z.tuple([z.array(z.string()), z.array(z.string())]) });
const attributes = z.object({ data: z.record(z.string(), z.string()) });

/**
 * What is kept under `service`, and whether it is locked; null where nobody tells. Asked of the bus and not of keytar: a locked keyring's secrets come
 * to keytar without a value, which it gives as none (getPassword) or ends the whole process on (findCredentials).
 */
export async function lookAtSecretService(service: string, askBus: AskBus = askBusctl): Promise<KeyringLook | null> {
  const [collection, items] = await Promise.all([
    askBus(['get-property', name, `${root}/aliases/default`, 'org.freedesktop.Secret.Collection', 'Locked']).then(
      (text) => property.parse(JSON.parse(text)).data,
      // There is no keyring yet, and so no lock.
      () => false,
    ),
    askBus(['call', name, root, 'org.freedesktop.Secret.Service', 'SearchItems', 'a{ss}', '1', 'service', service]).then(
      (text) => found.parse(JSON.parse(text)).data,
      // No bus, no busctl.
      () => null,
    ),
  ]);
  if (items === null) return null;
  const [open, locked] = items;
  return {
    locked: collection || locked.length > 0,
    async names() {
      const all: string[] = [];
      for (const path of open) {
        const text = await askBus(['get-property', name, path, 'org.freedesktop.Secret.Item', 'Attributes']);
        const { account } = attributes.parse(JSON.parse(text)).data;
        if (account !== undefined) all.push(account);
      }
      return all;
    },
  };
}

async function askBusctl(args: readonly string[]): Promise<string> {
  return (await run('busctl', ['--user', '--json=short', ...args], { timeout: 10_000 })).stdout;
}
