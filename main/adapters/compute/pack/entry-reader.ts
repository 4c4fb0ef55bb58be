import { closeSync, constants, fstatSync, openSync, readlinkSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { crc32 } from 'node:zlib';
import { pathFromBytes, rootPath } from '../../../engine/archive/byte-path.ts';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { modeSymlink, zipName, zipRecord } from '../../../engine/archive/zip.ts';
import { entryLineStart } from '../../../engine/snapshots/manifest-entry.ts';
import type { ManifestEntry } from '../../../engine/snapshots/manifest-entry.ts';
import type { WalkedEntry } from '../../files/walk.ts';
import { entryStamps, isRacy } from '../../files/stamps.ts';
import { sameInZip, type BaseEntries, type KeptContent } from './base-entries.ts';
import { hashesOf } from './known-content.ts';
import { FileReader, zipEntry, type FileReaderParts } from './file-reader.ts';
import type { BegunFile } from './file-progress.ts';
import type { FirstNames } from './first-names.ts';
import type { FrameWriter } from './frame-writer.ts';
import { ReadWarnings } from './read-warnings.ts';
import type { Stretch } from './stretches.ts';

interface Parts extends FileReaderParts {
  readonly frames: FrameWriter;
  readonly firstNames: FirstNames;
  readonly clockOffset: number;
  /** What need not be sent again; null where the snapshot is to be whole. */
  readonly base: BaseEntries | null;
}

/** A ZIP's names end at 65,535 bytes; a piece's is a little longer than its file's path. */
const longestName = 65_000;
// A FIFO that took a file's place must not hold the reader up for ever.
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Puts entry after entry into the volumes, and notes each for the manifest. */
export class EntryReader {
  readonly warnings = new ReadWarnings();
  readonly #parts: Parts;
  readonly #files: FileReader;
  readonly #totals = { entries: 0, files: 0, directories: 0, symlinks: 0, bytes: 0 };

  readonly #kept = { files: 0, bytes: 0 };

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#files = new FileReader(parts, this.warnings, (path, stat, part) => this.#noteBegun(path, stat, part));
  }

  get totals(): { entries: number; files: number; directories: number; symlinks: number; bytes: number } {
    return this.#totals;
  }

  /** What was stored already. */
  get kept(): { files: number; bytes: number } {
    return this.#kept;
  }

  add(entry: WalkedEntry): void {
    const { kind, stat } = entry;
    const before = this.#parts.base?.find(entry.path) ?? null;
    if (entry.path.length > longestName) {
      this.warnings.add('name-too-long', entry.path, 'has a path that is too long for a ZIP and was left out');
      return;
    }
    if (kind === 'file') this.#addFile(entry, before);
    else if (kind === 'directory' && stat !== null) this.#addDirectory(entry.path, stat, before);
    else if (kind === 'symlink' && stat !== null) this.#addSymlink(entry, stat, before);
    else this.warnings.add('special', entry.path, 'is a socket, pipe or device and was left out', 'note');
  }

  #addDirectory(path: BytePath, stat: BigIntStats, before: ManifestEntry | null): void {
    // The root has no name of its own inside the ZIP.
    if (path !== rootPath && !sameInZip(before, stat, 'directory'))
      this.#parts.volumes.addSmall(zipRecord(zipEntry(zipName(path, true), stat)), 0, () => ({ size: 0, crc: 0 }));
    this.#totals.directories += 1;
    this.#note({ path, ...entryStamps(stat, 'directory'), ...this.#racyMark(stat) }, []);
  }

  #addSymlink({ path, file }: WalkedEntry, stat: BigIntStats, before: ManifestEntry | null): void {
    let target: Buffer;
    try {
      target = readlinkSync(file, { encoding: 'buffer' });
    } catch (error) {
      this.warnings.cannotRead(path, error);
      return;
    }
    if (!sameInZip(before, stat, 'symlink', pathFromBytes(target))) this.#storeLink(path, stat, target);
    this.#totals.symlinks += 1;
    this.#note({ path, ...entryStamps(stat, 'symlink'), target: pathFromBytes(target), ...this.#racyMark(stat) }, []);
  }

  #storeLink(path: BytePath, stat: BigIntStats, target: Buffer): void {
    const record = zipRecord({ ...zipEntry(zipName(path, false), stat), mode: modeSymlink | 0o777 });
    this.#parts.volumes.addSmall(record, target.length, (room) => {
      target.copy(room);
      return { size: target.length, crc: crc32(target) };
    });
  }

  #storeLinkTo(first: BytePath, path: BytePath, stat: BigIntStats): void {
    this.#storeLink(path, stat, Buffer.from(relativeLink(zipName(path, false), zipName(first, false)), 'latin1'));
  }

  #addFile(entry: WalkedEntry, before: ManifestEntry | null): void {
    const { path, file } = entry;
    if (this.#keepUnread(entry, this.#parts.base?.content(before) ?? null)) return;
    let handle: number;
    try {
      handle = openSync(file, openFlags);
    } catch (error) {
      this.warnings.cannotRead(path, error);
      return;
    }
    try {
      const stat = fstatSync(handle, { bigint: true });
      if (!stat.isFile()) throw Object.assign(new Error('no longer a file'), { code: 'ELOOP' });
      const first = this.#parts.firstNames.find(stat);
      if (first !== undefined) {
        this.#addHardLink(path, first, stat, before);
        return;
      }
      // By the time at which the reading began: a slow one must not make a young file old.
      const racy = isRacy(stat, this.#now());
      const content = this.#files.read(path, handle, stat, this.#parts.base?.known(before) ?? null);
      const pieces = content.pieces?.toString('base64');
      // Opened by hand, the ZIP then has the content under this name too.
      if (content.sameAs !== null) this.#storeLinkTo(content.sameAs, path, stat);
      else if (content.sent) this.#remember(path, { ...content, pieces });
      this.#noteFile(path, stat, {
        ...content,
        pieces,
        sparse: stat.blocks * 512n < stat.size,
        racy: racy || content.moved,
      });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && 'syscall' in error) && errnoOf(error) !== 'ELOOP') throw error;
      this.warnings.cannotRead(path, error);
    } finally {
      closeSync(handle);
    }
  }

  /** So that a file with the same content is not stored once more. */
  #remember(path: BytePath, content: { size: number; sha256: string; pieces: string | undefined; stretches: readonly Stretch[] }): void {
    const hashes = hashesOf(content);
    if (hashes !== null) this.#parts.contents?.add({ size: content.size, hashes, stretches: content.stretches, path });
  }

  /** A file whose stamps are those of the base is not even opened. */
  #keepUnread({ path, stat }: WalkedEntry, known: KeptContent | null): boolean {
    if (known === null || stat === null || this.#parts.base?.isUnchanged(known, stat, this.#now()) !== true) return false;
    const first = this.#parts.firstNames.find(stat);
    if (first !== undefined) return false;
    const { size, sha256, pieces, extents, sparse } = known;
    this.#parts.ring.count(0, size);
    this.#noteFile(path, stat, { size, sha256, pieces, stretches: extents, kept: size, sent: false, sparse: sparse === true, racy: false });
    return true;
  }

  #noteFile(
    path: BytePath,
    stat: BigIntStats,
    file: {
      readonly size: number;
      readonly sha256: string;
      readonly pieces: string | undefined;
      readonly stretches: readonly Stretch[];
      readonly kept: number;
      readonly sent: boolean;
      readonly sparse: boolean;
      readonly racy: boolean;
    },
  ): void {
    const { size, sha256, pieces, kept, sparse, racy } = file;
    this.#totals.files += 1;
    this.#totals.bytes += size;
    if (!file.sent) this.#kept.files += 1;
    this.#kept.bytes += kept;
    this.#parts.ring.count(1, 0);
    const marks = { ...(sparse ? { sparse } : {}), ...(racy ? { racy } : {}) };
    this.#note({ path, ...entryStamps(stat, 'file'), size, ...marks, sha256, ...(pieces === undefined ? {} : { pieces }) }, file.stretches);
    if (this.#parts.format === 'archive') this.#parts.firstNames.add(path, stat);
  }

  #racyMark(stat: BigIntStats): { readonly racy?: true } {
    return isRacy(stat, this.#now()) ? { racy: true } : {};
  }

  #now(): number {
    return Date.now() + this.#parts.clockOffset;
  }

  #addHardLink(path: BytePath, first: BytePath, stat: BigIntStats, before: ManifestEntry | null): void {
    // Opened by hand the ZIP then still has the content under every name; the manifest makes it a hard link again.
    if (before?.linkOf !== first || !sameInZip(before, stat, 'file')) this.#storeLinkTo(first, path, stat);
    this.#totals.files += 1;
    this.#note({ path, ...entryStamps(stat, 'file'), linkOf: first }, []);
    this.#parts.firstNames.met(stat);
  }

  /** Should the run be cut off, the next one need not send these pieces. */
  #noteBegun(path: BytePath, stat: BigIntStats, { from, pieces, stretches }: BegunFile): void {
    const line = entryLineStart({ path, ...entryStamps(stat, 'file'), from, pieces: pieces.toString('base64') });
    this.#parts.frames.note(line, stretches, true);
  }

  #note(entry: Omit<ManifestEntry, 'extents'>, stretches: readonly Stretch[]): void {
    this.#totals.entries += 1;
    this.#parts.frames.note(entryLineStart(entry), stretches);
  }
}

/** From the folder of `path` to `first`, both names inside the same ZIP. */
function relativeLink(path: BytePath, first: BytePath): string {
  return '../'.repeat(path.split('/').length - 1) + first;
}

function errnoOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
