import type { FileCalls } from './file-calls.ts';
import { isErrno, join, look, unlessGone } from './file-calls.ts';

/** Removals that are under way at once in one folder. */
const batchSize = 16;

/**
 * Removes a tree wholly, links as links; nothing there: success. Folders that forbid it (mode 0000 from a snapshot, killed half way)
 * are opened up first. Memory is a batch of names per open level.
 */
export async function removeTree(calls: FileCalls, path: Buffer): Promise<void> {
  const found = await look(calls, path);
  if (found === null) return;
  if (!found.isDirectory()) {
    await unlessGone(calls.unlink(path));
    return;
  }
  if ((found.mode & 0o700n) !== 0o700n) await calls.chmod(path, 0o700);
  for (let round = 1; ; round++) {
    let batch: Buffer[] = [];
    for await (const name of calls.names(path)) {
      batch.push(join(path, name));
      if (batch.length < batchSize) continue;
      await removeEntries(calls, batch);
      batch = [];
    }
    await removeEntries(calls, batch);
    try {
      await unlessGone(calls.rmdir(path));
      return;
    } catch (error) {
      // Some file systems skip names when others are removed during the listing.
      if (round === 5 || !isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
  }
}

/** Files at once, folders one after the other: else the open folders would multiply with every level. */
async function removeEntries(calls: FileCalls, paths: readonly Buffer[]): Promise<void> {
  const ends = await Promise.allSettled(paths.map((path) => removeFile(calls, path)));
  // All have ended, also when one failed: nothing goes on behind the caller's back.
  for (const [at, end] of ends.entries()) {
    if (end.status === 'rejected') throw end.reason;
    const path = paths[at];
    if (!end.value && path !== undefined) await removeTree(calls, path);
  }
}

/** False when it is something else than a file. Unlinking at once saves looking first. */
async function removeFile(calls: FileCalls, path: Buffer): Promise<boolean> {
  try {
    await unlessGone(calls.unlink(path));
    return true;
  } catch (error) {
    // Linux answers EISDIR for a folder; POSIX allows EPERM, which may also mean what it says: then looking will tell.
    if (isErrno(error, 'EISDIR', 'EPERM')) return false;
    throw error;
  }
}

/** Removes folders that hold nothing but folders; anything else stays, with the folders above it. True when all is gone. */
export async function removeEmptyFolders(calls: FileCalls, path: Buffer): Promise<boolean> {
  const found = await look(calls, path);
  if (found === null) return true;
  if (!found.isDirectory()) return false;
  let empty = true;
  for await (const name of calls.names(path)) {
    if (!(await removeEmptyFolders(calls, join(path, name)))) empty = false;
  }
  if (empty) await unlessGone(calls.rmdir(path));
  return empty;
}
