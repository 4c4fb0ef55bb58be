import type { VolumeLines } from '../../../engine/archive/packer.ts';
import type { FileSpool } from '../../files/spool.ts';
import type { WrittenLines } from './entry-lines.ts';

const pieceSize = 256 * 1024;

/** What is to be written down of each volume. One sealer writes the lines, and every target's volumes wait for theirs. */
export class VolumeLinesOf {
  readonly #spool: FileSpool;
  readonly #waiting: PromiseWithResolvers<VolumeLines | null>[] = [];
  #isOver = false;

  constructor(spool: FileSpool) {
    this.#spool = spool;
  }

  /** Null where the run has ended before they were known. */
  of(volume: number): Promise<VolumeLines | null> {
    return this.#at(volume).promise;
  }

  add(volume: number, { offset, size, order }: WrittenLines): void {
    const spool = this.#spool;
    spool.setSize(offset + size);
    async function* read(): AsyncGenerator<Uint8Array> {
      for (let at = offset; at < offset + size; at += pieceSize) yield await spool.readRange(at, Math.min(pieceSize, offset + size - at));
    }
    this.#at(volume).resolve({ lines: { size, read }, order });
  }

  /** None will be known any more. */
  end(): void {
    this.#isOver = true;
    for (const { resolve } of this.#waiting) resolve(null);
  }

  #at(volume: number): PromiseWithResolvers<VolumeLines | null> {
    for (let next = this.#waiting.length; next <= volume; next += 1) {
      const waiting = Promise.withResolvers<VolumeLines | null>();
      if (this.#isOver) waiting.resolve(null);
      this.#waiting.push(waiting);
    }
    const found = this.#waiting[volume];
    if (found === undefined) throw new RangeError(`there is no volume ${volume}`);
    return found;
  }
}
