import { Fault } from '../../../contract/faults.ts';
import { frameContentSize, frameNotesSize, slotState } from '../frame-ring.ts';
import type { FrameRing } from '../frame-ring.ts';

/** Where a stretch of an entry's data begins and how long it is; it may go on over the frames that follow. */
export interface Run {
  readonly frame: number;
  readonly offset: number;
  readonly length: number;
}

/** Fills the ring's frames in order: the reader's view of the ring. */
export class FrameWriter {
  readonly #ring: FrameRing;
  #frame = 0;
  #content: Buffer = Buffer.alloc(0);
  #notes: Buffer = Buffer.alloc(0);
  #used = 0;
  #noted = 0;
  #open = false;

  constructor(ring: FrameRing) {
    this.#ring = ring;
  }

  /** The number of the frame that is being filled, or that the next byte will begin. */
  get frame(): number {
    return this.#frame;
  }

  /** Bytes already in this frame. */
  get used(): number {
    return this.#used;
  }

  /** At least `bytes` (at most a frame) of room in one frame, which is closed and followed by a new one where it is too full. */
  room(bytes: number): Buffer {
    if (this.#open && frameContentSize - this.#used < bytes) this.close(0);
    if (!this.#open) this.#begin();
    return this.#content.subarray(this.#used);
  }

  /** Takes so many bytes, written into what room() gave, as content. */
  advance(bytes: number): void {
    this.#used += bytes;
  }

  /** Content of any length, over as many frames as it needs. */
  append(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.length) {
      const room = this.room(1);
      const take = Math.min(room.length, bytes.length - offset);
      room.set(bytes.subarray(offset, offset + take));
      this.advance(take);
      offset += take;
    }
  }

  /** An entry's manifest text and where its data lies, for the sealer to complete once those frames are compressed. */
  note(text: string, runs: readonly Run[]): void {
    // At most three bytes of UTF-8 for each unit of text: counting them exactly would cost more than the room.
    const size = 8 + runs.length * 16 + text.length * 3;
    if (size > frameNotesSize) {
      throw new Fault('unsupported', `a file lies in ${runs.length} pieces, which is too many: choose a larger volume size`, {
        operation: 'pack',
      });
    }
    if (this.#open && frameNotesSize - this.#noted < size) this.close(0);
    if (!this.#open) this.#begin();
    const start = this.#noted;
    let at = this.#notes.writeUInt32LE(runs.length, start + 4);
    for (const run of runs) {
      at = this.#notes.writeUInt32LE(run.frame, at);
      at = this.#notes.writeUInt32LE(run.offset, at);
      at = this.#notes.writeDoubleLE(run.length, at);
    }
    const length = this.#notes.write(text, at);
    this.#notes.writeUInt32LE(length, start);
    this.#noted = at + length;
  }

  /** Hands the frame over to the compressors. */
  close(flags: number): void {
    if (!this.#open) this.#begin();
    this.#ring.setFilled(this.#frame, { content: this.#used, notes: this.#noted, flags });
    this.#frame += 1;
    this.#open = false;
    this.#used = 0;
    this.#noted = 0;
  }

  /** Nothing follows. */
  finish(): void {
    if (this.#open) this.close(0);
    this.#ring.setFrameCount(this.#frame);
  }

  get #slot(): number {
    return this.#frame % this.#ring.slots;
  }

  #begin(): void {
    const slot = this.#slot;
    this.#ring.monitor.waitUntil(() => this.#ring.state(slot) === slotState.free);
    this.#content = this.#ring.content(slot);
    this.#notes = this.#ring.notes(slot);
    this.#open = true;
  }
}
