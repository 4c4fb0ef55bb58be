import { ExtentCutter, ExtentList } from '../../../engine/snapshots/extents.ts';
import { pieceHashSize } from '../../../engine/snapshots/file-pieces.ts';
import type { Stretch } from './stretches.ts';

/** A part of a file that is still being read: whole pieces from `from` on. */
export interface BegunFile {
  readonly from: number;
  /** Their hashes. */
  readonly pieces: Buffer;
  readonly stretches: readonly Stretch[];
}

/** How far a file that goes on over several volumes has got since it was last asked. */
export class FileProgress {
  readonly #pieceSize: number;
  #from = 0;
  /** Where what lies behind #from is stored. */
  #stretches = new ExtentList();

  constructor(pieceSize: number) {
    this.#pieceSize = pieceSize;
  }

  addAll(stretches: Iterable<Stretch>): void {
    this.#stretches.addAll(stretches);
  }

  /** What has come up to `offset`, which all of it has been added to; null where that is not one whole piece. `hashes`: of the file's pieces. */
  take(offset: number, hashes: readonly Buffer[]): BegunFile | null {
    const [first, end] = [this.#from / this.#pieceSize, Math.floor(offset / this.#pieceSize)];
    if (end <= first) return null;
    const from = this.#from;
    const length = (end - first) * this.#pieceSize;
    const cutter = new ExtentCutter(this.#stretches.all);
    const stretches = cutter.cut(0, length) ?? [];
    this.#stretches = new ExtentList();
    this.#stretches.addAll(cutter.cut(length, offset - from - length) ?? []);
    this.#from = from + length;
    return { from, pieces: Buffer.concat(hashes.slice(first, end), (end - first) * pieceHashSize), stretches };
  }
}
