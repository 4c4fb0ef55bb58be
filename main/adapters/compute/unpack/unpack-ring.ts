import { Monitor, monitorWords } from '../monitor.ts';

/** Size of the pieces in which stored bytes reach the opener. */
export const inputSize = 2 ** 20;
const inputs = 4;
const nextFrameWord = monitorWords;
const frameCountWord = monitorWords + 1;
const inputsWord = monitorWords + 2;
const wordsPerInput = 2;
const wordsPerSlot = 3;

export interface UnpackRingMemory {
  readonly slots: number;
  readonly slotSize: number;
  readonly control: SharedArrayBuffer;
  readonly input: SharedArrayBuffer;
  readonly stored: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
}

export function createUnpackRingMemory(shape: { slots: number; slotSize: number }): UnpackRingMemory {
  const words = inputsWord + inputs * wordsPerInput + shape.slots * wordsPerSlot;
  return {
    ...shape,
    control: new SharedArrayBuffer(words * 4),
    input: new SharedArrayBuffer(inputs * inputSize),
    stored: new SharedArrayBuffer(shape.slots * shape.slotSize),
    counters: new SharedArrayBuffer(16),
  };
}

/**
 * Two rings. Input slots carry stored bytes from the main thread to the opener: free → filled → free. Frame slots carry compressed
 * frames from the opener to the extractors: free → filled (with the frame's number in the plan) → free.
 */
export class UnpackRing {
  readonly monitor: Monitor;
  readonly slots: number;
  readonly #memory: UnpackRingMemory;
  readonly #control: Int32Array;
  readonly #counters: BigInt64Array;

  constructor(memory: UnpackRingMemory) {
    this.#memory = memory;
    this.#control = new Int32Array(memory.control);
    this.#counters = new BigInt64Array(memory.counters);
    this.monitor = new Monitor(this.#control);
    this.slots = memory.slots;
  }

  static readonly inputs = inputs;

  input(index: number): Buffer {
    return Buffer.from(this.#memory.input, (index % inputs) * inputSize, inputSize);
  }

  inputFree(index: number): boolean {
    return Atomics.load(this.#control, inputsWord + (index % inputs) * wordsPerInput) === 0;
  }

  /** `length` bytes lie in the slot; with `last`, they are the last of their run. */
  fillInput(index: number, length: number, last: boolean): void {
    const at = inputsWord + (index % inputs) * wordsPerInput;
    Atomics.store(this.#control, at + 1, last ? -length - 1 : length);
    Atomics.store(this.#control, at, 1);
    this.monitor.changed();
  }

  inputLength(index: number): { length: number; last: boolean } {
    const value = Atomics.load(this.#control, inputsWord + (index % inputs) * wordsPerInput + 1);
    return value < 0 ? { length: -value - 1, last: true } : { length: value, last: false };
  }

  freeInput(index: number): void {
    Atomics.store(this.#control, inputsWord + (index % inputs) * wordsPerInput, 0);
    this.monitor.changed();
  }

  stored(slot: number): Buffer {
    return Buffer.from(this.#memory.stored, slot * this.#memory.slotSize, this.#memory.slotSize);
  }

  slotFree(slot: number): boolean {
    return Atomics.load(this.#control, this.#slotWord(slot)) === 0;
  }

  /** The frame that lies in the slot after the `turn`-th filling, or null while that has not happened. */
  filled(turn: number): { frame: number; length: number } | null {
    const at = this.#slotWord(turn % this.slots);
    if (Atomics.load(this.#control, at) !== turn + 1) return null;
    return { frame: Atomics.load(this.#control, at + 1), length: Atomics.load(this.#control, at + 2) };
  }

  fill(turn: number, frame: number, length: number): void {
    const at = this.#slotWord(turn % this.slots);
    Atomics.store(this.#control, at + 1, frame);
    Atomics.store(this.#control, at + 2, length);
    Atomics.store(this.#control, at, turn + 1);
    this.monitor.changed();
  }

  free(turn: number): void {
    Atomics.store(this.#control, this.#slotWord(turn % this.slots), 0);
    this.monitor.changed();
  }

  claim(): number {
    return Atomics.add(this.#control, nextFrameWord, 1);
  }

  get turns(): number | null {
    const count = Atomics.load(this.#control, frameCountWord);
    return count === 0 ? null : count - 1;
  }

  setTurns(count: number): void {
    Atomics.store(this.#control, frameCountWord, count + 1);
    this.monitor.changed();
  }

  count(files: number, bytes: number): void {
    if (files > 0) Atomics.add(this.#counters, 0, BigInt(files));
    if (bytes > 0) Atomics.add(this.#counters, 1, BigInt(bytes));
  }

  get counted(): { files: number; bytes: number } {
    return { files: Number(Atomics.load(this.#counters, 0)), bytes: Number(Atomics.load(this.#counters, 1)) };
  }

  #slotWord(slot: number): number {
    return inputsWord + inputs * wordsPerInput + slot * wordsPerSlot;
  }
}
