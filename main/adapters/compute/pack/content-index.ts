import { largestUncut } from '../../../engine/snapshots/file-pieces.ts';
import type { ContentRecords, StoredContent } from './content-records.ts';
import { offers, readingPiece, type KnownContent } from './known-content.ts';
import { PlaceTable, type Key } from './place-table.ts';
import { thisRun } from './stretches.ts';

/** A smaller file is not looked for: finding it would cost more than it saves. */
export const smallestFound = 64 * 1024;

/** What an index begins with: the contents of the base. */
export interface KnownContents {
  contents(smallest: number): Iterable<KnownContent>;
  readonly isUsable: KnownContent['isUsable'];
}

/**
 * Contents that are stored already, in the base or by this run, found by hash whatever the path: of a file of up to 8 MiB by that of all of it, of a larger one by
 * that of its first piece, so that also one that was moved and then grew or changed further down is met.
 */
export class ContentIndex {
  readonly #records: ContentRecords;
  readonly #base: KnownContents | null;
  readonly #places: PlaceTable;
  /** Most runs meet nothing new of this size, and then the base is not gone through for it. */
  #isFilled = false;

  constructor(records: ContentRecords, base: KnownContents | null, places = new PlaceTable()) {
    this.#records = records;
    this.#base = base;
    this.#places = places;
  }

  /** `first`: the SHA-256 of the file's first piece, which is all of it up to 8 MiB. Of a larger file, one of the same size goes before others. */
  find(first: Buffer, size: number): KnownContent | null {
    if (size < smallestFound) return null;
    this.#fill();
    const same = this.#at(keyOf(first, size));
    if (same?.size === size && offers(same, first)) return same;
    if (size <= largestUncut) return null;
    const similar = this.#at(keyOf(first, 0));
    return similar !== null && offers(similar, first) && similar.pieceSize === readingPiece(size) ? similar : null;
  }

  add(content: StoredContent): void {
    if (content.size < smallestFound) return;
    const place = this.#records.add(content);
    this.#places.set(keyOf(content.hashes, content.size), place);
    if (content.size > largestUncut) this.#places.set(keyOf(content.hashes, 0), place);
  }

  #at(key: Key): KnownContent | null {
    const place = this.#places.get(key);
    if (place === null) return null;
    const base = this.#base;
    return { ...this.#records.read(place), isUsable: (stretch) => stretch[0] === thisRun || base?.isUsable(stretch) === true };
  }

  #fill(): void {
    if (this.#isFilled) return;
    this.#isFilled = true;
    for (const content of this.#base?.contents(smallestFound) ?? []) this.add(content);
  }
}

/** 64 bits of hash and size: whoever finds something by it compares all of the hash. */
function keyOf(first: Buffer, size: number): Key {
  return [first.readUInt32LE(0), (first.readUInt32LE(4) ^ Math.imul(size >>> 0, 0x9e37_79b1) ^ Math.floor(size / 2 ** 32)) >>> 0];
}
