import { createHash } from 'node:crypto';
import { closeSync, fchmodSync, fchownSync } from 'node:fs';
import { Fault } from '../../../contract/faults.ts';
import { rootPath, showPath } from '../../../engine/archive/byte-path.ts';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { compileIncludes } from '../../../engine/archive/exclude.ts';
import { isRestoresOwn } from '../../../engine/archive/own-files.ts';
import { parseEntry } from '../../../engine/snapshots/read-entry.ts';
import type { ManifestEntry } from '../../../engine/snapshots/manifest-entry.ts';
import { StagedTree } from '../../files/staged-tree.ts';
import type { Attributes } from '../../files/staged-tree.ts';
import { Monitor } from '../monitor.ts';
import { spoolLines } from '../spool-lines.ts';
import { threadTask } from '../thread-task.ts';
import type { FinisherTask } from './messages.ts';
import { Plan } from './plan.ts';

const emptyHash = createHash('sha256').digest('hex');

interface LaterLink extends Attributes {
  readonly path: BytePath;
  readonly target: BytePath;
}

interface LaterFolder extends Attributes {
  readonly path: BytePath;
  readonly wanted: boolean;
}

/** Completes a tree whose files have been written: folders, empty files, hard links, symbolic links, and at last folders' attributes. */
export const task = threadTask('finish', (task: FinisherTask, tell) => {
  const monitor = new Monitor(new Int32Array(task.control));
  const tree = new StagedTree(task.staging, task.owner);
  const selection = compileIncludes(task.include);
  const includes = (path: BytePath, isDirectory: boolean): boolean => !isRestoresOwn(path) && selection.includes(path, isDirectory);
  const plan = new Plan(task.plan);
  const lost = new Set<BytePath>();
  const folders: LaterFolder[] = [];
  const symlinks: LaterLink[] = [];
  const lostLinks: string[] = [];
  /** By first name: the name that holds the content in this tree. */
  const holders = new Map<BytePath, BytePath>();
  let root: Attributes | null = null;
  let wantedFolders = 0;

  for (let file = 0; file < plan.files; file += 1) {
    if (!plan.isDamaged(file)) continue;
    const path = plan.path(file);
    tree.removeFile(path);
    lost.add(path);
  }

  function addHardLink(entry: ManifestEntry, first: BytePath): void {
    const { path } = entry;
    const holder = includes(first, false) ? first : holders.get(first);
    if (holder === undefined) {
      holders.set(first, path);
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
    const { path } = entry;
    if (path === rootPath) root = attributes(entry);
    else if (entry.type === 'directory') {
      const wanted = includes(path, true);
      if (wanted) tree.makeFolder(path);
      // One that is not wanted may still come to lead to something: an empty file or a link below it is made later.
      folders.push({ path, wanted, ...attributes(entry) });
    } else if (!includes(path, false)) return;
    else if (entry.type === 'symlink' && entry.target !== undefined) symlinks.push({ path, target: entry.target, ...attributes(entry) });
    else if (entry.linkOf !== undefined) addHardLink(entry, entry.linkOf);
    else if (entry.type === 'file' && entry.extents.length === 0) addEmptyFile(entry);
  }

  let first = true;
  for (const line of spoolLines(task.manifest.handle, task.manifest.size)) {
    if (monitor.stopped) return tree.close();
    if (!first) add(parseEntry(line.toString('utf8'), task.manifest.name));
    first = false;
  }
  const made = new Set<string>();
  for (const { path, target, ...rest } of symlinks) {
    tree.makeSymlink(path, target, rest);
    made.add(path);
  }
  for (const { path, wanted, ...rest } of folders.toReversed()) {
    if (wanted) wantedFolders += 1;
    // What a snapshot has below a link of its own was not made here: looking for it would lead out of the tree.
    if (wanted || (!foldersAbove(path).some((above) => made.has(above)) && tree.hasFolder(path))) tree.finishFolder(path, rest);
  }
  tree.close();
  tell({ kind: 'finished', root, links: symlinks.length, folders: wantedFolders, lostLinks });
});

/** `a` and `a/b` of `a/b/c`. */
function foldersAbove(path: BytePath): readonly string[] {
  const names = path.split('/');
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join('/'));
}

function attributes(entry: ManifestEntry): Attributes {
  return { mode: entry.mode, uid: entry.uid, gid: entry.gid, mtimeNs: BigInt(entry.mtime) };
}
