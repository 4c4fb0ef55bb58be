import { randomBytes } from 'node:crypto';
import { link, open, rm } from 'node:fs/promises';
import type { Fault } from '../../contract/faults.ts';

export interface MakeOnce {
  readonly path: string;
  /** What the file shall hold, as one line. */
  readonly value: string;
  /** What it holds already; null where there is none. */
  readonly read: () => Promise<string | null>;
  readonly failed: (cause: unknown) => Fault;
}

/**
 * Makes a file of mode 0600 that is never replaced, and settles to what it holds: `value`, or what somebody else has put there meanwhile. The whole is
 * written beside its place and linked there, so that whoever comes second finds a whole one, never an empty file.
 */
export async function makeOnce({ path, value, read, failed }: MakeOnce): Promise<string> {
  const fresh = `${path}.${randomBytes(8).toString('hex')}.new`;
  try {
    const file = await open(fresh, 'wx', 0o600);
    try {
      await file.writeFile(`${value}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(fresh, path);
    return value;
  } catch (error) {
    const theirs = error instanceof Error && 'code' in error && error.code === 'EEXIST' ? await read() : null;
    if (theirs !== null) return theirs;
    throw failed(error);
  } finally {
    await rm(fresh, { force: true });
  }
}
