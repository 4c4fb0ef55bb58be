import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { CallReply } from '../../contract/calls.ts';
import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import { errnoOf, isForbidden, isMissing } from '../errno.ts';

const operation = 'list folders';
const order = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** The folders in a folder, and links to folders. Names that are no UTF-8 are left out: no path could be given back for them. */
export async function listFolders(given: string): Promise<CallReply<'folders.list'>> {
  if (given !== '' && !isAbsolute(given))
    throw new Fault('config-invalid', `${given} is not a whole path`, {
      operation,
      context: saying('path-not-whole', { path: given }),
    });
  const path = given === '' ? homedir() : resolve(given);
  const found = await entriesOf(path);
  const folders: { name: string; path: string; hidden: boolean }[] = [];
  for (const entry of found) {
    const inside = join(path, entry.name);
    if (entry.name.includes('\ufffd') || !(await isFolder(entry, inside))) continue;
    folders.push({ name: entry.name, path: inside, hidden: entry.name.startsWith('.') });
  }
  folders.sort((a, b) => order.compare(a.name, b.name) || (a.name < b.name ? -1 : 1));
  const parent = dirname(path);
  return { path, parent: parent === path ? null : parent, folders };
}

async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  if (entry.isDirectory()) return true;
  // Some file systems do not say in a listing what an entry is.
  if (entry.isFile()) return false;
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // A link that leads nowhere, or where this user may not look: nothing to choose.
    return false;
  }
}

async function entriesOf(path: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (cause) {
    const options = { operation, context: { path }, cause };
    if (errnoOf(cause) === 'ENOTDIR')
      throw new Fault('config-invalid', `${path} is not a folder`, { ...options, context: saying('folder-is-file', { path }) });
    if (isMissing(cause))
      throw new Fault('not-found', `the folder ${path} does not exist`, { ...options, context: saying('folder-missing', { path }) });
    if (isForbidden(cause)) throw new Fault('permission-denied', `the folder ${path} may not be read by this user`, options);
    throw new Fault('unexpected', `the folder ${path} cannot be read`, options);
  }
}
