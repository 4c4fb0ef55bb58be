import { createHash, hash } from 'node:crypto';
import { closeSync, constants, copyFileSync, fchmodSync, fchownSync, fstatSync, ftruncateSync } from 'node:fs';
import { FormerFiles } from '../../files/former-files.ts';
import { StagedTree } from '../../files/staged-tree.ts';
import { Monitor } from '../monitor.ts';
import { threadTask } from '../thread-task.ts';
import { hashHandle, piecesOf, writeContent } from './file-content.ts';
import { keeperWords, type KeeperTask } from './messages.ts';
import { Plan, type PlanFile } from './plan.ts';

/** Neighbours in the tree, so that the folders on the way to one lead to the next. */
const filesAtOnce = 32;
/** Held whole, and so written only once its hash is known. */
const smallSize = 4 * 2 ** 20;
/** Below this a copy costs less than asking the file system for a clone. */
const smallestClone = 64 * 1024;
const change = { chown: fchownSync, chmod: fchmodSync };

/** Copies into the staged tree what the target holds already as the snapshot has it. What is hashed is the copy: the file itself may change meanwhile. */
export const task = threadTask('compare with target', (task: KeeperTask) => {
  const monitor = new Monitor(new Int32Array(task.control));
  const shared = new Int32Array(task.shared);
  const counters = new BigInt64Array(task.counters);
  const plan = new Plan(task.plan);
  const tree = new StagedTree(task.staging, task.owner);
  const former = new FormerFiles(task.former);
  const room = Buffer.allocUnsafeSlow(smallSize);
  let clones = process.platform === 'linux';

  function keep(number: number): void {
    const file = plan.file(number);
    const handle = former.open(file.path, file.size);
    if (handle === null) return;
    try {
      if (!(file.size <= smallSize ? keepSmall(handle, file) : keepLarge(handle, file))) return;
    } finally {
      closeSync(handle);
    }
    plan.setKept(number);
    Atomics.add(counters, 0, 1n);
    Atomics.add(counters, 1, BigInt(file.size));
  }

  function keepSmall(handle: number, file: PlanFile): boolean {
    let filled = 0;
    for (const piece of readable(handle, file.size)) filled += piece.copy(room, filled);
    const content = room.subarray(0, filled);
    if (!hash('sha256', content, 'buffer').equals(file.sha256)) return false;
    if (file.size >= smallestClone && clone(handle, file)) return true;
    create(file, (copy) => writeContent(copy, file, content, 0));
    return true;
  }

  function keepLarge(handle: number, file: PlanFile): boolean {
    // One that looks changed is hashed before a copy is made of it, which would be thrown away.
    if (!looksSame(handle, file) && !hashOf(handle, file.size).equals(file.sha256)) return false;
    if (clone(handle, file)) return true;
    const sum = createHash('sha256');
    let position = 0;
    create(file, (copy) => {
      for (const piece of readable(handle, file.size)) {
        sum.update(piece);
        writeContent(copy, file, piece, position);
        position += piece.length;
      }
    });
    if (sum.digest().equals(file.sha256)) return true;
    tree.removeFile(file.path);
    return false;
  }

  function create(file: PlanFile, write: (copy: number) => void): void {
    const copy = tree.createFile(file.path);
    try {
      write(copy);
      if (file.sparse) ftruncateSync(copy, file.size);
      tree.finishFile(copy, file.path, file, change);
    } finally {
      closeSync(copy);
    }
  }

  /** The file system's own way: both share the blocks until one is written to. One that had holes is written block by block, so that it has them again. */
  function clone(handle: number, file: PlanFile): boolean {
    if (!clones || file.sparse) return false;
    tree.leadTo(file.path);
    try {
      copyFileSync(`/proc/self/fd/${handle}`, tree.location(file.path), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error) || error.code === 'EEXIST') throw error;
      clones = false;
      tree.removeFile(file.path);
      return false;
    }
    const copy = tree.openShared(file.path);
    try {
      if (fstatSync(copy).size === file.size && hashHandle(copy, file.size).equals(file.sha256)) {
        tree.finishFile(copy, file.path, file, change);
        return true;
      }
    } finally {
      closeSync(copy);
    }
    tree.removeFile(file.path);
    return false;
  }

  /** What of the target cannot be read is fetched: as many bytes as come. */
  function* readable(handle: number, size: number): Generator<Buffer> {
    const pieces = piecesOf(handle, size);
    for (;;) {
      let piece: IteratorResult<Buffer>;
      try {
        if (monitor.stopped) return;
        piece = pieces.next();
      } catch (error) {
        if (!(error instanceof Error && 'code' in error)) throw error;
        return;
      }
      if (piece.done === true) return;
      yield piece.value;
    }
  }

  function hashOf(handle: number, size: number): Buffer {
    const sum = createHash('sha256');
    for (const piece of readable(handle, size)) sum.update(piece);
    return sum.digest();
  }

  function looksSame(handle: number, file: PlanFile): boolean {
    return fstatSync(handle, { bigint: true }).mtimeNs === file.mtimeNs;
  }

  /** Frames that hold something of a file that is still wanted, and all that no file lies in, are read. */
  function spareFrames(): void {
    const spared = new Uint8Array(task.spared);
    for (let frame = 0; frame < plan.frames; frame += 1) {
      let files = 0;
      let wanted = false;
      for (const { file } of plan.extents(frame)) {
        files += 1;
        wanted ||= !plan.isKept(file);
      }
      if (files > 0 && !wanted) spared[frame] = 1;
    }
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
