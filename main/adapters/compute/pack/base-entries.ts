import type { BigIntStats } from 'node:fs';
import { Fault } from '../../../contract/faults.ts';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { maxFrameContent } from '../../../engine/archive/seek-table.ts';
import type { Extent, ManifestEntry } from '../../../engine/snapshots/manifest-entry.ts';
import { parseEntry } from '../../../engine/snapshots/read-entry.ts';
import { compareInWalkOrder } from '../../../engine/snapshots/walk-order.ts';
import { entryStamps, isRacy } from '../../files/stamps.ts';
import { spoolLines } from '../spool-lines.ts';
import { hashesOf, readingPiece, type KnownContent } from './known-content.ts';
import type { ManifestFile } from '../unpack/messages.ts';
import type { BaseTask } from './messages.ts';

/** An entry of the base whose content may stay where it is. */
export type KeptContent = ManifestEntry & { readonly sha256: string };

/** The manifest of the snapshot that a run is compared with, read beside the walk: both are in walk order, so one entry is held. */
export class BaseEntries {
  readonly #task: BaseTask;
  readonly #lines: Generator<ManifestEntry, undefined>;
  #next: ManifestEntry | null = null;

  constructor(task: BaseTask) {
    this.#task = task;
    this.#lines = manifestEntries(task.manifest);
  }

  /** The entry of this path. Asked for in walk order; what lies before the path is passed over. */
  find(path: BytePath): ManifestEntry | null {
    for (;;) {
      this.#next ??= this.#lines.next().value ?? null;
      if (this.#next === null) return null;
      const order = compareInWalkOrder(this.#next.path, path);
      if (order > 0) return null;
      const found = this.#next;
      this.#next = null;
      if (order === 0) return found;
    }
  }

  /** Whether all content of an entry can stay where it is; null for what has none of its own, or lies in an archive that is not to be built on. */
  content(entry: ManifestEntry | null): KeptContent | null {
    if (!hasContent(entry)) return null;
    return entry.extents.every(this.isUsable) ? entry : null;
  }

  /** What a file is compared with once it is read: of a large one, some of it may still be there. */
  known(entry: ManifestEntry | null): KnownContent | null {
    return entry === null ? null : knownContent(entry, this.isUsable);
  }

  /** Whether a file's stamps say that it is what was backed up. `now` in milliseconds since 1970. */
  isUnchanged(entry: ManifestEntry, stat: BigIntStats, now: number): boolean {
    if (!this.#task.trustStamps || entry.racy === true || isRacy(stat, now)) return false;
    const stamps = entryStamps(stat, 'file');
    return (
      stamps.size === entry.size &&
      stamps.mtime === entry.mtime &&
      stamps.ctime === entry.ctime &&
      stamps.mode === entry.mode &&
      (this.#task.ignoreInode || stamps.inode === entry.inode)
    );
  }

  /** Whether the data that an entry of the base points to may stay where it is. */
  readonly isUsable = ([archive, , , inFrame, length]: Extent): boolean =>
    this.#task.usable[archive] === true && inFrame + length <= maxFrameContent;

  /** What all files of so many bytes and more hold, whatever their paths: goes through the manifest once more. */
  *contents(smallest: number): Generator<KnownContent> {
    for (const entry of manifestEntries(this.#task.manifest, smallest)) {
      const known = this.known(entry);
      if (known !== null) yield known;
    }
  }
}

/** What an entry says of a file's content; null where it has none of its own, or none that may stay where it is. */
export function knownContent(entry: ManifestEntry, isUsable: KnownContent['isUsable']): KnownContent | null {
  if (!hasContent(entry) && entry.from === undefined) return null;
  const { size, extents } = entry;
  const hashes = hashesOf(entry);
  if (hashes === null || (size > 0 && !extents.some(isUsable))) return null;
  return { size, pieceSize: readingPiece(size), hashes, stretches: extents, isUsable };
}

function hasContent(entry: ManifestEntry | null): entry is KeptContent {
  return entry?.type === 'file' && entry.linkOf === undefined && entry.sha256 !== undefined;
}

/** Of files, those of at least `smallest` bytes. Where a line is not as the format says, the list ends. */
export function* manifestEntries(manifest: ManifestFile, smallest = 0): Generator<ManifestEntry, undefined> {
  let first = true;
  try {
    for (const line of spoolLines(manifest.handle, manifest.size)) {
      if (!first && sizeIn(line) >= smallest) yield parseEntry(line.toString('utf8'), manifest.name, true);
      first = false;
    }
  } catch (error) {
    // Sealed well and still not as the format says: what lies behind it is sent again, which is no reason to have no backup.
    if (!(error instanceof Fault) || (error.code !== 'corrupt' && error.code !== 'truncated')) throw error;
  }
}

const sizeField = Buffer.from(',"size":');

/** The size in a line as we write it, without the cost of reading all of it; no path can hold these bytes. A line that is written otherwise is looked at. */
function sizeIn(line: Buffer): number {
  const at = line.indexOf(sizeField);
  if (at < 0) return Number.POSITIVE_INFINITY;
  let size = 0;
  for (let index = at + sizeField.length, digit = line[index]; digit !== undefined && digit >= 0x30 && digit <= 0x39; digit = line[index]) {
    size = size * 10 + digit - 0x30;
    index += 1;
  }
  return size;
}

/** Whether a folder, a link or a further name of a file is, in all that a ZIP keeps of it, what the base has. */
export function sameInZip(entry: ManifestEntry | null, stat: BigIntStats, type: ManifestEntry['type'], target?: BytePath): boolean {
  if (entry === null || entry.type !== type || entry.target !== target) return false;
  const stamps = entryStamps(stat, type);
  return entry.mode === stamps.mode && entry.mtime === stamps.mtime && entry.uid === stamps.uid && entry.gid === stamps.gid;
}
