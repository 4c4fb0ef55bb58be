import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, rename, unlink, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../../../contract/faults.ts';
import type { ObjectInfo, Upload } from '../../../engine/storage/backend.ts';
import { throwIfCancelled } from '../../../engine/storage/cancel.ts';
import { uploadEnded } from '../../../engine/storage/upload-ended.ts';
import { errnoOf, mapped, toFault } from './errors.ts';
import { checkSpace } from './free-space.ts';
import { lstatIfAny, makeFolder, pathOf, refuseLinksOf, syncFolderIfThere, uploadsFolder } from './paths.ts';

const writeSize = 1024 * 1024;

export interface UploadPaths {
  readonly data: string;
  readonly key: string;
  readonly fresh: string;
}

/**
 * An unfinished upload is two files: `<token>.key`, written first, holds the key and by its age the start; `<token>` the bytes. Until its key is written
 * it is one, `<token>.new`, so that nobody sees a `.key` without one.
 */
export function uploadPaths(root: string, token: string): UploadPaths {
  const data = join(root, uploadsFolder, token);
  return { data, key: `${data}.key`, fresh: `${data}.new` };
}

/** Whoever clears away what killed runs left takes a `.new` for that: it is written once more. */
async function writeKey({ key: path, fresh }: UploadPaths, key: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await writeFile(fresh, key, { mode: 0o600 });
      await rename(fresh, path);
      return;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' && attempt < 20) continue;
      await unlinkIfAny(fresh);
      throw error;
    }
  }
}

export async function beginFileUpload(root: string, key: string, ifAbsent: boolean, sizeHint = 0): Promise<Upload> {
  const target = pathOf(root, key);
  const token = randomBytes(16).toString('hex');
  const paths = uploadPaths(root, token);
  const handle = await mapped('beginUpload', key, async () => {
    await makeFolder(join(root, uploadsFolder));
    await refuseLinksOf(root, key);
    await checkSpace(root, key, sizeHint);
    await writeKey(paths, key);
    try {
      return await open(paths.data, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    } catch (error) {
      await unlinkIfAny(paths.key);
      throw error;
    }
  });
  return fileUpload({ root, key, target, token, handle, ifAbsent });
}

interface Begun {
  readonly root: string;
  readonly key: string;
  readonly target: string;
  readonly token: string;
  readonly handle: FileHandle;
  readonly ifAbsent: boolean;
}

function fileUpload(begun: Begun): Upload {
  const { root, key, target, token, handle, ifAbsent } = begun;
  const paths = uploadPaths(root, token);
  /** Where each part begins, and behind them where the next one will. */
  const offsets = [0];
  let completion: Promise<ObjectInfo> | undefined;
  let moved = false;
  let over = false;

  async function writeAt(bytes: Uint8Array, start: number, signal: AbortSignal | undefined): Promise<void> {
    for (let done = 0; done < bytes.byteLength;) {
      throwIfCancelled(signal, 'writePart');
      const { bytesWritten } = await handle.write(bytes, done, Math.min(writeSize, bytes.byteLength - done), start + done);
      done += bytesWritten;
    }
  }

  async function publish(): Promise<ObjectInfo> {
    if (!moved) {
      await handle.truncate(offsets.at(-1) ?? 0);
      await handle.sync();
      await moveIntoPlace();
      moved = true;
    }
    await syncFolderIfThere(dirname(target));
    await unlinkIfAny(paths.data);
    await unlinkIfAny(paths.key);
    over = true;
    await handle.close();
    const stats = await lstatIfAny(target);
    if (stats === null)
      throw new Fault('not-found', `${key} was removed at the moment it was written`, { operation: 'complete', context: { key } });
    return { key, size: stats.size, modifiedAt: Math.floor(stats.mtimeMs) };
  }

  async function moveIntoPlace(): Promise<void> {
    // A removal elsewhere may take away the folder, empty as it still is, between making and using it. Each loss takes another
    // removal, so that many tries cost nothing where none goes on.
    for (let attempt = 1; ; attempt++) {
      await refuseLinksOf(root, key);
      try {
        await makeFolder(dirname(target));
        await (ifAbsent ? moveIfAbsent(paths.data, target) : rename(paths.data, target));
        return;
      } catch (error) {
        const errno = errnoOf(error instanceof Fault ? error.cause : error);
        if (errno !== 'ENOENT') throw error;
        if (await isTakenAway()) throw uploadEnded('complete', key, { cause: error });
        if (attempt === 20) throw error;
      }
    }
  }

  /** Somebody has cleared it, while the place is still there: the handle writes on into a file without a name. */
  async function isTakenAway(): Promise<boolean> {
    return (await lstatIfAny(paths.data)) === null && (await lstatIfAny(dirname(paths.data))) !== null;
  }

  return {
    token,
    async writePart(index, bytes, call) {
      const start = offsets[index];
      if (start === undefined || over) {
        throw new Fault('unexpected', `part ${index} of ${key} came out of order`, {
          operation: 'writePart',
          context: { key, part: index },
        });
      }
      await mapped('writePart', key, async () => {
        await checkSpace(root, key, bytes.byteLength);
        await writeAt(bytes, start, call?.signal);
      });
      offsets.length = index + 1;
      offsets.push(start + bytes.byteLength);
    },
    async complete() {
      if (over && completion === undefined) {
        throw new Fault('not-found', `the upload of ${key} has been given up`, { operation: 'complete', context: { key } });
      }
      // One that was given up on by its caller still runs; the next call joins it.
      completion ??= publish();
      try {
        return await completion;
      } catch (error) {
        completion = undefined;
        throw toFault(error, 'complete', key, { key });
      }
    },
    async abort() {
      if (completion !== undefined) await Promise.allSettled([completion]);
      if (over) return;
      over = true;
      await mapped('abort', key, async () => {
        await handle.close();
        await unlinkIfAny(paths.data);
        await unlinkIfAny(paths.key);
      });
    },
  };
}

/** link(2) fails where the name exists, in one step. File systems without hard links (FAT) get a check and a rename, which is two. */
async function moveIfAbsent(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'EPERM' && errno !== 'ENOTSUP' && errno !== 'ENOSYS') throw error;
    if ((await lstatIfAny(to)) !== null) throw new Fault('already-exists', `${to} exists already`, { operation: 'complete' });
    await rename(from, to);
  }
}

export async function unlinkIfAny(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
