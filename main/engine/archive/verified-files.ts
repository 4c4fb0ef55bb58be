/** Bytes of a fingerprint: the beginning of a SHA-256. */
export const fingerprintSize = 16;
const wordsPerSlot = fingerprintSize / 8;
/** 64 MB of address space; memory is taken only for the pages that are written to. */
const defaultSlots = 2 ** 22;

/**
 * Fingerprints of files whose stored data was read and had the hash that their entry says, for worker threads to ask. It holds so many at most: one that
 * finds no room is only not known, and its file is read again.
 */
export class VerifiedFiles {
  readonly #words: BigUint64Array<SharedArrayBuffer>;
  readonly #slots: number;
  #left: number;

  constructor(of: SharedArrayBuffer | number = defaultSlots) {
    const shared = typeof of === 'number' ? new SharedArrayBuffer(of * fingerprintSize) : of;
    this.#words = new BigUint64Array(shared);
    this.#slots = this.#words.length / wordsPerSlot;
    this.#left = Math.floor((this.#slots * 3) / 4);
  }

  get shared(): SharedArrayBuffer {
    return this.#words.buffer;
  }

  has(fingerprint: Buffer): boolean {
    return this.#find(fingerprint).found;
  }

  /** Only one thread adds, and none asks meanwhile. */
  add(fingerprint: Buffer): void {
    const { slot, found } = this.#find(fingerprint);
    if (found || this.#left === 0) return;
    this.#left -= 1;
    this.#words[slot * wordsPerSlot] = fingerprint.readBigUInt64LE(0);
    this.#words[slot * wordsPerSlot + 1] = fingerprint.readBigUInt64LE(8);
  }

  #find(fingerprint: Buffer): { slot: number; found: boolean } {
    const low = fingerprint.readBigUInt64LE(0);
    const high = fingerprint.readBigUInt64LE(8);
    for (let slot = Number(low % BigInt(this.#slots)); ; slot = (slot + 1) % this.#slots) {
      const [a, b] = [this.#words[slot * wordsPerSlot], this.#words[slot * wordsPerSlot + 1]];
      if (a === low && b === high) return { slot, found: true };
      if (a === 0n && b === 0n) return { slot, found: false };
    }
  }
}
