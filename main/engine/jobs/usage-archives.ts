import type { ListedObject, ListedSnapshot, ServerListing } from '../snapshots/catalog.ts';
import type { Extent } from '../snapshots/manifest-entry.ts';
import type { ManifestArchive } from '../snapshots/manifest.ts';
import { sealedSize } from '../archive/seal.ts';

export interface UsedArchive {
  readonly object: ListedObject;
  /** Of its checksum file and its mark: they go with it. */
  besideBytes: number;
  /** How many manifests name it. */
  names: number;
  /** What an unfinished run has written down names it: it stays, whatever manifest goes. */
  held: boolean;
  /** Its own run's manifest is there, and names all that it holds. */
  readonly ownManifest: boolean;
  /** Where the frames begin that a manifest names; only of those without their own run's. */
  readonly frames: Set<number>;
  framesBytes: number;
}

/**
 * A server's archives and who names them. Of an archive whose own manifest has gone, the frames that others still name are held; of all others, which
 * are nearly all, only sums. So memory grows with archives, never with files.
 */
export class UsedArchives {
  readonly all: readonly UsedArchive[];
  readonly #numbers = new Map<string, number>();

  constructor({ snapshots }: ServerListing) {
    const all: UsedArchive[] = [];
    const beside: ListedObject[] = [];
    for (const { objects } of snapshots) {
      const ownManifest = objects.some(({ name }) => name.kind === 'manifest');
      for (const object of objects) {
        if (object.name.kind === 'checksum' || object.name.kind === 'damaged') beside.push(object);
        if (object.name.kind !== 'archive') continue;
        this.#numbers.set(object.key, all.length);
        all.push({ object, besideBytes: 0, names: 0, held: false, ownManifest, frames: new Set(), framesBytes: 0 });
      }
    }
    for (const { key, size } of beside) {
      const archive = all[this.#numbers.get(key.replace(/\.[a-z0-9]+$/, '')) ?? -1];
      if (archive !== undefined) archive.besideBytes += size;
    }
    this.all = all;
  }

  /** Notes that a manifest names these; settles to their numbers, without those that are gone. */
  name(archives: readonly ManifestArchive[]): Uint32Array {
    const numbers = Uint32Array.from(new Set(archives.map(({ key }) => this.#numbers.get(key)).filter((number) => number !== undefined)));
    for (const number of numbers) this.#at(number).names += 1;
    return numbers;
  }

  /** Notes that unfinished runs name these. */
  hold(keys: Iterable<string>): void {
    for (const key of keys) {
      const archive = this.#of(key);
      if (archive !== undefined) archive.held = true;
    }
  }

  /** Whether its entries have to be read to know what of these archives is still needed. */
  areRemains(archives: readonly ManifestArchive[]): boolean {
    return archives.some(({ key }) => this.#of(key)?.ownManifest === false);
  }

  /** Notes which frames a manifest's entries name. */
  frameCounter(archives: readonly ManifestArchive[]): (extents: readonly Extent[]) => void {
    const remains = archives.map(({ key }) => {
      const archive = this.#of(key);
      return archive?.ownManifest === false ? archive : null;
    });
    return (extents) => {
      for (const [number, offset, stored] of extents) {
        const archive = remains[number] ?? null;
        if (archive === null || archive.frames.has(offset)) continue;
        archive.frames.add(offset);
        archive.framesBytes += stored;
      }
    };
  }

  /** What goes with the last manifest that names them. */
  onlyHere(numbers: Uint32Array): number {
    let bytes = 0;
    for (const number of numbers) {
      const { names, held, object, besideBytes } = this.#at(number);
      if (names === 1 && !held) bytes += object.size + besideBytes;
    }
    return bytes;
  }

  #of(key: string): UsedArchive | undefined {
    return this.all[this.#numbers.get(key) ?? -1];
  }

  #at(number: number): UsedArchive {
    const archive = this.all[number];
    if (archive === undefined) throw new RangeError(`there is no archive ${number}`);
    return archive;
  }
}

/** Of an archive that is named: how much of it is still needed. Its directory and all other framing count with what nobody needs. */
export function liveBytesOf({ object, ownManifest, framesBytes }: UsedArchive): number {
  return ownManifest ? object.size : Math.min(object.size, sealedSize(framesBytes));
}

/** Of a checksum file or a mark: it stands beside an archive, and no manifest or classic file. */
export function isOfArchive(key: string): boolean {
  return /\.holdfast\.[a-z0-9]+$/.test(key);
}

/** A checksum file or a mark whose object is gone. */
export function isStray(snapshot: ListedSnapshot, { key, name }: ListedObject): boolean {
  if (name.kind !== 'checksum' && name.kind !== 'damaged') return false;
  return !snapshot.objects.some((other) => other.key === key.replace(/\.[a-z0-9]+$/, ''));
}
