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
/** Set beside it when no volume follows. */
export const endsRun = 2;

const nextFrameWord = monitorWords;
const frameCountWord = monitorWords + 1;
const headWords = monitorWords + 2;
const wordsPerSlot = 7;

/** The memory that the threads of one pack job share. Made once, handed to each worker as it is. */
export interface FrameRingMemory {
  readonly slots: number;
  /** One ring of part slots for each sealer. */
  readonly parts: readonly PartRingMemory[];
  readonly control: SharedArrayBuffer;
  readonly content: SharedArrayBuffer;
  readonly notes: SharedArrayBuffer;
  readonly stored: SharedArrayBuffer;
  /** Files and bytes read so far. */
  readonly counters: SharedArrayBuffer;
}

export interface PartRingMemory {
  readonly slots: number;
  readonly partSize: number;
  /** One word for each slot: whether it is busy. */
  readonly busy: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
}

const mostParts = 4;
/** Of one sealer. */
const partsMemory = 32 * 2 ** 20;

/** `partSizes`: one for each sealer. */
export function createFrameRingMemory({ slots, partSizes }: { slots: number; partSizes: readonly number[] }): FrameRingMemory {
  return {
    slots,
    parts: partSizes.map((partSize) => {
      // One is filled while the others are sent: with one alone, each would wait for the other.
      const parts = Math.min(mostParts, Math.max(2, Math.floor(partsMemory / partSize)));
      return { slots: parts, partSize, busy: new SharedArrayBuffer(parts * 4), bytes: new SharedArrayBuffer(parts * partSize) };
    }),
    control: new SharedArrayBuffer((headWords + slots * wordsPerSlot) * 4),
    content: new SharedArrayBuffer(slots * frameContentSize),
    notes: new SharedArrayBuffer(slots * frameNotesSize),
    stored: new SharedArrayBuffer(slots * frameStoredSize),
    counters: new SharedArrayBuffer(16),
  };
}

/**
 * A ring of frame slots. Frame `n` lives in slot `n mod slots` and goes free → filled → compressed → free, the last step once every sealer
 * has taken it. Each thread touches a slot only in the state that is its own.
 */
export class FrameRing {
  readonly monitor: Monitor;
  readonly slots: number;
  readonly #memory: FrameRingMemory;
  readonly #control: Int32Array;
  readonly #counters: BigInt64Array;
  /** Of this thread: called with each count. */
  onCount: (() => void) | null = null;

  constructor(memory: FrameRingMemory) {
    this.#memory = memory;
    this.#control = new Int32Array(memory.control);
    this.#counters = new BigInt64Array(memory.counters);
    this.monitor = new Monitor(this.#control);
    this.slots = memory.slots;
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
    const at = headWords + slot * wordsPerSlot;
    Atomics.store(this.#control, at + 3, stored);
    Atomics.store(this.#control, at + 6, this.#memory.parts.length);
    this.setState(slot, slotState.compressed);
  }

  /** A sealer has taken the frame; the last one to do so frees its slot. */
  take(slot: number): void {
    if (Atomics.sub(this.#control, headWords + slot * wordsPerSlot + 6, 1) === 1) this.setState(slot, slotState.free);
  }

  partsOf(sealer: number): PartRing {
    const memory = this.#memory.parts[sealer];
    if (memory === undefined) throw new Error(`there is no sealer ${sealer}`);
    return new PartRing(memory, this.monitor);
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

  count(files: number, bytes: number): void {
    if (files > 0) Atomics.add(this.#counters, 0, BigInt(files));
    if (bytes > 0) Atomics.add(this.#counters, 1, BigInt(bytes));
    this.onCount?.();
  }

  get counted(): { files: number; bytes: number } {
    return { files: Number(Atomics.load(this.#counters, 0)), bytes: Number(Atomics.load(this.#counters, 1)) };
  }
}

/** The parts of one sealer on their way to its upload: a slot goes free → busy → free. */
export class PartRing {
  readonly slots: number;
  readonly partSize: number;
  readonly #bytes: SharedArrayBuffer;
  readonly #busy: Int32Array;
  readonly #monitor: Monitor;

  constructor({ slots, partSize, busy, bytes }: PartRingMemory, monitor: Monitor) {
    this.slots = slots;
    this.partSize = partSize;
    this.#bytes = bytes;
    this.#busy = new Int32Array(busy);
    this.#monitor = monitor;
  }

  part(slot: number): Buffer {
    return Buffer.from(this.#bytes, slot * this.partSize, this.partSize);
  }

  isBusy(slot: number): boolean {
    return Atomics.load(this.#busy, slot) !== 0;
  }

  setBusy(slot: number, busy: boolean): void {
    Atomics.store(this.#busy, slot, busy ? 1 : 0);
    this.#monitor.changed();
  }
}
