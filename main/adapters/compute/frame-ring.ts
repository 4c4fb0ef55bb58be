import { Monitor, monitorWords } from './monitor.ts';

/** What a frame may hold when we write it. */
export const frameContentSize = 4 * 2 ** 20;
/** Room for the manifest text of the entries that end in a frame; a frame is closed early when it fills. */
export const frameNotesSize = 2 ** 20;
/** ZSTD_COMPRESSBOUND of a whole frame. */
const frameStoredSize = frameContentSize + (frameContentSize >> 8) + 64;

export const slotState = { free: 0, filled: 1, compressed: 2 } as const;
/** Set on the frame that ends a volume. */
export const endsVolume = 1;

const nextFrameWord = monitorWords;
const frameCountWord = monitorWords + 1;
const headWords = monitorWords + 2;
const wordsPerSlot = 6;

/** The memory that the threads of one pack job share. Made once, handed to each worker as it is. */
export interface FrameRingMemory {
  readonly slots: number;
  readonly parts: number;
  readonly partSize: number;
  readonly control: SharedArrayBuffer;
  readonly content: SharedArrayBuffer;
  readonly notes: SharedArrayBuffer;
  readonly stored: SharedArrayBuffer;
  readonly part: SharedArrayBuffer;
  /** Files and bytes read so far. */
  readonly counters: SharedArrayBuffer;
}

export function createFrameRingMemory(shape: { slots: number; parts: number; partSize: number }): FrameRingMemory {
  const { slots, parts, partSize } = shape;
  return {
    slots,
    parts,
    partSize,
    control: new SharedArrayBuffer((headWords + slots * wordsPerSlot + parts) * 4),
    content: new SharedArrayBuffer(slots * frameContentSize),
    notes: new SharedArrayBuffer(slots * frameNotesSize),
    stored: new SharedArrayBuffer(slots * frameStoredSize),
    part: new SharedArrayBuffer(parts * partSize),
    counters: new SharedArrayBuffer(16),
  };
}

/**
 * A ring of frame slots and one of part slots. Frame `n` lives in slot `n mod slots` and goes free → filled → compressed → free;
 * a part slot goes free → busy → free. Each thread touches a slot only in the state that is its own.
 */
export class FrameRing {
  readonly monitor: Monitor;
  readonly slots: number;
  readonly parts: number;
  readonly partSize: number;
  readonly #memory: FrameRingMemory;
  readonly #control: Int32Array;
  readonly #counters: BigInt64Array;

  constructor(memory: FrameRingMemory) {
    this.#memory = memory;
    this.#control = new Int32Array(memory.control);
    this.#counters = new BigInt64Array(memory.counters);
    this.monitor = new Monitor(this.#control);
    this.slots = memory.slots;
    this.parts = memory.parts;
    this.partSize = memory.partSize;
  }

  content(slot: number): Buffer {
    return Buffer.from(this.#memory.content, slot * frameContentSize, frameContentSize);
  }

  notes(slot: number): Buffer {
    return Buffer.from(this.#memory.notes, slot * frameNotesSize, frameNotesSize);
  }

  stored(slot: number): Buffer {
    return Buffer.from(this.#memory.stored, slot * frameStoredSize, frameStoredSize);
  }

  part(index: number): Buffer {
    return Buffer.from(this.#memory.part, index * this.partSize, this.partSize);
  }

  state(slot: number): number {
    return Atomics.load(this.#control, headWords + slot * wordsPerSlot);
  }

  /**
   * A slot keeps its state while it is worked on: the frame's number tells it from the one that was there a round before. The number
   * is read first: it is written while the slot is free, so a state read after it cannot be the former frame's.
   */
  holds(slot: number, frame: number, state: number): boolean {
    return Atomics.load(this.#control, headWords + slot * wordsPerSlot + 5) === frame && this.state(slot) === state;
  }

  setState(slot: number, state: number): void {
    Atomics.store(this.#control, headWords + slot * wordsPerSlot, state);
    this.monitor.changed();
  }

  sizes(slot: number): { content: number; notes: number; stored: number; flags: number } {
    const at = headWords + slot * wordsPerSlot;
    return {
      content: Atomics.load(this.#control, at + 1),
      notes: Atomics.load(this.#control, at + 2),
      stored: Atomics.load(this.#control, at + 3),
      flags: Atomics.load(this.#control, at + 4),
    };
  }

  setFilled(frame: number, sizes: { content: number; notes: number; flags: number }): void {
    const slot = frame % this.slots;
    const at = headWords + slot * wordsPerSlot;
    Atomics.store(this.#control, at + 1, sizes.content);
    Atomics.store(this.#control, at + 2, sizes.notes);
    Atomics.store(this.#control, at + 4, sizes.flags);
    Atomics.store(this.#control, at + 5, frame);
    this.setState(slot, slotState.filled);
  }

  setCompressed(slot: number, stored: number): void {
    Atomics.store(this.#control, headWords + slot * wordsPerSlot + 3, stored);
    this.setState(slot, slotState.compressed);
  }

  /** The next frame that no compressor has taken yet. */
  claimFrame(): number {
    return Atomics.add(this.#control, nextFrameWord, 1);
  }

  /** How many frames there are in all, or null while that is not known. */
  get frameCount(): number | null {
    const count = Atomics.load(this.#control, frameCountWord);
    return count === 0 ? null : count - 1;
  }

  setFrameCount(count: number): void {
    Atomics.store(this.#control, frameCountWord, count + 1);
    this.monitor.changed();
  }

  partBusy(index: number): boolean {
    return Atomics.load(this.#control, headWords + this.slots * wordsPerSlot + index) !== 0;
  }

  setPartBusy(index: number, busy: boolean): void {
    Atomics.store(this.#control, headWords + this.slots * wordsPerSlot + index, busy ? 1 : 0);
    this.monitor.changed();
  }

  count(files: number, bytes: number): void {
    if (files > 0) Atomics.add(this.#counters, 0, BigInt(files));
    if (bytes > 0) Atomics.add(this.#counters, 1, BigInt(bytes));
  }

  get counted(): { files: number; bytes: number } {
    return { files: Number(Atomics.load(this.#counters, 0)), bytes: Number(Atomics.load(this.#counters, 1)) };
  }
}
