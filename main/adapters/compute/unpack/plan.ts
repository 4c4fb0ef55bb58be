import { asBytePath } from '../../../engine/archive/byte-path.ts';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { pieceHashSize, pieceSizeFor } from '../../../engine/snapshots/file-pieces.ts';
import { extentRecordSize, fileRecordSize, readRecords, type PlanHandles } from './plan-records.ts';

/**
 * What is to be done: files, the frames that hold them, and which stretch of a frame is which stretch of a file. What there is of each file
 * lies in nameless files; shared memory holds a word for it, and the frames, of which there are few. A million files cost 4 MB.
 */
export interface PlanMemory {
  readonly files: number;
  readonly frames: number;
  readonly handles: PlanHandles;
  /** Per file: fileFlags, and above them how many extents are not yet done. */
  readonly flags: SharedArrayBuffer;
  /** Per frame: archive, first extent. One more at the end. */
  readonly frameWords: SharedArrayBuffer;
  /** Per frame: offset and length in the zstd stream. */
  readonly framePlaces: SharedArrayBuffer;
  /** Per piece of a large file a byte: 1 where the staged file has it already. */
  readonly keptPieces: SharedArrayBuffer;
}

const fileFlags = { damaged: 1, creating: 2, created: 4, kept: 8, partKept: 16 } as const;
/** One extent, in a file's word. */
export const extentsLeftUnit = 32;
/** In place of the number of a file's first piece. */
export const noPieces = -1;
export const wordsPerFrame = 2;
const nsPerSecond = 1_000_000_000n;
/** Files that are read at once: they lie in the order in which they are stored, and are mostly asked for in it. */
const filesAtOnce = 256;

export interface PlanFile {
  readonly path: BytePath;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Nanoseconds alone would not fit 64 bits after the year 2262; ext4 goes on to 2446. */
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

export interface PlanPieces {
  /** The number of the first one, of all pieces of the plan. */
  readonly first: number;
  readonly pieceSize: number;
  readonly hashes: Buffer;
}

/** Reads a plan; the only things that threads change in it are the files' words and which pieces are kept. */
export class Plan {
  readonly files: number;
  readonly frames: number;
  readonly #handles: PlanHandles;
  readonly #flags: Int32Array;
  readonly #frameWords: Uint32Array;
  readonly #framePlaces: Float64Array;
  readonly #keptPieces: Uint8Array;
  #window: { readonly first: number; readonly records: Buffer; readonly paths: Buffer; readonly pathsFrom: number } = {
    first: 0,
    records: Buffer.alloc(0),
    paths: Buffer.alloc(0),
    pathsFrom: 0,
  };

  constructor(memory: PlanMemory) {
    this.files = memory.files;
    this.frames = memory.frames;
    this.#handles = memory.handles;
    this.#flags = new Int32Array(memory.flags);
    this.#frameWords = new Uint32Array(memory.frameWords);
    this.#framePlaces = new Float64Array(memory.framePlaces);
    this.#keptPieces = new Uint8Array(memory.keptPieces);
  }

  path(file: number): BytePath {
    const at = this.#find(file);
    const { records, paths, pathsFrom } = this.#window;
    const start = records.readDoubleLE(at + 40) - pathsFrom;
    return asBytePath(paths.toString('latin1', start, start + records.readUInt32LE(at + 48)));
  }

  size(file: number): number {
    const at = this.#find(file);
    return this.#window.records.readDoubleLE(at + 16);
  }

  file(file: number): PlanFile {
    const path = this.path(file);
    const at = this.#find(file);
    const { records } = this.#window;
    return {
      path,
      mode: records.readUInt32LE(at),
      uid: records.readUInt32LE(at + 4),
      gid: records.readUInt32LE(at + 8),
      sparse: records.readUInt32LE(at + 12) === 1,
      size: records.readDoubleLE(at + 16),
      mtimeNs: BigInt(records.readDoubleLE(at + 24)) * nsPerSecond + BigInt(records.readDoubleLE(at + 32)),
      sha256: records.subarray(at + 52, at + 84),
    };
  }

  /** Null where the file is too small to have any, or the snapshot does not tell. */
  pieces(file: number): PlanPieces | null {
    const at = this.#find(file);
    const size = this.#window.records.readDoubleLE(at + 16);
    const first = this.#window.records.readDoubleLE(at + 84);
    const pieceSize = pieceSizeFor(size);
    if (first === noPieces || pieceSize === null) return null;
    const hashes = readRecords(this.#handles.pieces, first * pieceHashSize, Math.ceil(size / pieceSize) * pieceHashSize);
    return { first, pieceSize, hashes };
  }

  /** Where the file's record begins in the window, which is moved to it. */
  #find(file: number): number {
    const { first, records } = this.#window;
    const at = (file - first) * fileRecordSize;
    if (at >= 0 && at < records.length) return at;
    const start = Math.floor(file / filesAtOnce) * filesAtOnce;
    const count = Math.min(filesAtOnce, this.files - start);
    const found = readRecords(this.#handles.files, start * fileRecordSize, count * fileRecordSize);
    const last = (count - 1) * fileRecordSize;
    const pathsFrom = found.readDoubleLE(40);
    const pathsEnd = found.readDoubleLE(last + 40) + found.readUInt32LE(last + 48);
    this.#window = { first: start, records: found, paths: readRecords(this.#handles.paths, pathsFrom, pathsEnd - pathsFrom), pathsFrom };
    return (file - start) * fileRecordSize;
  }

  /** Marks a file that cannot be had whole; true for the one who marked it first. */
  markDamaged(file: number): boolean {
    return (Atomics.or(this.#flags, file, fileFlags.damaged) & fileFlags.damaged) === 0;
  }

  /** True for the one thread that is to create the file. */
  claimCreation(file: number): boolean {
    return (Atomics.or(this.#flags, file, fileFlags.creating) & fileFlags.creating) === 0;
  }

  setCreated(file: number): void {
    Atomics.or(this.#flags, file, fileFlags.created);
  }

  isCreated(file: number): boolean {
    return (Atomics.load(this.#flags, file) & fileFlags.created) !== 0;
  }

  isDamaged(file: number): boolean {
    return (Atomics.load(this.#flags, file) & fileFlags.damaged) !== 0;
  }

  /** The file is there already, whole and checked: nothing of it has to be read. */
  setKept(file: number): void {
    Atomics.or(this.#flags, file, fileFlags.kept);
  }

  isKept(file: number): boolean {
    return (Atomics.load(this.#flags, file) & fileFlags.kept) !== 0;
  }

  /** `piece`: its number in the plan. It counts once setPartKept() has been called. */
  setPieceKept(piece: number): void {
    Atomics.store(this.#keptPieces, piece, 1);
  }

  /** The file has been created, and has those of its pieces that are kept. */
  setPartKept(file: number): void {
    Atomics.or(this.#flags, file, fileFlags.creating | fileFlags.created | fileFlags.partKept);
  }

  isPartKept(file: number): boolean {
    return (Atomics.load(this.#flags, file) & fileFlags.partKept) !== 0;
  }

  /** All of a file that was kept in part is to be read after all, in so many extents. It stays created. */
  forgetPieces(file: number, extents: number): void {
    Atomics.store(this.#flags, file, (extents * extentsLeftUnit) | fileFlags.creating | fileFlags.created);
  }

  /** Bytes of an extent that lie in kept pieces. */
  keptBytes({ file, inFile, length }: PlanExtent): number {
    if (!this.isPartKept(file)) return 0;
    const at = this.#find(file);
    const pieceSize = pieceSizeFor(this.#window.records.readDoubleLE(at + 16)) ?? 0;
    const first = this.#window.records.readDoubleLE(at + 84);
    const end = inFile + length;
    let kept = 0;
    for (let piece = Math.floor(inFile / pieceSize); piece * pieceSize < end; piece += 1) {
      if (Atomics.load(this.#keptPieces, first + piece) === 0) continue;
      kept += Math.min(end, (piece + 1) * pieceSize) - Math.max(inFile, piece * pieceSize);
    }
    return kept;
  }

  /** Whether the extent has to be read: not where the file is there already, or all of the extent is. */
  needs(extent: PlanExtent): boolean {
    if (this.isKept(extent.file)) return false;
    return !this.isPartKept(extent.file) || this.keptBytes(extent) < extent.length;
  }

  /** One extent of a file is done; true when it was the last. */
  extentDone(file: number): boolean {
    return Math.floor(Atomics.sub(this.#flags, file, extentsLeftUnit) / extentsLeftUnit) === 1;
  }

  frame(frame: number): PlanFrame {
    return {
      archive: this.#frameWords[frame * wordsPerFrame] ?? 0,
      offset: this.#framePlaces[frame * 2] ?? 0,
      stored: this.#framePlaces[frame * 2 + 1] ?? 0,
    };
  }

  *extents(frame: number): Generator<PlanExtent> {
    const first = this.#frameWords[frame * wordsPerFrame + 1] ?? 0;
    const end = this.#frameWords[(frame + 1) * wordsPerFrame + 1] ?? 0;
    const records = readRecords(this.#handles.extents, first * extentRecordSize, (end - first) * extentRecordSize);
    for (let at = 0; at < records.length; at += extentRecordSize) yield readExtent(records, at);
  }
}

export function readExtent(records: Buffer, at: number): PlanExtent {
  return {
    file: records.readUInt32LE(at),
    inFrame: records.readUInt32LE(at + 4),
    length: records.readUInt32LE(at + 8),
    inFile: records.readDoubleLE(at + 16),
  };
}
