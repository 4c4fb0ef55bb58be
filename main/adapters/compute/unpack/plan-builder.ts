import { pieceHashSize } from '../../../engine/snapshots/file-pieces.ts';
import { Column } from './column.ts';
import { extentRecordSize, fileRecordSize, readRecords, RecordWriter, type PlanHandles } from './plan-records.ts';
import { extentsLeftUnit, noPieces, wordsPerFrame, type PlanExtent, type PlanFile, type PlanFrame, type PlanMemory } from './plan.ts';

const nsPerSecond = 1_000_000_000n;

/** What is told of a file. */
export interface NewFile extends Omit<PlanFile, 'sha256'> {
  readonly sha256: string;
  readonly extents: number;
  /** The hashes of its pieces, where the target may hold some; null: it is only ever had whole. */
  readonly pieces: Buffer | null;
}

/** What a stretch of a frame is of, and where it is stored. */
export interface Stretch {
  readonly frame: PlanFrame;
  readonly extent: PlanExtent;
}

/** Writes a plan down as the manifest is read, with its extents in the order in which they are stored. */
export class PlanBuilder {
  readonly #handles: PlanHandles;
  readonly #files: RecordWriter;
  readonly #paths: RecordWriter;
  readonly #extents: RecordWriter;
  readonly #pieces: RecordWriter;
  readonly #flags = new Column('word');
  readonly #extraFrames: PlanFrame[] = [];
  #fileCount = 0;
  #extentCount = 0;
  #sorted = true;
  #last: PlanFrame = { archive: -1, offset: -1, stored: 0 };

  constructor(handles: PlanHandles) {
    this.#handles = handles;
    this.#files = new RecordWriter(handles.files);
    this.#paths = new RecordWriter(handles.paths);
    this.#extents = new RecordWriter(handles.extents);
    this.#pieces = new RecordWriter(handles.pieces);
  }

  addFile(file: NewFile): number {
    const start = this.#paths.size;
    const length = this.#paths.room(file.path.length).write(file.path, 'latin1');
    const record = this.#files.room(fileRecordSize);
    const nanoseconds = file.mtimeNs % nsPerSecond;
    let at = record.writeUInt32LE(file.mode >>> 0, 0);
    at = record.writeUInt32LE(file.uid >>> 0, at);
    at = record.writeUInt32LE(file.gid >>> 0, at);
    at = record.writeUInt32LE(file.sparse ? 1 : 0, at);
    at = record.writeDoubleLE(file.size, at);
    at = record.writeDoubleLE(Number((file.mtimeNs - nanoseconds) / nsPerSecond), at);
    at = record.writeDoubleLE(Number(nanoseconds), at);
    at = record.writeDoubleLE(start, at);
    at = record.writeUInt32LE(length, at);
    record.fill(0, at);
    record.write(file.sha256, at, 'hex');
    record.writeDoubleLE(file.pieces === null ? noPieces : this.#pieces.size / pieceHashSize, at + 32);
    if (file.pieces !== null) this.#pieces.append(file.pieces);
    this.#flags.push(file.extents * extentsLeftUnit);
    this.#fileCount += 1;
    return this.#fileCount - 1;
  }

  addExtent(frame: PlanFrame, extent: PlanExtent): void {
    if (compareFrames(this.#last, frame) > 0) this.#sorted = false;
    this.#last = frame;
    writeStretch(this.#extents.room(extentRecordSize), { frame, extent });
    this.#extentCount += 1;
  }

  /** A frame that must be read although no file lies in it. */
  addFrame(frame: PlanFrame): void {
    this.#extraFrames.push(frame);
  }

  /** `ordered`: what is built of the files that are read in the order of their content, whose extents were not added here. */
  build(ordered: Pick<PlanMemory, 'frames' | 'frameWords' | 'framePlaces'> | null = null): {
    plan: PlanMemory;
    ordered: PlanMemory | null;
  } {
    for (const writer of [this.#files, this.#paths, this.#extents, this.#pieces]) writer.flush();
    // A whole snapshot's extents come in order already, and then nothing is sorted.
    if (!this.#sorted) this.#sortExtents();
    const { frameWords, framePlaces, frames } = mergedFrames(
      this.#framesOfExtents(),
      eachOnce(this.#extraFrames.toSorted(compareFrames)),
      this.#extentCount,
    );
    const plan: PlanMemory = {
      files: this.#fileCount,
      frames,
      handles: this.#handles,
      flags: this.#flags.shared,
      frameWords: frameWords.shared,
      framePlaces: framePlaces.shared,
      keptPieces: new SharedArrayBuffer(this.#pieces.size / pieceHashSize),
    };
    if (ordered === null || ordered.frames === 0) return { plan, ordered: null };
    return { plan, ordered: { ...plan, ...ordered, handles: { ...this.#handles, extents: this.#handles.ordered } } };
  }

  /** In memory: only for snapshots that share data with others, and for lists that were made up. */
  #sortExtents(): void {
    const records = readRecords(this.#handles.extents, 0, this.#extentCount * extentRecordSize);
    // Taken out of the records once: a million of them are compared twenty million times.
    const archives = new Uint32Array(this.#extentCount);
    const offsets = new Float64Array(this.#extentCount);
    for (let index = 0; index < this.#extentCount; index += 1) {
      archives[index] = records.readUInt32LE(index * extentRecordSize + archiveAt);
      offsets[index] = records.readDoubleLE(index * extentRecordSize + offsetAt);
    }
    const difference = (of: Uint32Array | Float64Array, a: number, b: number): number => (of[a] ?? 0) - (of[b] ?? 0);
    const order = Uint32Array.from({ length: this.#extentCount }, (_, index) => index).sort(
      (a, b) => difference(archives, a, b) || difference(offsets, a, b) || a - b,
    );
    const writer = new RecordWriter(this.#handles.extents);
    for (const index of order) {
      records.copy(writer.room(extentRecordSize), 0, index * extentRecordSize, (index + 1) * extentRecordSize);
    }
    writer.flush();
  }

  /** Each frame that extents lie in, with the number of its first one. Nothing is made for each of a million extents but for each frame. */
  *#framesOfExtents(): Generator<PlanFrame & { readonly first: number }> {
    const atOnce = 4096;
    let last: PlanFrame = { archive: -1, offset: -1, stored: 0 };
    for (let first = 0; first < this.#extentCount; first += atOnce) {
      const count = Math.min(atOnce, this.#extentCount - first);
      const records = readRecords(this.#handles.extents, first * extentRecordSize, count * extentRecordSize);
      for (let index = 0; index < count; index += 1) {
        const at = index * extentRecordSize;
        if (records.readUInt32LE(at + archiveAt) === last.archive && records.readDoubleLE(at + offsetAt) === last.offset) continue;
        last = readFrame(records, at);
        yield { ...last, first: first + index };
      }
    }
  }
}

/** The seek table names frames that a file which is read apart has named before: a frame cut twice would take the bytes of the one behind it. */
function eachOnce(sorted: readonly PlanFrame[]): readonly PlanFrame[] {
  return sorted.filter((frame, index) => {
    const before = sorted[index - 1];
    return before === undefined || compareFrames(before, frame) !== 0;
  });
}

function mergedFrames(
  used: Iterable<PlanFrame & { readonly first: number }>,
  extra: readonly PlanFrame[],
  extents: number,
): { readonly frameWords: Column; readonly framePlaces: Column; readonly frames: number } {
  const frameWords = new Column('word');
  const framePlaces = new Column('double');
  let frames = 0;
  let next = 0;
  function add({ archive, offset, stored }: PlanFrame, first: number): void {
    for (const word of [archive, first]) frameWords.push(word);
    for (const place of [offset, stored]) framePlaces.push(place);
    frames += 1;
  }
  for (const frame of used) {
    for (let other = extra[next]; other !== undefined && compareFrames(other, frame) <= 0; other = extra[next]) {
      if (compareFrames(other, frame) < 0) add(other, frame.first);
      next += 1;
    }
    add(frame, frame.first);
  }
  for (const other of extra.slice(next)) add(other, extents);
  for (let word = 0; word < wordsPerFrame; word += 1) frameWords.push(word === 1 ? extents : 0);
  return { frameWords, framePlaces, frames };
}

export function compareFrames(a: PlanFrame, b: PlanFrame): number {
  return a.archive - b.archive || a.offset - b.offset;
}

export function writeStretch(record: Buffer, { frame, extent }: Stretch): void {
  let at = record.writeUInt32LE(extent.file, 0);
  at = record.writeUInt32LE(extent.inFrame, at);
  at = record.writeUInt32LE(extent.length, at);
  at = record.writeUInt32LE(frame.archive, at);
  at = record.writeDoubleLE(extent.inFile, at);
  at = record.writeDoubleLE(frame.offset, at);
  record.writeDoubleLE(frame.stored, at);
}

/** Where they stand in the record of an extent. */
const [archiveAt, offsetAt, storedAt] = [12, 24, 32] as const;

function readFrame(records: Buffer, at: number): PlanFrame {
  return {
    archive: records.readUInt32LE(at + archiveAt),
    offset: records.readDoubleLE(at + offsetAt),
    stored: records.readDoubleLE(at + storedAt),
  };
}
