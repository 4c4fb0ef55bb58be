import { largestUncut } from '../../../engine/snapshots/file-pieces.ts';
import type { ContentRecords, StoredContent } from './content-records.ts';
import { offers, readingPiece, type KnownContent } from './known-content.ts';
import { mayStay, type OlderContents } from './older-contents.ts';
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

/** Apart from those of the base and the run, so that these are met first, and none of them is hidden behind many that begin alike. */
const ofOlder = 0x5bd1_e995;

/**
 * Contents that are stored already, in the base or by this run, found by hash whatever the path: of a file of up to 8 MiB by that of all of it, of a larger one by
 * that of its first piece, so that also one that was moved and then grew or changed further down is met. Behind them those of older snapshots, as far as they are asked for.
 */
export class ContentIndex {
  readonly #records: ContentRecords;
  readonly #base: KnownContents | null;
  readonly #places: PlaceTable;
  readonly #older: OlderContents | null;
  /** Most runs meet nothing new of this size, and then the base is not gone through for it. */
  #isFilled = false;

  constructor(records: ContentRecords, base: KnownContents | null, older: OlderContents | null = null, places = new PlaceTable()) {
    this.#records = records;
    this.#base = base;
    this.#places = places;
    this.#older = older;
  }

  /** The first of those that `alike` finds, or else that `older` does. */
  find(first: Buffer, size: number, mtime = 0): KnownContent | null {
    return this.alike(first, size).next().value ?? this.older(first, { size, mtime }, false).next().value ?? null;
  }

  /** So many bytes of a file of `size` were found nowhere, and go out. */
  sent(size: number, bytes: number): void {
    if (size >= smallestFound) this.#older?.sent(bytes);
  }

  /**
   * `first`: the SHA-256 of the file's first piece, which is all of it up to 8 MiB. Of a larger file, those of the same size go before others, and what came
   * last before what came earlier. Each is fetched when it is asked for, for most files need one.
   */
  *alike(first: Buffer, size: number): Generator<KnownContent, undefined> {
    if (size < smallestFound) return;
    this.#fill();
    const limit = new AlikeLimit();
    for (const { content } of this.#candidates(first, size, 0)) {
      if (!offers(content, first) || content.pieceSize !== readingPiece(size)) continue;
      if (!limit.allows(content)) return;
      yield content;
    }
  }

  /**
   * What only older snapshots have of such a file, where what `alike` gives is not enough. `isCompared`: that gave something. Their lists are gone through one after
   * the other as long as that costs little beside what may have to be sent; null where it would cost too much for this piece, and the next one may ask again.
   * `mtime` in milliseconds since 1970.
   */
  *older(first: Buffer, { size, mtime }: Looked, isCompared: boolean): Generator<KnownContent | null, undefined> {
    const older = this.#older;
    if (older === null || size < smallestFound) return;
    const limit = new AlikeLimit();
    const seen = new Set<number>();
    for (;;) {
      for (const { place, content } of this.#candidates(first, size, ofOlder)) {
        if (seen.has(place) || !offers(content, first) || content.pieceSize !== readingPiece(size)) continue;
        seen.add(place);
        if (!limit.allows(content)) return;
        older.found();
        yield content;
      }
      const hasSome = isCompared || seen.size > 0;
      const list = older.next(hasSome ? Math.min(size, readingPiece(size)) : size, mtime);
      if (list !== null) for (const content of list.contents(smallestFound)) this.#addOlder(content);
      // A file that is compared with nothing goes out in one.
      else if (older.isOver || !hasSome) return;
      else yield null;
    }
  }

  add(content: StoredContent): void {
    const { size } = content;
    if (size < smallestFound) return;
    // Many copies of one file must not hide another that begins alike.
    if (size > largestUncut && this.#has(content, 0)) return;
    this.#put(content, 0);
  }

  /** Most of what an older list has is there already. */
  #addOlder(content: KnownContent): void {
    const { size, hashes, stretches, isUsable } = content;
    if (size <= largestUncut) {
      const isThere = [0, ofOlder].some((kind) => this.#places.get(keyOf(hashes, size, kind)) !== null);
      if (isThere || !stretches.every(isUsable)) return;
    } else if (this.#has(content, 0) || this.#has(content, ofOlder)) return;
    this.#put(content, ofOlder);
  }

  #put(content: StoredContent, kind: number): void {
    const { size, hashes } = content;
    const [key, anySize] = [keyOf(hashes, size, kind), keyOf(hashes, 0, kind)];
    if (size <= largestUncut) {
      this.#places.set(key, this.#records.add(content));
      return;
    }
    const place = this.#records.add(content, [this.#places.get(key), this.#places.get(anySize)]);
    this.#places.set(key, place);
    this.#places.set(anySize, place);
  }

  /** Of a content above 8 MiB. */
  #has({ size, hashes }: StoredContent, kind: number): boolean {
    for (const { content: same } of this.#chain(keyOf(hashes, size, kind), 0, kind))
      if (same.size === size && same.hashes.equals(hashes) && same.stretches.every(same.isUsable)) return true;
    return false;
  }

  *#candidates(first: Buffer, size: number, kind: number): Generator<Candidate, undefined> {
    for (const one of this.#chain(keyOf(first, size, kind), 0, kind)) if (one.content.size === size) yield one;
    if (size <= largestUncut) return;
    for (const one of this.#chain(keyOf(first, 0, kind), 1, kind)) if (one.content.size !== size) yield one;
  }

  /** What was added under a key, the last first, over the links that records have to those before them: the table holds one place for each key. */
  *#chain(key: Key, link: 0 | 1, kind: number): Generator<Candidate, undefined> {
    const base = this.#base;
    const ofBaseOrRun: KnownContent['isUsable'] = (stretch) => stretch[0] === thisRun || base?.isUsable(stretch) === true;
    const isUsable = kind === ofOlder ? mayStay : ofBaseOrRun;
    let place = this.#places.get(key);
    for (let met = 0; place !== null && met < mostAlike; met += 1) {
      const { before, ...content } = this.#records.read(place);
      yield { place, content: { ...content, isUsable } };
      place = before[link];
    }
  }

  #fill(): void {
    if (this.#isFilled) return;
    this.#isFilled = true;
    for (const content of this.#base?.contents(smallestFound) ?? []) this.add(content);
  }
}

interface Looked {
  readonly size: number;
  readonly mtime: number;
}

interface Candidate {
  /** Of its record. */
  readonly place: number;
  readonly content: KnownContent;
}

/** How many a file is compared with. */
class AlikeLimit {
  #met = 0;
  #bytes = 0;

  allows({ hashes, stretches }: KnownContent): boolean {
    this.#bytes += this.#met === 0 ? 0 : hashes.length + stretchRoom(stretches.length);
    this.#met += 1;
    return this.#met <= mostAlike && this.#bytes <= mostAlikeBytes;
  }
}

/** 64 bits of hash and size: whoever finds something by it compares all of the hash. `kind`: 0, or `ofOlder`. */
function keyOf(first: Buffer, size: number, kind: number): Key {
  return [first.readUInt32LE(0), (first.readUInt32LE(4) ^ Math.imul(size >>> 0, 0x9e37_79b1) ^ Math.floor(size / 2 ** 32) ^ kind) >>> 0];
}
