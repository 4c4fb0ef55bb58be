import { link, lstat, open, rename, rm } from 'node:fs/promises';
import { Fault } from '../contract/faults.ts';
import { errnoOf, isForbidden, isFull, isMissing } from '../compose/errno.ts';

const operation = 'write the file';

/** Fault already-exists when something lies under that name, a dangling link too. Asked before long work; writeNewFile asks again. */
export async function refuseExisting(file: string): Promise<void> {
  try {
    await lstat(file);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw failed(file, error);
  }
  throw exists(file);
}

/**
 * Writes a file that must not exist yet, readable by its owner only, and settles to its length once it is on the disk. It grows under
 * `<file>.<process id>.part`: the name asked for never holds half a file or one whose check at the end failed.
 */
export async function writeNewFile(file: string, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
  await refuseExisting(file);
  const part = `${file}.${process.pid}.part`;
  const handle = await open(part, 'wx', 0o600).catch((error: unknown) => {
    throw failed(file, error);
  });
  try {
    let bytes = 0;
    for await (const piece of content) {
      await handle.writeFile(piece).catch((error: unknown) => {
        throw failed(file, error);
      });
      bytes += piece.length;
    }
    await handle.sync();
    await handle.close();
    await giveName(part, file);
    return bytes;
  } finally {
    await handle.close();
    await rm(part, { force: true });
  }
}

/** A hard link never replaces anything, a rename would; file systems without links (FAT, some shares) get the rename. */
async function giveName(part: string, file: string): Promise<void> {
  try {
    await link(part, file);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw exists(file, error);
    await refuseExisting(file);
    await rename(part, file);
  }
}

function exists(file: string, cause?: unknown): Fault {
  return new Fault('already-exists', `${file} exists already and is not replaced`, {
    operation,
    context: { file, next: 'Choose another name with -o, or move the existing file away.' },
    cause,
  });
}

function failed(file: string, cause: unknown): Fault {
  const options = { operation, context: { file }, cause };
  if (isMissing(cause)) return new Fault('not-found', `The folder of ${file} does not exist`, options);
  if (isForbidden(cause)) return new Fault('permission-denied', `${file} may not be written`, options);
  if (isFull(cause)) return new Fault('disk-full', `There is no space left for ${file}`, options);
  return new Fault('unexpected', `${file} cannot be written`, options);
}
