import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { ExtentCutter } from '../../../engine/snapshots/extents.ts';
import { decodePieces, largestUncut, pieceHashSize, pieceSizeFor } from '../../../engine/snapshots/file-pieces.ts';
import type { Stretch } from './stretches.ts';

/** Content that is stored already, and that a file is compared with piece by piece. */
export interface KnownContent {
  readonly size: number;
  /** How it was cut; a file of up to 8 MiB is one piece. */
  readonly pieceSize: number;
  readonly hashes: Buffer;
  readonly stretches: readonly Stretch[];
  /** Whether the data may stay where a stretch says. */
  readonly isUsable: (stretch: Stretch) => boolean;
  /** Of a file that this run has stored. */
  readonly path?: BytePath;
}

/** How a file of so many bytes is read and compared: as a whole, or in pieces. */
export function readingPiece(size: number): number {
  return pieceSizeFor(size) ?? largestUncut;
}

interface HashedEntry {
  readonly size: number;
  readonly sha256?: string | undefined;
  readonly pieces?: string | undefined;
  readonly from?: number | undefined;
}

/** The hashes that an entry has of its content, of a part of a file those of its beginning; null where it has none that fit its size. */
export function hashesOf({ size, sha256, pieces, from }: HashedEntry): Buffer | null {
  if (from !== undefined) return from === 0 && pieces !== undefined ? Buffer.from(pieces, 'base64') : null;
  if (size > largestUncut) return decodePieces(pieces, size);
  return sha256 === undefined ? null : Buffer.from(sha256, 'hex');
}

/** Whether a file whose first piece has this hash can go without sending it. One of up to 8 MiB is the piece, and is used as a whole or not at all. */
export function offers({ size, hashes, stretches, isUsable }: KnownContent, first: Buffer): boolean {
  return hashes.subarray(0, pieceHashSize).equals(first) && (size > largestUncut || stretches.every(isUsable));
}

/** Compares a file's pieces, in their order, with known content. */
export class KnownPieces {
  readonly #known: KnownContent;
  readonly #cutter: ExtentCutter;

  constructor(known: KnownContent) {
    this.#known = known;
    this.#cutter = new ExtentCutter(known.stretches);
  }

  /** Where the piece at this offset lies; null where it is another one, or lies where nothing is to stay. */
  find(offset: number, length: number, hash: Buffer): readonly Stretch[] | null {
    const at = (offset / this.#known.pieceSize) * pieceHashSize;
    if (!hash.equals(this.#known.hashes.subarray(at, at + pieceHashSize))) return null;
    const stretches = this.#cutter.cut(offset, length);
    return stretches?.every(this.#known.isUsable) === true ? stretches : null;
  }
}
