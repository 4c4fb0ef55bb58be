const widths = { bytes: 1, word: 4, double: 8, long: 8 } as const;
const step = 2 ** 20;
/** Address space that a column may come to use; memory is taken only as it grows. */
const maxSize = 2 ** 30;

/** A list of numbers of one kind in shared memory that grows in place: never copied, never larger than what it holds. */
export class Column {
  readonly #width: number;
  readonly #kind: keyof typeof widths;
  readonly #shared: SharedArrayBuffer;
  #bytes: Buffer;
  #used = 0;

  constructor(kind: keyof typeof widths) {
    this.#kind = kind;
    this.#width = widths[kind];
    this.#shared = new SharedArrayBuffer(step, { maxByteLength: maxSize });
    this.#bytes = Buffer.from(this.#shared, 0, step);
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

  pushLong(value: bigint): void {
    this.#reserve(this.#width);
    this.#bytes.writeBigInt64LE(BigInt.asIntN(64, value), this.#used);
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

  /** The list's memory, for other threads. It may be longer than what the list holds. */
  get shared(): SharedArrayBuffer {
    return this.#shared;
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#bytes.length) return;
    const size = Math.ceil((this.#used + more) / step) * step;
    this.#shared.grow(size);
    this.#bytes = Buffer.from(this.#shared, 0, size);
  }
}
