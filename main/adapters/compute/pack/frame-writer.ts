import { Fault } from '../../../contract/faults.ts';
import { frameContentSize, frameNotesSize, slotState } from '../frame-ring.ts';
import type { FrameRing } from '../frame-ring.ts';
import type { Extent } from '../../../engine/snapshots/manifest-entry.ts';
import { noteRoom, writeNote, type Run } from './frame-notes.ts';

/** So many are far below what the notes of a frame hold, the text included. */
const keptAtOnce = 16_384;

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

  /**
   * An entry's manifest text and where its data lies, for the sealer to complete once those frames are compressed. `kept` is what lies in
   * earlier archives, by their numbers in the base.
   */
  note(text: string, runs: readonly Run[], kept: readonly Extent[] = []): void {
    for (let first = 0; first === 0 || first < kept.length; first += keptAtOnce) {
      const more = first + keptAtOnce < kept.length;
      this.#note(first === 0 ? text : '', first === 0 ? runs : [], kept.slice(first, first + keptAtOnce), more);
    }
  }

  #note(text: string, runs: readonly Run[], kept: readonly Extent[], more: boolean): void {
    const size = noteRoom(text, runs.length, kept.length);
    if (size > frameNotesSize) {
      throw new Fault('unsupported', `a file lies in ${runs.length} pieces, which is too many: choose a larger volume size`, {
        operation: 'pack',
      });
    }
    if (this.#open && frameNotesSize - this.#noted < size) this.close(0);
    if (!this.#open) this.#begin();
    this.#noted = writeNote(this.#notes, this.#noted, { text, runs, kept, more });
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
