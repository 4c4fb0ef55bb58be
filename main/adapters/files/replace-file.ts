import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from './sync-folder.ts';

/**
 * The whole content under another name, on disk, then in its place in one step: a reader finds the old or the new, never a part. For this user
 * only (0600; a folder that is missing is made 0700). Errors are Node's.
 */
export async function replaceFile(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  try {
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
  } finally {
    await rm(fresh, { force: true });
  }
}
