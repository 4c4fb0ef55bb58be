import type { FileCalls } from './file-calls.ts';
import { isErrno, join, look, unlessGone } from './file-calls.ts';

/**
 * Removes a tree wholly, links as links; nothing there: success. Folders that forbid it (mode 0000 from a snapshot, killed half way)
 * are opened up first. Memory is one name per open level.
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
    for await (const name of calls.names(path)) await removeEntry(calls, join(path, name));
    try {
      await unlessGone(calls.rmdir(path));
      return;
    } catch (error) {
      // Some file systems skip names when others are removed during the listing.
      if (round === 5 || !isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
  }
}

async function removeEntry(calls: FileCalls, path: Buffer): Promise<void> {
  try {
    // Most entries are files: unlinking at once saves looking first. Linux answers EISDIR for a folder, POSIX allows EPERM.
    await calls.unlink(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    if (!isErrno(error, 'EISDIR', 'EPERM')) throw error;
    await removeTree(calls, path);
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
