import { access, constants, mkdir, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { Fault } from '../../contract/faults.ts';
import { errnoOf, isForbidden, isMissing } from '../errno.ts';

/** Why a folder cannot be backed up by this user; null when it can. */
export async function folderProblem(path: string): Promise<string | null> {
  if (!isAbsolute(path)) return `${path} is not a whole path`;
  try {
    if (!(await stat(path)).isDirectory()) return `${path} is not a folder`;
    await access(path, constants.R_OK | constants.X_OK);
    return null;
  } catch (error) {
    return isMissing(error) ? `the folder ${path} does not exist` : `the folder ${path} may not be read by this user`;
  }
}

/** Makes a folder with what is missing above it; one that is there stays as it is. */
export async function makeFolder(path: string): Promise<void> {
  if (!isAbsolute(path)) throw new Fault('config-invalid', `${path} is not a whole path`, { operation: 'make folder' });
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    const code = isForbidden(error) ? 'permission-denied' : 'config-invalid';
    const why = isForbidden(error) ? 'this user may not' : (errnoOf(error) ?? 'unknown');
    throw new Fault(code, `the folder ${path} cannot be made: ${why}`, { operation: 'make folder', context: { path }, cause: error });
  }
}
