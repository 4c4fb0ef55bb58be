import { access, constants, mkdir, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { Fault } from '../../contract/faults.ts';
import { say, saying, type Say } from '../../contract/sayings.ts';
import { errnoOf, isForbidden, isMissing } from '../errno.ts';

export interface FolderProblem {
  readonly problem: string;
  readonly say: Say;
}

/** Why a folder cannot be backed up by this user; null when it can. */
export async function folderProblem(path: string): Promise<FolderProblem | null> {
  if (!isAbsolute(path)) return { problem: `${path} is not a whole path`, say: say('path-not-whole', { path }) };
  try {
    if (!(await stat(path)).isDirectory()) return { problem: `${path} is not a folder`, say: say('folder-is-file', { path }) };
    await access(path, constants.R_OK | constants.X_OK);
    return null;
  } catch (error) {
    if (isMissing(error)) return { problem: `the folder ${path} does not exist`, say: say('folder-missing', { path }) };
    return forbidden(path);
  }
}

export function forbidden(path: string): FolderProblem {
  return { problem: `the folder ${path} may not be read by this user`, say: say('folder-forbidden', { path }) };
}

/** Makes a folder with what is missing above it; one that is there stays as it is. */
export async function makeFolder(path: string): Promise<void> {
  if (!isAbsolute(path))
    throw new Fault('config-invalid', `${path} is not a whole path`, {
      operation: 'make folder',
      context: saying('path-not-whole', { path }),
    });
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    const code = isForbidden(error) ? 'permission-denied' : 'config-invalid';
    const why = isForbidden(error) ? 'this user may not' : (errnoOf(error) ?? 'unknown');
    throw new Fault(code, `the folder ${path} cannot be made: ${why}`, { operation: 'make folder', context: { path }, cause: error });
  }
}
