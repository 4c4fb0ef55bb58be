import { createHash } from 'node:crypto';
import { closeSync, fchmodSync, fchownSync } from 'node:fs';
import { Fault } from '../../../contract/faults.ts';
import { rootPath, showPath } from '../../../engine/archive/byte-path.ts';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { compileIncludes } from '../../../engine/archive/exclude.ts';
import { isRestoresOwn } from '../../../engine/archive/own-files.ts';
import type { ManifestEntry } from '../../../engine/snapshots/manifest-entry.ts';
import { finishFolders, type FinishedFolder } from '../../files/finish-folders.ts';
import { StagedTree } from '../../files/staged-tree.ts';
import type { Attributes } from '../../files/staged-tree.ts';
import { Monitor } from '../monitor.ts';
import { PathTable, pathKey } from '../path-table.ts';
import { threadTask } from '../thread-task.ts';
import { manifestEntries } from './manifest-entries.ts';
import type { FinisherTask } from './messages.ts';
import { Plan } from './plan.ts';

const emptyHash = createHash('sha256').digest('hex');

/**
 * Completes a tree whose files have been written: folders, empty files and hard links, then symbolic links, and at last folders' attributes. For each of the three it goes
 * through the manifest once more. No link is there before all that lies in folders is, so that there is never one to write through.
 */
export const task = threadTask('finish', (task: FinisherTask, tell) => {
  const monitor = new Monitor(new Int32Array(task.control));
  const tree = new StagedTree(task.staging, task.owner);
  const selection = compileIncludes(task.include);
  const includes = (path: BytePath, isDirectory: boolean): boolean => !isRestoresOwn(path) && selection.includes(path, isDirectory);
  const plan = new Plan(task.plan);
  const lost = new Set<BytePath>();
  const lostLinks: string[] = [];
  /** By first name: the name that holds the content in this tree. */
  const holders = new PathTable(task.holders);
  let root: Attributes | null = null;
  let links = 0;
  let folders = 0;

  for (let file = 0; file < plan.files; file += 1) {
    if (!plan.isDamaged(file)) continue;
    const path = plan.path(file);
    tree.removeFile(path);
    lost.add(path);
  }

  function addHardLink(entry: ManifestEntry, first: BytePath): void {
    const { path } = entry;
    const key = pathKey(first);
    const holder = includes(first, false) ? first : holders.find(key);
    if (holder === undefined) {
      holders.add(key, path);
      if (lost.has(path)) lostLinks.push(showPath(path));
      // Content came under this name already; where there is none, nobody has made the file.
      else if (!tree.hasFile(path)) makeEmpty(path, attributes(entry));
    } else if (lost.has(holder)) lostLinks.push(showPath(path));
    else tree.makeHardLink(path, holder);
  }

  function addEmptyFile(entry: ManifestEntry): void {
    if (entry.sha256 !== emptyHash) {
      throw new Fault('corrupt', `the manifest says that ${showPath(entry.path)} is empty and that it is not`, { operation: 'restore' });
    }
    makeEmpty(entry.path, attributes(entry));
  }

  function makeEmpty(path: BytePath, rest: Attributes): void {
    const handle = tree.createFile(path);
    try {
      tree.finishFile(handle, path, rest, { chown: fchownSync, chmod: fchmodSync });
    } finally {
      closeSync(handle);
    }
  }

  function add(entry: ManifestEntry): void {
    const { path, type } = entry;
    if (path === rootPath) root = attributes(entry);
    else if (!includes(path, type === 'directory')) return;
    else if (type === 'directory') tree.makeFolder(path);
    else if (type === 'symlink') links += 1;
    else if (entry.linkOf !== undefined) addHardLink(entry, entry.linkOf);
    else if (entry.extents.length === 0) addEmptyFile(entry);
  }

  function addSymlinks(): void {
    for (const entry of manifestEntries(task.manifest, monitor, 'symlink')) {
      const { path, target } = entry;
      if (target !== undefined && includes(path, false)) tree.makeSymlink(path, target, attributes(entry));
    }
  }

  function* foldersThere(): Generator<FinishedFolder> {
    for (const entry of manifestEntries(task.manifest, monitor, 'directory')) {
      const { path } = entry;
      if (path === rootPath) continue;
      const wanted = includes(path, true);
      if (wanted) folders += 1;
      // One that is not wanted may have come to lead to something.
      if (wanted || tree.hasFolder(path)) yield { path, ...attributes(entry) };
    }
  }

  try {
    for (const entry of manifestEntries(task.manifest, monitor)) add(entry);
    if (links > 0) addSymlinks();
    finishFolders(tree, foldersThere());
  } finally {
    tree.close();
  }
  if (!monitor.stopped) tell({ kind: 'finished', root, links, folders, lostLinks });
});

function attributes(entry: ManifestEntry): Attributes {
  return { mode: entry.mode, uid: entry.uid, gid: entry.gid, mtimeNs: BigInt(entry.mtime) };
}
