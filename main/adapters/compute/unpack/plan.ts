import { asBytePath } from '../../../engine/archive/byte-path.ts';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { Column } from './column.ts';

/**
 * What is to be done, in shared memory: files, the frames that hold them, and which stretch of a frame is which stretch of a file.
 * A million files cost about 150 MB of it and no objects.
 */
export interface PlanMemory {
  readonly files: number;
  readonly frames: number;
  readonly paths: SharedArrayBuffer;
  readonly pathStart: SharedArrayBuffer;
  readonly hashes: SharedArrayBuffer;
  /** Per file: mode, uid, gid, flags, extents not yet done. */
  readonly fileWords: SharedArrayBuffer;
  readonly sizes: SharedArrayBuffer;
  /** Per file: seconds and nanoseconds. Nanoseconds alone would not fit 64 bits after the year 2262; ext4 goes on to 2446. */
  readonly mtimes: SharedArrayBuffer;
  /** Per frame: archive, first extent. One more at the end. */
  readonly frameWords: SharedArrayBuffer;
  /** Per frame: offset and length in the zstd stream. */
  readonly framePlaces: SharedArrayBuffer;
  /** Per extent: file, offset in the frame's content, length. */
  readonly extentWords: SharedArrayBuffer;
  /** Per extent: offset in the file. */
  readonly extentPlaces: SharedArrayBuffer;
}

export const fileFlags = { sparse: 1, damaged: 2, creating: 4, created: 8 } as const;
const wordsPerFile = 5;
const wordsPerFrame = 2;
const wordsPerExtent = 3;
const hashSize = 32;
const nsPerSecond = 1_000_000_000n;

export interface PlanFile {
  readonly path: BytePath;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly sparse: boolean;
  readonly sha256: Buffer;
}

export interface PlanFrame {
  readonly archive: number;
  readonly offset: number;
  readonly stored: number;
}

export interface PlanExtent {
  readonly file: number;
  readonly inFrame: number;
  readonly length: number;
  readonly inFile: number;
}

/** Reads a plan; the only thing that threads change in it is how many extents of a file are left. */
export class Plan {
  readonly files: number;
  readonly frames: number;
  readonly #paths: Buffer;
  readonly #pathStart: Float64Array;
  readonly #hashes: Buffer;
  readonly #fileWords: Int32Array;
  readonly #sizes: Float64Array;
  readonly #mtimes: Float64Array;
  readonly #frameWords: Uint32Array;
  readonly #framePlaces: Float64Array;
  readonly #extentWords: Uint32Array;
  readonly #extentPlaces: Float64Array;

  constructor(memory: PlanMemory) {
    this.files = memory.files;
    this.frames = memory.frames;
    this.#paths = Buffer.from(memory.paths);
    this.#pathStart = new Float64Array(memory.pathStart);
    this.#hashes = Buffer.from(memory.hashes);
    this.#fileWords = new Int32Array(memory.fileWords);
    this.#sizes = new Float64Array(memory.sizes);
    this.#mtimes = new Float64Array(memory.mtimes);
    this.#frameWords = new Uint32Array(memory.frameWords);
    this.#framePlaces = new Float64Array(memory.framePlaces);
    this.#extentWords = new Uint32Array(memory.extentWords);
    this.#extentPlaces = new Float64Array(memory.extentPlaces);
  }

  path(file: number): BytePath {
    return asBytePath(this.#paths.toString('latin1', this.#pathStart[file] ?? 0, this.#pathStart[file + 1] ?? 0));
  }

  size(file: number): number {
    return this.#sizes[file] ?? 0;
  }

  file(file: number): PlanFile {
    const at = file * wordsPerFile;
    return {
      path: this.path(file),
      mode: this.#fileWords[at] ?? 0,
      uid: (this.#fileWords[at + 1] ?? 0) >>> 0,
      gid: (this.#fileWords[at + 2] ?? 0) >>> 0,
      size: this.size(file),
      mtimeNs: BigInt(this.#mtimes[file * 2] ?? 0) * nsPerSecond + BigInt(this.#mtimes[file * 2 + 1] ?? 0),
      sparse: ((this.#fileWords[at + 3] ?? 0) & fileFlags.sparse) !== 0,
      sha256: this.#hashes.subarray(file * hashSize, (file + 1) * hashSize),
    };
  }

  /** Marks a file that cannot be had whole; true for the one who marked it first. */
  markDamaged(file: number): boolean {
    return (Atomics.or(this.#fileWords, file * wordsPerFile + 3, fileFlags.damaged) & fileFlags.damaged) === 0;
  }

  /** True for the one thread that is to create the file. */
  claimCreation(file: number): boolean {
    return (Atomics.or(this.#fileWords, file * wordsPerFile + 3, fileFlags.creating) & fileFlags.creating) === 0;
  }

  setCreated(file: number): void {
    Atomics.or(this.#fileWords, file * wordsPerFile + 3, fileFlags.created);
  }

  isCreated(file: number): boolean {
    return (Atomics.load(this.#fileWords, file * wordsPerFile + 3) & fileFlags.created) !== 0;
  }

  isDamaged(file: number): boolean {
    return (Atomics.load(this.#fileWords, file * wordsPerFile + 3) & fileFlags.damaged) !== 0;
  }

  /** One extent of a file is done; true when it was the last. */
  extentDone(file: number): boolean {
    return Atomics.sub(this.#fileWords, file * wordsPerFile + 4, 1) === 1;
  }

  frame(frame: number): PlanFrame {
    return {
      archive: this.#frameWords[frame * wordsPerFrame] ?? 0,
      offset: this.#framePlaces[frame * 2] ?? 0,
      stored: this.#framePlaces[frame * 2 + 1] ?? 0,
    };
  }

  *extents(frame: number): Generator<PlanExtent> {
    const end = this.#frameWords[(frame + 1) * wordsPerFrame + 1] ?? 0;
    for (let extent = this.#frameWords[frame * wordsPerFrame + 1] ?? 0; extent < end; extent += 1) {
      const at = extent * wordsPerExtent;
      yield {
        file: this.#extentWords[at] ?? 0,
        inFrame: this.#extentWords[at + 1] ?? 0,
        length: this.#extentWords[at + 2] ?? 0,
        inFile: this.#extentPlaces[extent] ?? 0,
      };
    }
  }
}

/** Gathers a plan and sorts its extents by where they are stored. */
export class PlanBuilder {
  readonly #paths = new Column('bytes');
  readonly #pathStart = new Column('double');
  readonly #hashes = new Column('bytes');
  readonly #fileWords = new Column('word');
  readonly #sizes = new Column('double');
  readonly #mtimes = new Column('double');
  readonly #extents = { archive: new Column('word'), offset: new Column('double'), stored: new Column('double') };
  readonly #extentWords = new Column('word');
  readonly #extentPlaces = new Column('double');
  readonly #extraFrames: PlanFrame[] = [];
  #files = 0;

  constructor() {
    this.#pathStart.push(0);
  }

  addFile(file: Omit<PlanFile, 'sha256'> & { readonly sha256: string; readonly extents: number }): number {
    this.#paths.append(Buffer.from(file.path, 'latin1'));
    this.#pathStart.push(this.#paths.length);
    this.#hashes.append(Buffer.from(file.sha256, 'hex'));
    for (const word of [file.mode, file.uid, file.gid, file.sparse ? fileFlags.sparse : 0, file.extents]) this.#fileWords.push(word);
    this.#sizes.push(file.size);
    const nanoseconds = file.mtimeNs % nsPerSecond;
    this.#mtimes.push(Number((file.mtimeNs - nanoseconds) / nsPerSecond));
    this.#mtimes.push(Number(nanoseconds));
    this.#files += 1;
    return this.#files - 1;
  }

  addExtent(frame: PlanFrame, extent: PlanExtent): void {
    this.#extents.archive.push(frame.archive);
    this.#extents.offset.push(frame.offset);
    this.#extents.stored.push(frame.stored);
    this.#extentWords.push(extent.file);
    this.#extentWords.push(extent.inFrame);
    this.#extentWords.push(extent.length);
    this.#extentPlaces.push(extent.inFile);
  }

  /** A frame that must be read although no file lies in it. */
  addFrame(frame: PlanFrame): void {
    this.#extraFrames.push(frame);
  }

  build(): PlanMemory {
    const count = this.#extentPlaces.length;
    const extra = this.#extraFrames;
    const archive = (index: number): number => (index < count ? this.#extents.archive.at(index) : (extra[index - count]?.archive ?? 0));
    const offset = (index: number): number => (index < count ? this.#extents.offset.at(index) : (extra[index - count]?.offset ?? 0));
    const stored = (index: number): number => (index < count ? this.#extents.stored.at(index) : (extra[index - count]?.stored ?? 0));
    const compare = (a: number, b: number): number => archive(a) - archive(b) || offset(a) - offset(b) || a - b;
    // A whole snapshot's extents come in order already, and then nothing is sorted or copied.
    let sorted = extra.length === 0;
    for (let index = 1; sorted && index < count; index += 1) sorted = compare(index - 1, index) < 0;
    const order = sorted ? null : new Uint32Array(count + extra.length).map((_, index) => index).sort(compare);

    const frameWords = new Column('word');
    const framePlaces = new Column('double');
    const extentWords = sorted ? this.#extentWords : new Column('word');
    const extentPlaces = sorted ? this.#extentPlaces : new Column('double');
    let frames = 0;
    let extents = 0;
    let last = { archive: -1, offset: -1 };
    for (let turn = 0; turn < count + extra.length; turn += 1) {
      const index = order?.[turn] ?? turn;
      if (archive(index) !== last.archive || offset(index) !== last.offset) {
        last = { archive: archive(index), offset: offset(index) };
        frameWords.push(last.archive);
        frameWords.push(extents);
        framePlaces.push(last.offset);
        framePlaces.push(stored(index));
        frames += 1;
      }
      if (index >= count) continue;
      extents += 1;
      if (sorted) continue;
      for (let word = 0; word < wordsPerExtent; word += 1) extentWords.push(this.#extentWords.at(index * wordsPerExtent + word));
      extentPlaces.push(this.#extentPlaces.at(index));
    }
    frameWords.push(0);
    frameWords.push(extents);
    return {
      files: this.#files,
      frames,
      paths: this.#paths.shared,
      pathStart: this.#pathStart.shared,
      hashes: this.#hashes.shared,
      fileWords: this.#fileWords.shared,
      sizes: this.#sizes.shared,
      mtimes: this.#mtimes.shared,
      frameWords: frameWords.shared,
      framePlaces: framePlaces.shared,
      extentWords: extentWords.shared,
      extentPlaces: extentPlaces.shared,
    };
  }
}
