import { createHash, hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

const blockSize = 4 * 1024 * 1024;

/** The content hash that Dropbox tells of an object whose parts went to a session: the SHA-256 of those of each 4 MiB. But for the last, parts are whole blocks. */
export class ContentHash {
  readonly #parts: Buffer[] = [];

  /** One that is sent again takes the place of what came, and of all behind it. */
  async put(index: number, bytes: Uint8Array): Promise<void> {
    const blocks: Buffer[] = [];
    for (let at = 0; at < bytes.byteLength; at += blockSize) {
      blocks.push(hash('sha256', bytes.subarray(at, at + blockSize), 'buffer'));
      // This thread has others to serve.
      await nextTurn();
    }
    this.#parts.length = index;
    this.#parts.push(Buffer.concat(blocks));
  }

  hex(): string {
    return createHash('sha256').update(Buffer.concat(this.#parts)).digest('hex');
  }
}
