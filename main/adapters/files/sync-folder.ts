import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Makes the entries of `folder` durable (fsync(2)), where its file system knows such a thing. Errors are Node's. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'EINVAL' || error.code === 'ENOTSUP'))) throw error;
  } finally {
    await handle.close();
  }
}
