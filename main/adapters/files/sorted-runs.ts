import { closeSync, readSync } from 'node:fs';
import { Fault } from '../../contract/faults.ts';
import { spoolFault } from './spool-room.ts';
import { openUnnamed, writeSpool } from './spool.ts';

interface Run {
  readonly from: number;
  readonly to: number;
}

/** More are merged into one first: each that is read has a buffer of its own. */
const mostRuns = 32;
const readPiece = 16 * 1024;
const writePiece = 128 * 1024;
/** Before each text, little endian, so that any code unit may be in one. */
const lengthSize = 4;

/** A temporary file that sorted runs share as a stack: those that are made last are released first. Takes nothing of the disk before the first of them. */
export class RunsFile {
  #handle: number | null = null;
  #room: Buffer | null = null;
  end = 0;

  /** At least `size` bytes to gather what is appended, the same ones again where they are enough: a walk may write a run for each small folder. */
  room(size: number): Buffer {
    if (this.#room === null || this.#room.length < size) this.#room = Buffer.allocUnsafe(Math.max(size, writePiece));
    return this.#room;
  }

  /** Faults as spoolFault. */
  append(bytes: Uint8Array): void {
    this.#handle ??= openUnnamed();
    writeSpool(this.#handle, bytes, this.end);
    this.end += bytes.length;
  }

  /** At least one byte from `position` on. Faults as spoolFault, and unexpected where the file ends. */
  read(into: Uint8Array, position: number): number {
    const taken = this.#handle === null ? 0 : tryRead(this.#handle, into, position);
    if (taken === 0) throw new Fault('unexpected', 'a temporary file ended early', { operation: 'read names' });
    return taken;
  }

  close(): void {
    if (this.#handle !== null) closeSync(this.#handle);
    this.#handle = null;
  }
}

function tryRead(handle: number, into: Uint8Array, position: number): number {
  try {
    return readSync(handle, into, 0, into.length, position);
  } catch (error) {
    throw spoolFault(error);
  }
}

/** Texts of code units up to 255, of which there are more than memory shall hold: each run sorted by whoever gives it, all of them merged when they are read. */
export class SortedRuns {
  readonly #file: RunsFile;
  readonly #from: number;
  #runs: Run[] = [];

  constructor(file: RunsFile) {
    this.#file = file;
    this.#from = file.end;
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /** Faults as spoolFault. */
  add(sorted: Iterable<string>): void {
    if (this.#runs.length === mostRuns) this.#runs = [this.#write(this.inOrder())];
    this.#runs.push(this.#write(sorted));
  }

  /** By code units, which for bytes is the order of bytes. */
  *inOrder(): Generator<string> {
    const rest = this.#runs.map((run) => this.#read(run));
    const heads = rest.map((texts) => texts.next());
    for (;;) {
      let first = -1;
      let least = '';
      for (const [index, head] of heads.entries()) {
        if (head.done === true || (first >= 0 && head.value >= least)) continue;
        first = index;
        least = head.value;
      }
      const texts = rest[first];
      if (texts === undefined) return;
      yield least;
      heads[first] = texts.next();
    }
  }

  /** Gives back their place, and that of all that came later. */
  release(): void {
    this.#runs = [];
    this.#file.end = this.#from;
  }

  #write(sorted: Iterable<string>): Run {
    const from = this.#file.end;
    let piece = this.#file.room(0);
    let filled = 0;
    for (const text of sorted) {
      const size = lengthSize + text.length;
      if (filled + size > piece.length) {
        this.#file.append(piece.subarray(0, filled));
        filled = 0;
        piece = this.#file.room(size);
      }
      filled = piece.writeUInt32LE(text.length, filled);
      filled += piece.write(text, filled, 'latin1');
    }
    this.#file.append(piece.subarray(0, filled));
    return { from, to: this.#file.end };
  }

  *#read({ from, to }: Run): Generator<string, undefined> {
    let held = Buffer.alloc(0);
    for (let position = from; position < to || held.length > 0;) {
      const length = held.length < lengthSize ? 0 : held.readUInt32LE(0);
      const end = lengthSize + length;
      if (held.length >= end) {
        yield held.toString('latin1', lengthSize, end);
        held = held.subarray(end);
        continue;
      }
      const more = Buffer.allocUnsafe(Math.min(Math.max(readPiece, end), to - position));
      const taken = this.#file.read(more, position);
      position += taken;
      held = Buffer.concat([held, more.subarray(0, taken)]);
    }
  }
}
