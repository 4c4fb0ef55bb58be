import { frameContentSize, frameNotesSize, slotState } from '../frame-ring.ts';
import type { FrameRing } from '../frame-ring.ts';
import { noteRoom, writeNote } from './frame-notes.ts';
import type { Stretch } from './stretches.ts';

/** What a large file has in one note: together they are far below what the notes of a frame hold. */
const stretchesAtOnce = 16_384;
const textAtOnce = 2 ** 18;

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

  /** An entry's manifest text and where its data lies, for the sealer to complete once this run's frames are compressed. `begun`: not for the manifest. */
  note(text: string, stretches: readonly Stretch[], begun = false): void {
    if (noteRoom(text, stretches.length) <= frameNotesSize) return this.#note(text, stretches, { more: false, begun });
    const bytes = Buffer.from(text);
    for (let at = 0, first = 0, more = true; more;) {
      const [some, few] = [bytes.subarray(at, at + textAtOnce), stretches.slice(first, first + stretchesAtOnce)];
      at += some.length;
      first += few.length;
      more = at < bytes.length || first < stretches.length;
      this.#note(some, few, { more, begun });
    }
  }

  #note(text: string | Buffer, stretches: readonly Stretch[], marks: { readonly more: boolean; readonly begun: boolean }): void {
    const size = noteRoom(text, stretches.length);
    if (this.#open && frameNotesSize - this.#noted < size) this.close(0);
    if (!this.#open) this.#begin();
    this.#noted = writeNote(this.#notes, this.#noted, { text, stretches, ...marks });
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
