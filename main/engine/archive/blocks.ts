/** Cuts bytes that come in any pieces into blocks of one size. A block that lies whole in a piece is not copied. */
export class Blocks {
  readonly #pending: Buffer;
  #filled = 0;

  constructor(size: number) {
    this.#pending = Buffer.allocUnsafe(size);
  }

  /** Calls `each` for every block that is complete now; a block is valid during the call. After a call that threw, the next block follows. */
  add(bytes: Uint8Array, each: (block: Uint8Array) => void): void {
    const size = this.#pending.length;
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#filled === 0 && bytes.length - offset >= size) {
        each(bytes.subarray(offset, offset + size));
        offset += size;
        continue;
      }
      const take = Math.min(size - this.#filled, bytes.length - offset);
      this.#pending.set(bytes.subarray(offset, offset + take), this.#filled);
      this.#filled += take;
      offset += take;
      if (this.#filled < size) continue;
      this.#filled = 0;
      each(this.#pending);
    }
  }

  /** What has not become a block; shorter than one. */
  get rest(): Uint8Array {
    return this.#pending.subarray(0, this.#filled);
  }
}
