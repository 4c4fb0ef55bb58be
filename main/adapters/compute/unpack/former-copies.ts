import { createHash } from 'node:crypto';
import { chmodSync, closeSync, constants, copyFileSync, fchmodSync, fchownSync, fstatSync, ftruncateSync, readSync } from 'node:fs';
import type { StagedTree } from '../../files/staged-tree.ts';
import { piecesOf } from './file-content.ts';
import type { PlanFile } from './plan.ts';

const change = { chown: fchownSync, chmod: fchmodSync };

/** Reads the target's present files and makes the staged ones that come of them. */
export class FormerCopies {
  readonly #tree: StagedTree;
  readonly #stopped: () => boolean;
  #clones = process.platform === 'linux';

  constructor(tree: StagedTree, stopped: () => boolean) {
    this.#tree = tree;
    this.#stopped = stopped;
  }

  /** A whole one, which `write` fills. */
  create(file: PlanFile, write: (copy: number) => void): void {
    const copy = this.begin(file);
    try {
      write(copy);
      this.finish(copy, file);
    } finally {
      closeSync(copy);
    }
  }

  /** An empty one, which the caller fills and closes. */
  begin(file: PlanFile): number {
    return this.#tree.createFile(file.path);
  }

  /** Cuts what a longer file has more, and adds the hole that a file may end in. */
  setLength(copy: number, file: PlanFile): void {
    if (fstatSync(copy).size !== file.size) ftruncateSync(copy, file.size);
  }

  finish(copy: number, file: PlanFile): void {
    this.setLength(copy, file);
    this.#tree.finishFile(copy, file.path, file, change);
  }

  remove(file: PlanFile): void {
    this.#tree.removeFile(file.path);
  }

  /** The whole file in the file system's own way; false where it has none, or what was cloned is not what the snapshot has. */
  cloneWhole(former: number, file: PlanFile): boolean {
    const copy = this.clone(former, file);
    if (copy === null) return false;
    try {
      if (fstatSync(copy).size === file.size && this.hash(copy, file.size).equals(file.sha256)) {
        this.finish(copy, file);
        return true;
      }
    } finally {
      closeSync(copy);
    }
    this.remove(file);
    return false;
  }

  /**
   * The file system's own way: both share the blocks until one is written to. A handle that the caller closes, or null. One that had holes is
   * written block by block, so that it has them again.
   */
  clone(former: number, file: PlanFile): number | null {
    if (!this.#clones || file.sparse) return null;
    this.#tree.leadTo(file.path);
    try {
      const flags = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE;
      const location = this.#tree.location(file.path);
      copyFileSync(`/proc/self/fd/${former}`, location, flags);
      // It has the mode of the former file, which may forbid us to write into it, or even to read it.
      chmodSync(location, 0o600);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error) || error.code === 'EEXIST') throw error;
      this.#clones = false;
      this.remove(file);
      return null;
    }
    return this.#tree.openShared(file.path);
  }

  /** What cannot be read is fetched: as many bytes as come. */
  *read(former: number, size: number): Generator<Buffer> {
    const pieces = piecesOf(former, size);
    for (;;) {
      const piece = this.#tryRead(() => pieces.next());
      if (piece === null || piece.done === true) return;
      yield piece.value;
    }
  }

  /** SHA-256 of so many bytes, or of what comes of them. */
  hash(handle: number, size: number): Buffer {
    const sum = createHash('sha256');
    for (const piece of this.read(handle, size)) sum.update(piece);
    return sum.digest();
  }

  /** Fills `room` from `position` on; false where so many bytes cannot be had. */
  fill(room: Buffer, former: number, position: number): boolean {
    for (let filled = 0; filled < room.length;) {
      const taken = this.#tryRead(() => readSync(former, room, filled, room.length - filled, position + filled)) ?? 0;
      if (taken === 0) return false;
      filled += taken;
    }
    return true;
  }

  #tryRead<Result>(read: () => Result): Result | null {
    if (this.#stopped()) return null;
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      return null;
    }
  }
}
