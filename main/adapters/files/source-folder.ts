import { constants } from 'node:fs';
import { access, opendir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import { parseIgnoreFile } from '../../engine/archive/exclude.ts';
import type { SourceFolder } from '../../engine/host.ts';

const ignoreFile = '.holdfastignore';

/** Looks at the folder to be backed up. An empty one is more likely a disk that is not mounted than a server without files. */
export async function openSourceFolder(folder: string): Promise<SourceFolder> {
  const root = await named(folder, () => realpath(folder));
  const info = await named(folder, () => stat(root));
  if (!info.isDirectory())
    throw new Fault('config-invalid', `${folder} is no folder`, {
      operation: 'open source',
      context: { ...saying('folder-is-file', { path: folder }), folder },
    });
  await named(folder, () => access(root, constants.R_OK | constants.X_OK));
  const entries = await named(folder, () => opendir(root));
  const first = await entries.read();
  await entries.close();
  if (first === null) {
    throw new Fault('config-invalid', `${folder} is empty: is its disk mounted?`, {
      operation: 'open source',
      context: { ...saying('folder-empty', { path: folder }), folder },
    });
  }
  return { root, ignore: await readIgnoreFile(root) };
}

async function readIgnoreFile(root: string): Promise<readonly string[]> {
  const path = join(root, ignoreFile);
  try {
    // A pipe of that name would be read for ever, and a folder is no list of patterns.
    if (!(await stat(path)).isFile()) return [];
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ELOOP')) return [];
    throw error;
  }
  return parseIgnoreFile(await named(path, () => readFile(path)));
}

async function named<T>(folder: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const options = { operation: 'open source', context: { folder }, cause };
    if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ENOTDIR')) {
      throw new Fault('not-found', `there is no folder ${folder}`, {
        ...options,
        context: {
          ...saying('folder-missing', { path: folder }),
          folder,
          next: 'Check its path; if it lies on another disk, see that this is mounted.',
        },
      });
    }
    if (isErrno(cause, 'EACCES') || isErrno(cause, 'EPERM')) {
      throw new Fault('permission-denied', `${folder} may not be read`, {
        ...options,
        context: { ...saying('folder-forbidden', { path: folder }), folder },
      });
    }
    throw new Fault('unexpected', `${folder} could not be opened: ${cause instanceof Error ? cause.message : String(cause)}`, options);
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
