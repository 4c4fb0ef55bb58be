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

/** Compares a file's pieces, in their order, with known contents that are cut alike: with a further one only when those before it have not got a piece. */
export class KnownPieces {
  readonly #more: Iterator<KnownContent | null>;
  /** The one that had the last piece goes first: what it has of the next goes on in the same frame. */
  readonly #met: { readonly known: KnownContent; readonly cutter: ExtentCutter }[] = [];

  /** Where `contents` gives null there is no further one for this piece, but perhaps for a later one. */
  constructor(contents: Iterator<KnownContent | null>) {
    this.#more = contents;
  }

  /** Whether there is anything that the pieces asked for were compared with. */
  get isAny(): boolean {
    return this.#met.length > 0;
  }

  /** Where the piece at this offset lies; null where none has it there, or where nothing is to stay where it lies. */
  find(offset: number, length: number, hash: Buffer): readonly Stretch[] | null {
    for (let index = 0; index < this.#met.length || this.#meet(); index += 1) {
      const one = this.#met[index];
      if (one === undefined) break;
      const at = (offset / one.known.pieceSize) * pieceHashSize;
      if (!hash.equals(one.known.hashes.subarray(at, at + pieceHashSize))) continue;
      const stretches = one.cutter.cut(offset, length);
      if (stretches?.every(one.known.isUsable) !== true) continue;
      if (index > 0) this.#met.unshift(...this.#met.splice(index, 1));
      return stretches;
    }
    return null;
  }

  /** A file that this run has stored and whose content is this one. */
  pathOf(size: number, hashes: Buffer): BytePath | null {
    const same = this.#met.find(({ known }) => known.path !== undefined && known.size === size && known.hashes.equals(hashes));
    return same?.known.path ?? null;
  }

  #meet(): boolean {
    const next = this.#more.next();
    if (next.done === true || next.value === null) return false;
    this.#met.push({ known: next.value, cutter: new ExtentCutter(next.value.stretches) });
    return true;
  }
}
