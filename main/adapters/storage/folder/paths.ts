import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../../../contract/faults.ts';
import { syncFolder } from '../../files/sync-folder.ts';
import { errnoOf } from './errors.ts';

/** Unfinished uploads lie here, on the same file system as what they become. */
export const uploadsFolder = '.holdfast-uploads';

export function pathOf(root: string, key: string): string {
  if (key === uploadsFolder || key.startsWith(`${uploadsFolder}/`)) {
    throw new Fault('config-invalid', `${key} lies where unfinished uploads are kept`, { context: { key } });
  }
  return join(root, ...key.split('/'));
}

export async function lstatIfAny(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    const errno = errnoOf(error);
    // ENOTDIR: a file stands where the folder above it would have to be, so it does not exist either.
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return null;
    throw error;
  }
}

/**
 * Throws fault config-invalid when a folder on the way from `root` to what lies at `parts` is a symbolic link: it could lead out of the
 * destination, and a removal would then hit somebody else's files. What does not exist is no problem here.
 */
export async function refuseLinks(root: string, parts: readonly string[]): Promise<void> {
  let path = root;
  for (const part of parts) {
    path = join(path, part);
    const stats = await lstatIfAny(path);
    if (stats === null) return;
    if (stats.isSymbolicLink()) throw linkFault(path);
  }
}

export function linkFault(path: string): Fault {
  return new Fault('config-invalid', `${path} is a symbolic link, which is never followed inside a backup folder`, { context: { path } });
}

/** The key's own folders, checked as above. */
export async function refuseLinksOf(root: string, key: string): Promise<void> {
  await refuseLinks(root, key.split('/').slice(0, -1));
}

/** An object's file, never through a link and never a folder. */
export async function openObject(path: string, key: string): Promise<{ readonly handle: FileHandle; readonly stats: Stats }> {
  // O_NONBLOCK: a FIFO put there would otherwise hold the open for ever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Fault('config-invalid', `${key} is no regular file`, { context: { key } });
    return { handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Makes `folder` and what is missing above it (0700), each entry durable; the folder above is made once only. Faults: config-invalid
 * when something else stands in a folder's place, a dangling link too; not-found, with ENOENT as its cause, when there is still no
 * place for it: procfs answers so, and so does a folder that is removed meanwhile, which is worth another try.
 */
export async function makeFolder(folder: string): Promise<void> {
  if ((await makeUnlessMissing(folder)) === null) return;
  const above = dirname(folder);
  if (above !== folder) await makeFolder(above);
  const missing = await makeUnlessMissing(folder);
  if (missing !== null) throw noPlaceFault(folder, missing);
}

/** Null: it is there now. Else the ENOENT: the folder above is missing. */
async function makeUnlessMissing(folder: string): Promise<Error | null> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' && error instanceof Error) return error;
    if (errno !== 'EEXIST') throw error;
    await mustBeFolder(folder);
    return null;
  }
  await syncFolder(dirname(folder));
  return null;
}

async function mustBeFolder(path: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) return;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    // What is no link was taken away and made again between the two looks.
    if ((await lstatIfAny(path))?.isSymbolicLink() !== true) throw noPlaceFault(path, error);
    throw new Fault('config-invalid', `${path} is a symbolic link that leads nowhere`, { context: { path } });
  }
  throw new Fault('config-invalid', `${path} is no folder`, { context: { path } });
}

function noPlaceFault(path: string, cause: unknown): Fault {
  return new Fault('not-found', `The folder ${path} cannot be made there`, {
    context: { path, next: 'Choose a folder on a disk that takes files.' },
    cause,
  });
}

/** As below, where the folder still stands: whoever took it away, empty, has made that durable. */
export async function syncFolderIfThere(folder: string): Promise<void> {
  try {
    await syncFolder(folder);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
