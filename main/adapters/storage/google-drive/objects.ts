import { Fault } from '../../../contract/faults.ts';
import type { CallOptions, ObjectInfo } from '../../../engine/storage/backend.ts';
import type { About, DriveApi } from './api.ts';
import { folderType, inAny, infoOf, newestFirst, quoted, search, type DriveFile } from './files.ts';
import type { Folders } from './folders.ts';

/** What the verbs share. */
export interface Drive {
  readonly api: DriveApi;
  readonly folders: Folders;
  readonly newId: (about: About) => Promise<string>;
}

export function splitKey(key: string): { readonly folder: string; readonly name: string } {
  const end = key.lastIndexOf('/');
  return end < 0 ? { folder: '', name: key } : { folder: key.slice(0, end), name: key.slice(end + 1) };
}

/** All files under that name, the newest first: Drive lets one name be used many times. */
export async function filesOf({ api, folders }: Drive, key: string, about: About): Promise<readonly DriveFile[]> {
  const { folder, name } = splitKey(key);
  const parents = await folders.find(folder, about);
  if (parents.length === 0) return [];
  const found: DriveFile[] = [];
  try {
    for await (const file of search(api, `${inAny(parents)} and name = ${quoted(name)}`, about)) found.push(file);
  } catch (error) {
    // A folder that somebody has deleted for good.
    if (!(error instanceof Fault) || error.code !== 'not-found') throw error;
    folders.forget();
    return [];
  }
  // A query takes `A` for `a`.
  return found.filter((file) => file.name === name && isFile(file)).sort(newestFirst);
}

/** Documents of Google's own have no content, and folders are none. */
export function isFile({ mimeType, size }: DriveFile): boolean {
  return size !== undefined && mimeType !== folderType;
}

export async function statObject(drive: Drive, key: string, operation: string, options?: CallOptions): Promise<ObjectInfo> {
  return infoOf(key, await newestOf(drive, key, { operation, what: key, signal: options?.signal }));
}

export async function newestOf(drive: Drive, key: string, about: About): Promise<DriveFile> {
  const [newest] = await filesOf(drive, key, about);
  if (newest !== undefined) return newest;
  throw new Fault('not-found', `${about.operation} of ${key}: it does not exist`, { operation: about.operation, context: { key } });
}

/** Every one of that name, for good: what is in the trash still counts against the space. */
export async function removeObject(drive: Drive, key: string, options?: CallOptions): Promise<void> {
  const about = { operation: 'remove', what: key, signal: options?.signal };
  for (const { id } of await filesOf(drive, key, about)) await removeFile(drive.api, id, about);
}

export async function removeFile(api: DriveApi, fileId: string, about: About): Promise<void> {
  try {
    await api.call(about, (drive, options) => drive.files.delete({ fileId }, options));
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'not-found') throw error;
  }
}
