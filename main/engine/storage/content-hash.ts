import { createHash } from 'node:crypto';
import type { RunningChecksum } from './checksum.ts';

/** Bytes of one block. */
export const contentBlock = 4 * 1024 * 1024;

/** Dropbox: "Content hash": the SHA-256 of the SHA-256 values of each 4 MiB. */
export class ContentHash implements RunningChecksum {
  readonly #blocks: Buffer[] = [];
  #block = createHash('sha256');
  #filled = 0;

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength;) {
      const taken = Math.min(contentBlock - this.#filled, bytes.byteLength - at);
      this.#block.update(bytes.subarray(at, at + taken));
      this.#filled += taken;
      at += taken;
      if (this.#filled === contentBlock) this.#blocks.push(this.#endBlock());
    }
  }

  /** Forgets what came behind so many bytes, a whole number of blocks. */
  cutTo(bytes: number): void {
    this.#blocks.length = bytes / contentBlock;
    this.#endBlock();
  }

  /** May be asked again and again. */
  hex(): string {
    const last = this.#filled === 0 ? [] : [this.#block.copy().digest()];
    return createHash('sha256')
      .update(Buffer.concat([...this.#blocks, ...last]))
      .digest('hex');
  }

  #endBlock(): Buffer {
    const ended = this.#block.digest();
    this.#block = createHash('sha256');
    this.#filled = 0;
    return ended;
  }
}
