import { largestUncut } from '../../../engine/snapshots/file-pieces.ts';
import type { ContentRecords, StoredContent } from './content-records.ts';
import { offers, readingPiece, type KnownContent } from './known-content.ts';
import { PlaceTable, type Key } from './place-table.ts';
import { stretchRoom, thisRun } from './stretches.ts';

/** A smaller file is not looked for: finding it would cost more than it saves. */
export const smallestFound = 64 * 1024;
/** A file is compared with so many others that begin alike, those that came last: each costs a comparison for each piece. */
const mostAlike = 16;
/** Beyond the first one, they are as many as have this much to say: in memory it is up to four times as much. */
const mostAlikeBytes = 2 ** 22;

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

  /** The first of those that `alike` finds. */
  find(first: Buffer, size: number): KnownContent | null {
    return this.alike(first, size).next().value ?? null;
  }

  /**
   * `first`: the SHA-256 of the file's first piece, which is all of it up to 8 MiB. Of a larger file, those of the same size go before others, and what came
   * last before what came earlier. Each is fetched when it is asked for, for most files need one.
   */
  *alike(first: Buffer, size: number): Generator<KnownContent, undefined> {
    if (size < smallestFound) return;
    this.#fill();
    let [met, bytes] = [0, 0];
    for (const one of this.#candidates(first, size)) {
      if (!offers(one, first) || one.pieceSize !== readingPiece(size)) continue;
      bytes += met === 0 ? 0 : one.hashes.length + stretchRoom(one.stretches.length);
      met += 1;
      if (met > mostAlike || bytes > mostAlikeBytes) return;
      yield one;
    }
  }

  add(content: StoredContent): void {
    const { size, hashes } = content;
    if (size < smallestFound) return;
    const [key, anySize] = [keyOf(hashes, size), keyOf(hashes, 0)];
    if (size <= largestUncut) {
      this.#places.set(key, this.#records.add(content));
      return;
    }
    // Many copies of one file must not hide another that begins alike.
    for (const same of this.#chain(key, 0))
      if (same.size === size && same.hashes.equals(hashes) && same.stretches.every(same.isUsable)) return;
    const place = this.#records.add(content, [this.#places.get(key), this.#places.get(anySize)]);
    this.#places.set(key, place);
    this.#places.set(anySize, place);
  }

  *#candidates(first: Buffer, size: number): Generator<KnownContent, undefined> {
    for (const one of this.#chain(keyOf(first, size), 0)) if (one.size === size) yield one;
    if (size <= largestUncut) return;
    for (const one of this.#chain(keyOf(first, 0), 1)) if (one.size !== size) yield one;
  }

  /** What was added under a key, the last first, over the links that records have to those before them: the table holds one place for each key. */
  *#chain(key: Key, link: 0 | 1): Generator<KnownContent, undefined> {
    const base = this.#base;
    const isUsable: KnownContent['isUsable'] = (stretch) => stretch[0] === thisRun || base?.isUsable(stretch) === true;
    let place = this.#places.get(key);
    for (let met = 0; place !== null && met < mostAlike; met += 1) {
      const { before, ...content } = this.#records.read(place);
      yield { ...content, isUsable };
      place = before[link];
    }
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
