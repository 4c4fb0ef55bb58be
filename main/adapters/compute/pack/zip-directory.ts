import { readSync } from 'node:fs';
import { Fault } from '../../../contract/faults.ts';
import { writeSpool } from '../../files/spool.ts';

const pieceSize = 2 ** 20;

/** The central directory of the ZIP that is being written, its last piece in memory and what comes before in a nameless file: a million files have one of 120 MB. */
export class ZipDirectory {
  readonly #handle: number;
  readonly #piece = Buffer.allocUnsafeSlow(pieceSize);
  #used = 0;
  #spilled = 0;

  constructor(handle: number) {
    this.#handle = handle;
  }

  get size(): number {
    return this.#spilled + this.#used;
  }

  /** `write` puts a header of at most `room` bytes into the buffer, beginning at `start`, and returns where it ends. */
  add(room: number, write: (out: Buffer, start: number) => number): void {
    if (pieceSize - this.#used < room) this.#spill();
    this.#used = write(this.#piece, this.#used);
  }

  /** Hands on all of it, each piece only valid until the next, and begins another. */
  *take(): Generator<Buffer> {
    if (this.#spilled > 0) this.#spill();
    for (let at = 0; at < this.#spilled;) {
      const taken = readSync(this.#handle, this.#piece, 0, Math.min(pieceSize, this.#spilled - at), at);
      if (taken === 0) throw new Fault('unexpected', 'a temporary file ended early', { operation: 'pack' });
      at += taken;
      yield this.#piece.subarray(0, taken);
    }
    if (this.#used > 0) yield this.#piece.subarray(0, this.#used);
    this.#spilled = 0;
    this.#used = 0;
  }

  #spill(): void {
    writeSpool(this.#handle, this.#piece.subarray(0, this.#used), this.#spilled);
    this.#spilled += this.#used;
    this.#used = 0;
  }
}
