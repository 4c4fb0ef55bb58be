import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Fault } from '../../contract/faults.ts';
import { makeOnce } from '../files/make-once.ts';

const operation = 'read the machine key';

/**
 * The passphrase of a key file on a computer where nobody is there to type one: 256 random bits in a file of mode 0600, made once. It keeps
 * secrets out of copies of the key file alone and out of sight, and nothing more. `isNew`: there is nothing yet that another key has sealed; else
 * a missing one is a fault, as a new one would open nothing.
 */
export async function machineKey(path: string, isNew: boolean): Promise<string> {
  const key = await readKey(path);
  if (key !== null) return key;
  if (isNew) return await makeKey(path);
  throw new Fault('config-invalid', `the machine key ${path} is gone, which opens the kept secrets`, {
    operation,
    context: { path, next: 'Put it back from a copy of the state folder; without one, remove keys.machine and give each secret anew.' },
  });
}

async function readKey(path: string): Promise<string | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Fault('permission-denied', `the machine key ${path} cannot be read`, { operation, context: { path }, cause: error });
  }
  const key = /^([0-9a-f]{64})\n?$/.exec(text)?.[1];
  if (key !== undefined) return key;
  throw new Fault('config-invalid', `${path} holds no machine key (64 hex digits)`, {
    operation,
    context: { path, next: 'Put the file back from a copy; without it, give the secrets of each backup place anew.' },
  });
}

function makeKey(path: string): Promise<string> {
  return makeOnce({
    path,
    value: randomBytes(32).toString('hex'),
    read: () => readKey(path),
    failed: (cause) => new Fault('config-invalid', `the machine key ${path} cannot be written`, { operation, context: { path }, cause }),
  });
}
