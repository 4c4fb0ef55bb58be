import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectInfo } from '../../../engine/storage/backend.ts';
import { isKey } from '../../../engine/storage/object-key.ts';
import { errnoOf, toFault } from './errors.ts';
import { markerName } from './marker.ts';
import { linkFault, lstatIfAny, refuseLinks, uploadsFolder } from './paths.ts';

/** Every regular file below `root` that can be an object and whose key begins with `prefix`; what goes away meanwhile is left out. */
export async function* walkObjects(root: string, prefix: string): AsyncGenerator<ObjectInfo, void, undefined> {
  const border = prefix.lastIndexOf('/') + 1;
  const folder = prefix.slice(0, border);
  const parts = folder.split('/').slice(0, -1);
  try {
    await refuseLinks(root, parts);
    // The prefix may name a link itself, `server` for `server/`: an empty answer would look like a server without snapshots.
    if (prefix.length > border && (await lstatIfAny(join(root, ...parts, prefix.slice(border))))?.isSymbolicLink() === true) {
      throw linkFault(join(root, prefix));
    }
    const start = join(root, ...parts);
    if (parts.length > 0 && (await lstatIfAny(start))?.isDirectory() !== true) return;
    yield* walkFolder(start, folder, prefix);
  } catch (error) {
    throw toFault(error, 'list', prefix === '' ? root : prefix, { prefix });
  }
}

async function* walkFolder(path: string, folderKey: string, prefix: string): AsyncGenerator<ObjectInfo, void, undefined> {
  const folder = await ifThere(() => opendir(path));
  if (folder === null) return;
  for await (const entry of folder) {
    const key = folderKey + entry.name;
    if (key === uploadsFolder || key === markerName || !isKey(key)) continue;
    if (entry.isDirectory() && `${key}/`.startsWith(prefix)) {
      yield* walkFolder(join(path, entry.name), `${key}/`, prefix);
    } else if (entry.isFile() && key.startsWith(prefix)) {
      const stats = await lstatIfAny(join(path, entry.name));
      if (stats?.isFile() === true) yield { key, size: stats.size, modifiedAt: Math.floor(stats.mtimeMs) };
    }
  }
}

async function ifThere<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
