import { throwIfCancelled } from '../../engine/storage/cancel.ts';
import type { FileCalls } from './file-calls.ts';
import { isErrno, join } from './file-calls.ts';

/** Disk space and number of entries that are no folders. A file with several names counts once; what may not be read counts nothing. */
export async function sizeOfTree(
  calls: FileCalls,
  root: Buffer,
  signal?: AbortSignal,
): Promise<{ readonly bytes: number; readonly files: number }> {
  const seen = new Set<string>();
  let bytes = 0;
  let files = 0;
  async function walk(folder: Buffer): Promise<void> {
    for await (const name of calls.names(folder)) {
      throwIfCancelled(signal, 'measure');
      const path = join(folder, name);
      const found = await calls.lstat(path);
      if (!found.isDirectory()) files++;
      if (found.nlink > 1n && !found.isDirectory()) {
        const inode = `${found.dev}:${found.ino}`;
        if (seen.has(inode)) continue;
        seen.add(inode);
      }
      bytes += Number(found.blocks) * 512;
      if (found.isDirectory()) await unlessForbidden(walk(path));
    }
  }
  await unlessForbidden(walk(root));
  return { bytes, files };
}

async function unlessForbidden(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'ENOENT')) throw error;
  }
}
