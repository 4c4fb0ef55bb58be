import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { notWritten } from './not-written.ts';
import { syncFolder } from './sync-folder.ts';

/**
 * The whole content under another name, on disk, then in its place in one step: a reader finds the old or the new, never a part. For this user
 * only (0600; a folder that is missing is made 0700). Faults name the path: disk-full, permission-denied, unexpected.
 * `overFull`: where the disk has no room for a second file, a short one that is there is written over, which a power cut may tear.
 */
export async function replaceFile(path: string, content: Uint8Array | string, { overFull = false } = {}): Promise<void> {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const handle = await open(fresh, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, path);
    // Else a power cut may bring the old content back after we have gone on.
    await syncFolder(dirname(path));
  } catch (error) {
    const fault = notWritten(path, error);
    if (!overFull || fault.code !== 'disk-full') throw fault;
    await overwrite(path, content).catch(() => Promise.reject(fault));
  } finally {
    await rm(fresh, { force: true });
  }
}

/** In the room that it has already: cut off before, it might not get it again. */
async function overwrite(path: string, content: Uint8Array | string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    const bytes = Buffer.from(content);
    await handle.write(bytes, 0, bytes.length, 0);
    await handle.truncate(bytes.length);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
