import { asBytePath, type BytePath } from '../../engine/archive/byte-path.ts';
import { RunsFile, SortedRuns } from './sorted-runs.ts';
import type { Attributes, StagedTree } from './staged-tree.ts';

export interface FinishedFolder extends Attributes {
  readonly path: BytePath;
}

/** Permission bits of the owner without which nothing in a folder can be reached any more: search, and on a long way also read. */
const reachable = 0o500;

/** Some hundred thousand of them. */
const mostInMemory = 16 * 2 ** 20;
/** What V8 takes for one beside its bytes, about. */
const textCost = 80;

/**
 * Gives folders their attributes, in any order, once all that lies in them is there. One through which its owner cannot go waits for those inside it until the
 * end, on the disk where there are more of them than `limit` bytes hold.
 */
export function finishFolders(tree: Pick<StagedTree, 'finishFolder'>, folders: Iterable<FinishedFolder>, limit = mostInMemory): void {
  const disk = new RunsFile();
  const runs = new SortedRuns(disk);
  let closed: string[] = [];
  let size = 0;
  const spill = (): void => {
    runs.add(closed.sort());
    closed = [];
    size = 0;
  };
  try {
    for (const folder of folders) {
      if ((folder.mode & reachable) === reachable) {
        tree.finishFolder(folder.path, folder);
        continue;
      }
      closed.push(textOf(folder));
      size += textCost + folder.path.length;
      if (size > limit) spill();
    }
    if (!runs.isEmpty) spill();
    for (const text of runs.isEmpty ? closed.sort() : runs.inOrder()) {
      const folder = folderOf(text);
      tree.finishFolder(folder.path, folder);
    }
  } finally {
    disk.close();
  }
}

/** More than a path can have. */
const longestPath = 2 ** 31;

/** Sorts the longest path first: what lies inside another has a longer one. */
function textOf({ path, mode, uid, gid, mtimeNs }: FinishedFolder): string {
  const order = String(longestPath - path.length).padStart(10, '0');
  return [order, path, mode, uid, gid, mtimeNs].map(String).join('\0');
}

function folderOf(text: string): FinishedFolder {
  const [, path = '', mode, uid, gid, mtimeNs = ''] = text.split('\0');
  return { path: asBytePath(path), mode: Number(mode), uid: Number(uid), gid: Number(gid), mtimeNs: BigInt(mtimeNs) };
}
