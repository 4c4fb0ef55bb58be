import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The answer of `busctl` with these arguments; throws where there is none. */
export type AskBus = (args: readonly string[]) => Promise<string>;

const run = promisify(execFile);
const name = 'org.freedesktop.secrets';
const root = '/org/freedesktop/secrets';

/**
 * Whether the Secret Service is locked for what is kept under `service`; null where nobody tells. Asked of the bus and before keytar: a locked
 * keyring's secrets come to keytar without a value, which it gives as none (getPassword) or ends the whole process on (findCredentials). Nobody
 * is prompted by the question.
 */
export async function secretServiceLocked(service: string, askBus: AskBus = askBusctl): Promise<boolean | null> {
  const [collection, items] = await Promise.all([
    askBus(['get-property', name, `${root}/aliases/default`, 'org.freedesktop.Secret.Collection', 'Locked']).catch(silence),
    askBus(['call', name, root, 'org.freedesktop.Secret.Service', 'SearchItems', 'a{ss}', '1', 'service', service]).catch(silence),
  ]);
  const isLocked = /^b (true|false)/.exec(collection)?.[1];
  // Two lists, each after its length: those that are open, and those that are not.
  const lockedItems = /^aoao \d+(?: "[^"]*")* (\d+)/.exec(items)?.[1];
  if (isLocked === undefined && lockedItems === undefined) return null;
  return isLocked === 'true' || Number(lockedItems ?? 0) > 0;
}

/** No bus, no busctl, no keyring yet: nobody tells. */
const silence = (): string => '';

async function askBusctl(args: readonly string[]): Promise<string> {
  return (await run('busctl', ['--user', ...args], { timeout: 10_000 })).stdout;
}
