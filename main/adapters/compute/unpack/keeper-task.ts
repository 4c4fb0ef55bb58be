import { createHash, hash } from 'node:crypto';
import { closeSync, fstatSync } from 'node:fs';
import { FormerFiles } from '../../files/former-files.ts';
import { StagedTree } from '../../files/staged-tree.ts';
import { Monitor } from '../monitor.ts';
import { threadTask } from '../thread-task.ts';
import { writeContent } from './file-content.ts';
import { FormerCopies } from './former-copies.ts';
import { keepPieces } from './keep-pieces.ts';
import { keeperCounters, keeperWords, type KeeperTask } from './messages.ts';
import { Plan, type PlanFile } from './plan.ts';

/** Neighbours in the tree, so that the folders on the way to one lead to the next. */
const filesAtOnce = 32;
/** Held whole, and so written only once its hash is known. */
const smallSize = 4 * 2 ** 20;
/** Below this a copy costs less than asking the file system for a clone. */
const smallestClone = 64 * 1024;

/** Copies into the staged tree what the target holds already as the snapshot has it. What is hashed is the copy: the file itself may change meanwhile. */
export const task = threadTask('compare with target', (task: KeeperTask) => {
  const monitor = new Monitor(new Int32Array(task.control));
  const shared = new Int32Array(task.shared);
  const counters = new BigInt64Array(task.counters);
  const plan = new Plan(task.plan);
  const tree = new StagedTree(task.staging, task.owner);
  const copies = new FormerCopies(tree, () => monitor.stopped);
  const former = new FormerFiles(task.former);
  const room = Buffer.allocUnsafeSlow(smallSize);

  const count = (what: keyof typeof keeperCounters, more: number): void => {
    Atomics.add(counters, keeperCounters[what], BigInt(more));
  };

  function keep(number: number): void {
    const file = plan.file(number);
    const pieces = plan.pieces(number);
    const handle = former.open(file.path, pieces === null ? file.size : null);
    if (handle === null) return;
    try {
      let whole = false;
      // One that looks the same most likely is, and then its pieces need not be hashed besides.
      if (pieces === null || looksSame(handle, file)) {
        whole = file.size <= smallSize ? keepSmall(handle, file) : keepLarge(handle, file);
        if (whole) count('bytes', file.size);
      }
      if (pieces !== null && !whole) {
        whole = keepPieces({ handle, file, number, pieces }, plan, copies, (bytes) => count('bytes', bytes));
      }
      if (!whole) return;
    } finally {
      closeSync(handle);
    }
    plan.setKept(number);
    count('files', 1);
  }

  function keepSmall(handle: number, file: PlanFile): boolean {
    let filled = 0;
    for (const piece of copies.read(handle, file.size)) filled += piece.copy(room, filled);
    const content = room.subarray(0, filled);
    if (!hash('sha256', content, 'buffer').equals(file.sha256)) return false;
    if (file.size >= smallestClone && copies.cloneWhole(handle, file)) return true;
    copies.create(file, (copy) => writeContent(copy, file, content, 0));
    return true;
  }

  function keepLarge(handle: number, file: PlanFile): boolean {
    // One that looks changed is hashed before a copy is made of it, which would be thrown away.
    if (!looksSame(handle, file) && !copies.hash(handle, file.size).equals(file.sha256)) return false;
    if (copies.cloneWhole(handle, file)) return true;
    const sum = createHash('sha256');
    let position = 0;
    copies.create(file, (copy) => {
      for (const piece of copies.read(handle, file.size)) {
        sum.update(piece);
        writeContent(copy, file, piece, position);
        position += piece.length;
      }
    });
    if (sum.digest().equals(file.sha256)) return true;
    copies.remove(file);
    return false;
  }

  function looksSame(handle: number, file: PlanFile): boolean {
    const { size, mtimeNs } = fstatSync(handle, { bigint: true });
    return size === BigInt(file.size) && mtimeNs === file.mtimeNs;
  }

  /**
   * Frames that hold something of a file that is still wanted, and all that no file lies in, are read. Of a file in pieces, what is read for the sake of a
   * piece beside it does not count as kept, so that what was kept and what is written add up.
   */
  function spareFrames(): void {
    const spared = new Uint8Array(task.spared);
    const parts = new Set<number>();
    for (let frame = 0; frame < plan.frames; frame += 1) {
      let files = 0;
      let wanted = false;
      for (const extent of plan.extents(frame)) {
        files += 1;
        if (plan.needs(extent)) {
          wanted = true;
          const besides = plan.keptBytes(extent);
          if (besides > 0) count('bytes', -besides);
        } else if (plan.isPartKept(extent.file)) {
          plan.extentDone(extent.file);
          parts.add(extent.file);
        }
      }
      if (files > 0 && !wanted) spared[frame] = 1;
    }
    count('parts', parts.size);
  }

  const blocks = Math.ceil(plan.files / filesAtOnce);
  try {
    for (let block = Atomics.add(shared, keeperWords.nextBlock, 1); block < blocks; block = Atomics.add(shared, keeperWords.nextBlock, 1)) {
      for (let file = block * filesAtOnce; file < Math.min(plan.files, (block + 1) * filesAtOnce); file += 1) {
        if (monitor.stopped) return;
        keep(file);
      }
    }
  } finally {
    former.close();
    tree.close();
  }
  // The last one to end sees what all have kept.
  if (Atomics.sub(shared, keeperWords.running, 1) === 1) spareFrames();
});
