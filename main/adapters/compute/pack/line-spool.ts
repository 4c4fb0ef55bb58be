import { compress } from 'zstd-napi';
import { writeSpool } from '../../files/spool.ts';

/** Small enough that reading one back on the main thread does not hold it up. */
const frameSize = 2 ** 20;

/** Gathers the manifest's lines and puts them, as zstd frames, into a spool file: a million of them need no memory. */
export class LineSpool {
  readonly #handle: number;
  #pending = Buffer.allocUnsafe(frameSize);
  #filled = 0;
  #size = 0;

  constructor(handle: number) {
    this.#handle = handle;
  }

  /** A line: its text, and what comes behind it. */
  append(texts: readonly Uint8Array[], end: string): void {
    const length = texts.reduce((sum, text) => sum + text.length, Buffer.byteLength(end));
    if (this.#filled + length > this.#pending.length) this.#flush();
    // One line may be longer than a frame: a large file's extents.
    if (length > this.#pending.length) this.#pending = Buffer.allocUnsafe(length);
    for (const text of texts) {
      this.#pending.set(text, this.#filled);
      this.#filled += text.length;
    }
    this.#filled += this.#pending.write(end, this.#filled);
  }

  /** The spool's size in bytes. */
  end(): number {
    this.#flush();
    return this.#size;
  }

  #flush(): void {
    if (this.#filled === 0) return;
    const frame = compress(this.#pending.subarray(0, this.#filled), { compressionLevel: 3 });
    writeSpool(this.#handle, frame, this.#size);
    this.#size += frame.length;
    this.#filled = 0;
  }
}
