import { hash } from 'node:crypto';
import { ftruncateSync, readSync, type BigIntStats } from 'node:fs';
import { asBytePath, type BytePath } from '../../../engine/archive/byte-path.ts';
import { writeSpool } from '../../files/spool.ts';

/** Of the inode's hash 16 bytes, which no two ever share · place of the path f64 · its length, names to come u32. A free slot has a path of no length. */
const slotSize = 16 + 8 + 2 * 4;
const [placeAt, lengthAt, toComeAt] = [16, 24, 28] as const;
/** They are read in groups of so many. */
const slotsAtOnce = 16;
const groupSize = slotsAtOnce * slotSize;
const firstSlots = 2 ** 16;

interface Slot {
  /** In the file. */
  readonly at: number;
  readonly bytes: Buffer;
}

/**
 * Under which name a file with several was met first, until it has been met under all of them. They lie in a nameless file, as a table with open addressing
 * and the paths: the other names of a million files may come late, or lie outside of the folder. For one worker thread.
 */
export class FirstNames {
  readonly #handle: number;
  readonly #firstSlots: number;
  #slots: number;
  #tableFrom = 0;
  /** Where the file goes on. What of the table has never been written are holes, or lies behind the end. */
  #end: number;
  #used = 0;
  #waiting = 0;

  /** `handle`: of an empty file; `slots`: a power of two, 16 or more. */
  constructor(handle: number, slots = firstSlots) {
    this.#handle = handle;
    this.#firstSlots = slots;
    this.#slots = slots;
    this.#end = slots * slotSize;
  }

  /** How many have names to come. */
  get size(): number {
    return this.#waiting;
  }

  /** The first name of a file that was read or kept. */
  add(path: BytePath, stat: BigIntStats): void {
    if (stat.nlink <= 1n) return;
    if (this.#used >= this.#slots / 2) this.#makeRoom();
    const key = keyOf(stat);
    const { at, bytes } = this.#slotOf(key);
    if (isFree(bytes)) this.#used += 1;
    if (toCome(bytes) === 0) this.#waiting += 1;
    const text = Buffer.from(path, 'latin1');
    writeSpool(this.#handle, text, this.#end);
    key.copy(bytes);
    bytes.writeDoubleLE(this.#end, placeAt);
    bytes.writeUInt32LE(text.length, lengthAt);
    bytes.writeUInt32LE(Number(stat.nlink) - 1, toComeAt);
    this.#end += text.length;
    writeSpool(this.#handle, bytes, at);
  }

  find(stat: BigIntStats): BytePath | undefined {
    if (stat.nlink <= 1n || this.#waiting === 0) return undefined;
    const { bytes } = this.#slotOf(keyOf(stat));
    if (toCome(bytes) === 0) return undefined;
    return asBytePath(this.#read(bytes.readDoubleLE(placeAt), bytes.readUInt32LE(lengthAt)).toString('latin1'));
  }

  /** A further name was met. */
  met(stat: BigIntStats): void {
    const { at, bytes } = this.#slotOf(keyOf(stat));
    const left = toCome(bytes);
    if (left === 0) return;
    if (left === 1) this.#waiting -= 1;
    bytes.writeUInt32LE(left - 1, toComeAt);
    writeSpool(this.#handle, bytes, at);
  }

  /** The slot that has the key, or the free one where it belongs. */
  #slotOf(key: Buffer): Slot {
    const groups = this.#slots / slotsAtOnce;
    for (let group = key.readUInt32LE(0) % groups; ; group = (group + 1) % groups) {
      const from = this.#tableFrom + group * groupSize;
      const some = this.#read(from, groupSize);
      for (let offset = 0; offset < some.length; offset += slotSize) {
        const bytes = some.subarray(offset, offset + slotSize);
        if (isFree(bytes) || key.equals(bytes.subarray(0, key.length))) return { at: from + offset, bytes };
      }
    }
  }

  /** A new table behind the old one, for what has names to come: four slots for each. */
  #makeRoom(): void {
    const [from, end] = [this.#tableFrom, this.#tableFrom + this.#slots * slotSize];
    while (this.#slots < this.#waiting * 4) this.#slots *= 2;
    this.#used = this.#waiting;
    if (this.#waiting === 0) {
      ftruncateSync(this.#handle, 0);
      this.#slots = this.#firstSlots;
      this.#tableFrom = 0;
    } else this.#tableFrom = this.#end;
    this.#end = this.#tableFrom + this.#slots * slotSize;
    if (this.#waiting === 0) return;
    for (let at = from; at < end; at += groupSize) {
      const some = this.#read(at, groupSize);
      for (let offset = 0; offset < some.length; offset += slotSize) {
        const bytes = some.subarray(offset, offset + slotSize);
        if (toCome(bytes) > 0) writeSpool(this.#handle, bytes, this.#slotOf(bytes.subarray(0, placeAt)).at);
      }
    }
  }

  #read(from: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let filled = 0; filled < length;) {
      const taken = readSync(this.#handle, bytes, filled, length - filled, from + filled);
      if (taken === 0) break;
      filled += taken;
    }
    return bytes;
  }
}

const isFree = (slot: Buffer): boolean => slot.readUInt32LE(lengthAt) === 0;
/** 0 for what was forgotten, too. */
const toCome = (slot: Buffer): number => slot.readUInt32LE(toComeAt);

/** With its stamps: a number that was given to another file meanwhile is another file. */
function keyOf(stat: BigIntStats): Buffer {
  return hash('sha256', `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`, 'buffer').subarray(0, placeAt);
}
