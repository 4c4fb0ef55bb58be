import { opendir, readFile, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Fault } from '../../../contract/faults.ts';
import type { Backend, BackendLimits, ObjectInfo, OpenUpload } from '../../../engine/storage/backend.ts';
import { checkedCalls } from '../../../engine/storage/layers/checked-calls.ts';
import { spaceCheck } from '../../../engine/storage/space-check.ts';
import { errnoOf, mapped, toFault } from './errors.ts';
import { diskOf } from './free-space.ts';
import { linkFault, lstatIfAny, pathOf, refuseLinksOf, syncFolderIfThere, uploadsFolder } from './paths.ts';
import { readFilePieces } from './read-file.ts';
import { beginFileUpload, unlinkIfAny, uploadPaths } from './upload-file.ts';
import { walkObjects } from './walk-objects.ts';

/** Parts come one by one, for a disk is not faster at several ends of one file. */
const limits: BackendLimits = { minPart: 1, maxPart: 2 ** 40, partMultiple: 1, maxParts: 1_000_000, parallelParts: 1 };

/** A token as beginFileUpload makes it, or the name of one without a key: anything else could name a file outside the uploads' folder. */
const tokenPattern = /^[0-9a-f]{32}(\.new)?$/;

/** A destination that is a folder: keys are paths below `root`, which is made (0700) when something is first written. */
export function folderBackend(root: string): Backend {
  const base = resolve(root);
  return checkedCalls({
    info: { scheme: 'folder', label: base, limits, ownChecks: [spaceCheck(() => diskOf(base))] },
    stat: (key) => mapped('stat', key, () => statObject(base, key)),
    list: (prefix) => walkObjects(base, prefix),
    read: async (key, call) => {
      const path = pathOf(base, key);
      await mapped('read', key, () => refuseLinksOf(base, key));
      return readFilePieces(path, key, call?.range, call?.signal);
    },
    beginUpload: (key, call) => beginFileUpload(base, key, call?.ifAbsent === true, call?.sizeHint),
    openUploads: (prefix) => unfinished(base, prefix),
    abandon: (token) => mapped('abandon', token, () => clearUpload(base, token)),
    remove: (key) => mapped('remove', key, () => removeObject(base, key)),
  });
}

async function statObject(root: string, key: string): Promise<ObjectInfo> {
  const path = pathOf(root, key);
  await refuseLinksOf(root, key);
  const stats = await lstatIfAny(path);
  if (stats?.isSymbolicLink() === true) throw linkFault(path);
  if (stats?.isFile() !== true) throw new Fault('not-found', `there is no ${key} in ${root}`, { operation: 'stat', context: { key } });
  return { key, size: stats.size, modifiedAt: Math.floor(stats.mtimeMs) };
}

async function removeObject(root: string, key: string): Promise<void> {
  const path = pathOf(root, key);
  await refuseLinksOf(root, key);
  if ((await lstatIfAny(path)) === null) return;
  await unlinkIfAny(path);
  await syncFolderIfThere(dirname(path));
  for (let folder = dirname(path); folder !== root; folder = dirname(folder)) {
    if (!(await removedWhenEmpty(folder))) return;
  }
}

async function removedWhenEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
  } catch {
    // Not empty, or not ours to remove: an empty folder that stays harms nobody, and the object is gone.
    return false;
  }
  await syncFolderIfThere(dirname(folder));
  return true;
}

async function* unfinished(root: string, prefix: string): AsyncGenerator<OpenUpload, void, undefined> {
  const tokens = new Set<string>();
  try {
    for await (const entry of await opendir(join(root, uploadsFolder))) {
      const token = entry.name.replace(/\.key$/, '');
      if (tokenPattern.test(token)) tokens.add(token);
    }
    for (const token of tokens) {
      const paths = uploadPaths(root, token);
      const stats = (await lstatIfAny(paths.key)) ?? (await lstatIfAny(paths.data));
      if (stats === null || !isBelow(prefix, token.endsWith('.new') ? '' : await keyOf(paths.key))) continue;
      yield { token, startedAt: Math.floor(stats.mtimeMs) };
    }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw toFault(error, 'openUploads', root, { prefix });
  }
}

/**
 * Without a key it was cut off by a crash before its first byte: nobody can know whose it was, so that whoever asks first may clear it. One whose key is
 * gone is ending at this moment, or somebody has cleared half of it.
 */
function isBelow(prefix: string, key: string | null): boolean {
  return key === null ? prefix === '' : key === '' || key.startsWith(prefix);
}

async function keyOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

async function clearUpload(root: string, token: string): Promise<void> {
  if (!tokenPattern.test(token))
    throw new Fault('config-invalid', `${JSON.stringify(token)} is no unfinished upload`, { context: { token } });
  const paths = uploadPaths(root, token);
  await unlinkIfAny(paths.data);
  await unlinkIfAny(paths.key);
}
