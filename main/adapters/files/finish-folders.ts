import type { BytePath } from '../../engine/archive/byte-path.ts';
import type { Attributes, StagedTree } from './staged-tree.ts';

export interface FinishedFolder extends Attributes {
  readonly path: BytePath;
}

/** Permission bits of the owner without which nothing in a folder can be reached any more: search, and on a long way also read. */
const reachable = 0o500;

/**
 * Gives folders their attributes, in any order, once all that lies in them is there. One through which its owner cannot go waits for those inside it, and so is
 * kept until the end; there are hardly ever any.
 */
export function finishFolders(tree: Pick<StagedTree, 'finishFolder'>, folders: Iterable<FinishedFolder>): void {
  const closed: FinishedFolder[] = [];
  for (const folder of folders) {
    if ((folder.mode & reachable) === reachable) tree.finishFolder(folder.path, folder);
    else closed.push(folder);
  }
  // What lies inside another has a longer path.
  for (const folder of closed.toSorted((a, b) => b.path.length - a.path.length)) tree.finishFolder(folder.path, folder);
}
