import { Fault } from '../../../contract/faults.ts';
import type { CallOptions, ObjectInfo } from '../../../engine/storage/backend.ts';
import { isKey } from '../../../engine/storage/object-key.ts';
import type { About } from './api.ts';
import { folderType, inAny, infoOf, newestFirst, search, type DriveFile } from './files.ts';
import { isFile, splitKey, type Drive } from './objects.ts';

/** Folders that one query asks for: few enough for its length, and a level of the tree rarely has more. */
const foldersAtOnce = 40;

/** Every file below the folder that the prefix lies in whose key begins with it; of several under one name the newest. */
export async function* listObjects(drive: Drive, prefix: string, options?: CallOptions): AsyncGenerator<ObjectInfo, void, undefined> {
  const about = { operation: 'list', what: prefix === '' ? drive.api.place.label : prefix, signal: options?.signal };
  const { folder } = splitKey(prefix);
  const files = new Map<string, DriveFile>();
  /** A level of the tree: the path of each folder by its id. */
  let level = new Map((await drive.folders.find(folder, about)).map((id) => [id, folder]));
  while (level.size > 0) {
    const below = new Map<string, string>();
    for (const found of await childrenOf(drive, [...level.keys()], about)) {
      for (const path of (found.parents ?? []).map((id) => level.get(id)).filter((one) => one !== undefined)) {
        const key = path === '' ? found.name : `${path}/${found.name}`;
        // A name with a slash, or with other letters than ours, is nothing that was written here.
        if (found.name.includes('/') || !isKey(key)) continue;
        if (found.mimeType === folderType) {
          if (`${key}/`.startsWith(prefix) || prefix.startsWith(`${key}/`)) below.set(found.id, key);
        } else if (isFile(found) && key.startsWith(prefix)) {
          const other = files.get(key);
          files.set(key, other === undefined || newestFirst(found, other) < 0 ? found : other);
        }
      }
    }
    level = below;
  }
  // Told once all is known: what is listed may be removed while the listing goes on.
  for (const [key, file] of files) yield infoOf(key, file);
}

async function childrenOf({ api, folders }: Drive, ids: readonly string[], about: About): Promise<readonly DriveFile[]> {
  const found: DriveFile[] = [];
  try {
    for (let at = 0; at < ids.length; at += foldersAtOnce) {
      for await (const file of search(api, inAny(ids.slice(at, at + foldersAtOnce)), about)) found.push(file);
    }
  } catch (error) {
    // A folder that somebody has deleted for good: the next look finds what there is.
    if (!(error instanceof Fault) || error.code !== 'not-found') throw error;
    folders.forget();
    throw new Fault('unavailable', `${about.what} was changed while it was listed`, { operation: 'list', cause: error });
  }
  return found;
}
