import { readSync } from 'node:fs';
import { Fault } from '../../../contract/faults.ts';
import { writeSpool } from '../../files/spool.ts';

/** Handles of the nameless files that a plan lies in; they belong to the process, and whoever opened them closes them. */
export interface PlanHandles {
  readonly files: number;
  readonly paths: number;
  readonly extents: number;
  /** Extents of the files that are read by themselves, in the order of their content. */
  readonly ordered: number;
  /** SHA-256 of the pieces of large files, 32 bytes each. */
  readonly pieces: number;
}

/** mode, uid, gid, sparse u32 · size, mtime's seconds and nanoseconds, start of the path f64 · length of the path u32 · SHA-256 · number of the first piece f64. */
export const fileRecordSize = 4 * 4 + 4 * 8 + 4 + 32 + 8;
/** file, offset in the frame, length, archive u32 · offset in the file, the frame's offset and stored length f64. */
export const extentRecordSize = 4 * 4 + 3 * 8;

const bufferSize = 2 ** 20;

/** Appends to a nameless file, synchronously, for a worker thread. */
export class RecordWriter {
  readonly #handle: number;
  readonly #buffer = Buffer.allocUnsafeSlow(bufferSize);
  #filled = 0;
  #flushed = 0;

  constructor(handle: number) {
    this.#handle = handle;
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#flushed + this.#filled;
  }

  /** So many bytes to be filled before the next call. */
  room(bytes: number): Buffer {
    if (this.#filled + bytes > this.#buffer.length) this.flush();
    if (bytes > this.#buffer.length) throw new Fault('corrupt', 'a path is too long to be one', { operation: 'plan' });
    this.#filled += bytes;
    return this.#buffer.subarray(this.#filled - bytes, this.#filled);
  }

  append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += bufferSize) {
      const some = bytes.subarray(at, at + bufferSize);
      some.copy(this.room(some.length));
    }
  }

  flush(): void {
    writeSpool(this.#handle, this.#buffer.subarray(0, this.#filled), this.#flushed);
    this.#flushed += this.#filled;
    this.#filled = 0;
  }
}

export function readRecords(handle: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let filled = 0; filled < length;) {
    const taken = readSync(handle, bytes, filled, length - filled, position + filled);
    if (taken === 0) throw new Fault('unexpected', 'a temporary file ended early', { operation: 'read plan' });
    filled += taken;
  }
  return bytes;
}
