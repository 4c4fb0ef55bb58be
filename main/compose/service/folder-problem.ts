import { access, constants, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { isMissing } from '../errno.ts';

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
