import { hash } from 'node:crypto';
import { ftruncateSync, readSync } from 'node:fs';
import { asBytePath, type BytePath } from '../../engine/archive/byte-path.ts';
import { writeSpool } from '../files/spool.ts';

/** Key · place of the path f64 · its length, how often it is still wanted u32. A free slot has a path of no length. */
const slotSize = 16 + 8 + 2 * 4;
const [placeAt, lengthAt, wantedAt] = [16, 24, 28] as const;
/** They are read in groups of so many. */
const slotsAtOnce = 16;
const groupSize = slotsAtOnce * slotSize;
const firstSlots = 2 ** 16;

interface Slot {
  /** In the file. */
  readonly at: number;
  /** Its own until the next slot is looked for: a new Buffer for each of a million would be memory that V8 sees nothing of. */
  readonly bytes: Buffer;
}

/** 128 bits of a SHA-256, which no two ever share, as a string of bytes. */
export type PathKey = string;

export function pathKey(of: string): PathKey {
  return hash('sha256', Buffer.from(of, 'latin1'), 'binary').slice(0, placeAt);
}

/**
 * Paths by key, in a nameless file: a table with open addressing, and the paths themselves. For what a tree may have a million of, and a job has to find again.
 * For one worker thread.
 */
export class PathTable {
  readonly #handle: number;
  readonly #firstSlots: number;
  readonly #key = Buffer.allocUnsafeSlow(placeAt);
  readonly #group = Buffer.allocUnsafeSlow(groupSize);
  #slots: number;
  #tableFrom = 0;
  /** Where the file goes on. What of the table has never been written are holes, or lies behind the end. */
  #end: number;
  #used = 0;
  #wanted = 0;

  /** `handle`: of an empty file; `slots`: a power of two, 16 or more. */
  constructor(handle: number, slots = firstSlots) {
    this.#handle = handle;
    this.#firstSlots = slots;
    this.#slots = slots;
    this.#end = slots * slotSize;
  }

  /** How many there are to be found. */
  get size(): number {
    return this.#wanted;
  }

  /** A path that is not there yet, to be found until it has been used so often. */
  add(key: PathKey, path: BytePath, uses = 1): void {
    if (this.#used >= this.#slots / 2) this.#makeRoom();
    const { at, bytes } = this.#slotOf(key);
    if (isFree(bytes)) this.#used += 1;
    if (wanted(bytes) === 0) this.#wanted += 1;
    const text = Buffer.from(path, 'latin1');
    writeSpool(this.#handle, text, this.#end);
    bytes.write(key, 'latin1');
    bytes.writeDoubleLE(this.#end, placeAt);
    bytes.writeUInt32LE(text.length, lengthAt);
    bytes.writeUInt32LE(uses, wantedAt);
    this.#end += text.length;
    writeSpool(this.#handle, bytes, at);
  }

  find(key: PathKey): BytePath | undefined {
    if (this.#wanted === 0) return undefined;
    const { bytes } = this.#slotOf(key);
    if (wanted(bytes) === 0) return undefined;
    const path = Buffer.allocUnsafe(bytes.readUInt32LE(lengthAt));
    this.#read(path, bytes.readDoubleLE(placeAt));
    return asBytePath(path.toString('latin1'));
  }

  /** It was used once more; after the last time it is not found again. */
  use(key: PathKey): void {
    const { at, bytes } = this.#slotOf(key);
    const left = wanted(bytes);
    if (left === 0) return;
    if (left === 1) this.#wanted -= 1;
    bytes.writeUInt32LE(left - 1, wantedAt);
    writeSpool(this.#handle, bytes, at);
  }

  /** The slot that has the key, or the free one where it belongs. */
  #slotOf(key: PathKey): Slot {
    this.#key.write(key, 'latin1');
    const groups = this.#slots / slotsAtOnce;
    for (let group = this.#key.readUInt32LE(0) % groups; ; group = (group + 1) % groups) {
      const from = this.#tableFrom + group * groupSize;
      this.#read(this.#group, from);
      for (let offset = 0; offset < groupSize; offset += slotSize) {
        const bytes = this.#group.subarray(offset, offset + slotSize);
        if (isFree(bytes) || this.#key.compare(bytes, 0, placeAt) === 0) return { at: from + offset, bytes };
      }
    }
  }

  /** A new table behind the old one, for what is still wanted: four slots for each. */
  #makeRoom(): void {
    const [from, end] = [this.#tableFrom, this.#tableFrom + this.#slots * slotSize];
    while (this.#slots < this.#wanted * 4) this.#slots *= 2;
    this.#used = this.#wanted;
    if (this.#wanted === 0) {
      ftruncateSync(this.#handle, 0);
      this.#slots = this.#firstSlots;
      this.#tableFrom = 0;
    } else this.#tableFrom = this.#end;
    this.#end = this.#tableFrom + this.#slots * slotSize;
    if (this.#wanted === 0) return;
    const some = Buffer.allocUnsafe(groupSize);
    for (let at = from; at < end; at += groupSize) {
      this.#read(some, at);
      for (let offset = 0; offset < groupSize; offset += slotSize) {
        const bytes = some.subarray(offset, offset + slotSize);
        if (wanted(bytes) > 0) writeSpool(this.#handle, bytes, this.#slotOf(bytes.toString('latin1', 0, placeAt)).at);
      }
    }
  }

  /** What lies behind the end reads as zeros, as holes do. */
  #read(into: Buffer, from: number): void {
    for (let filled = 0; filled < into.length;) {
      const taken = readSync(this.#handle, into, filled, into.length - filled, from + filled);
      if (taken === 0) into.fill(0, filled);
      filled = taken === 0 ? into.length : filled + taken;
    }
  }
}

const isFree = (slot: Buffer): boolean => slot.readUInt32LE(lengthAt) === 0;
/** 0 for what was forgotten, too. */
const wanted = (slot: Buffer): number => slot.readUInt32LE(wantedAt);
