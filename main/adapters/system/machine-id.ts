import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../contract/faults.ts';
import type { Random } from '../../engine/ports.ts';
import { makeOnce } from '../files/make-once.ts';

/**
 * This computer's name among those that share a destination: 32 lower-case hex digits, made once and kept in
 * `<state folder>/machine-id` (0600). Content that is anything else is fault config-invalid and stays as it is: a new id
 * would make this computer a stranger to its own servers, and only a person can know whether that is right.
 */
export async function machineId(stateDir: string, random: Random): Promise<string> {
  const path = join(stateDir, 'machine-id');
  return (await readId(path)) ?? (await makeId(path, random));
}

async function readId(path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new Fault('config-invalid', `${path} cannot be read`, { operation: 'read machine id', context: { path }, cause: error });
  }
  const id = /^([0-9a-f]{32})\r?\n?$/.exec(text)?.[1];
  if (id === undefined) {
    throw new Fault(
      'config-invalid',
      `${path} holds no machine id (32 hex digits): put the old content back, or remove the file to get a new one`,
      {
        operation: 'read machine id',
        context: { path },
      },
    );
  }
  return id;
}

function makeId(path: string, random: Random): Promise<string> {
  return makeOnce({
    path,
    value: Buffer.from(random.bytes(16)).toString('hex'),
    read: async () => (await readId(path)) ?? null,
    failed: (cause) => new Fault('config-invalid', `${path} cannot be written`, { operation: 'make machine id', context: { path }, cause }),
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
