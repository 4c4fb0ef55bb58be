const widths = { bytes: 1, word: 4, double: 8 } as const;

/** A list of numbers of one kind that grows by doubling and ends in shared memory. */
export class Column {
  readonly #width: number;
  readonly #kind: keyof typeof widths;
  #bytes: Buffer;
  #used = 0;

  constructor(kind: keyof typeof widths) {
    this.#kind = kind;
    this.#width = widths[kind];
    this.#bytes = Buffer.alloc(1024 * this.#width);
  }

  get length(): number {
    return this.#used / this.#width;
  }

  push(value: number): void {
    this.#reserve(this.#width);
    if (this.#kind === 'double') this.#bytes.writeDoubleLE(value, this.#used);
    else this.#bytes.writeUInt32LE(value >>> 0, this.#used);
    this.#used += this.#width;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  at(index: number): number {
    return this.#kind === 'double' ? this.#bytes.readDoubleLE(index * 8) : this.#bytes.readUInt32LE(index * this.#width);
  }

  /** The list as it is now, as shared memory. The list's own memory is given back. */
  shared(): SharedArrayBuffer {
    const shared = new SharedArrayBuffer(Math.max(this.#used, this.#width));
    Buffer.from(shared).set(this.#bytes.subarray(0, this.#used));
    this.#bytes = Buffer.alloc(this.#width);
    return shared;
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(this.#bytes.length * 2, this.#used + more));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }
}
