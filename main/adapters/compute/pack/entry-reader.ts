import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { crc32 } from 'node:zlib';
import { pathFromBytes, rootPath } from '../../../engine/archive/byte-path.ts';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { modeSymlink, pieceName, zipName, zipRecord } from '../../../engine/archive/zip.ts';
import type { ZipEntry, ZipRecord } from '../../../engine/archive/zip.ts';
import { entryLineStart } from '../../../engine/snapshots/manifest-entry.ts';
import type { ManifestEntry } from '../../../engine/snapshots/manifest-entry.ts';
import type { WalkedEntry } from '../../files/walk.ts';
import { entryStamps, isRacy, stampsMoved } from '../../files/stamps.ts';
import type { FrameRing } from '../frame-ring.ts';
import type { FrameWriter, Run } from './frame-writer.ts';
import { ReadWarnings } from './read-warnings.ts';
import type { VolumeWriter } from './volume-writer.ts';

interface Parts {
  readonly ring: FrameRing;
  readonly frames: FrameWriter;
  readonly volumes: VolumeWriter;
  readonly format: 'archive' | 'classic';
  readonly volumeSize: number;
  readonly clockOffset: number;
}

interface ReadFile {
  readonly size: number;
  readonly sha256: string;
  readonly runs: readonly Run[];
  readonly moved: boolean;
}

const maxTries = 3;
/** A ZIP's names end at 65,535 bytes; a piece's is a little longer than its file's path. */
const longestName = 65_000;
// A FIFO that took a file's place must not hold the reader up for ever.
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Puts entry after entry into the volumes, and notes each for the manifest. */
export class EntryReader {
  readonly warnings = new ReadWarnings();
  readonly #parts: Parts;
  readonly #firstNames = new Map<string, BytePath>();
  readonly #totals = { entries: 0, files: 0, directories: 0, symlinks: 0, bytes: 0 };

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get totals(): { entries: number; files: number; directories: number; symlinks: number; bytes: number } {
    return this.#totals;
  }

  add(entry: WalkedEntry): void {
    const { kind, stat } = entry;
    if (entry.path.length > longestName) {
      this.warnings.add('name-too-long', entry.path, 'has a path that is too long for a ZIP and was left out');
      return;
    }
    if (kind === 'file') this.#addFile(entry);
    else if (kind === 'directory' && stat !== null) this.#addDirectory(entry.path, stat);
    else if (kind === 'symlink' && stat !== null) this.#addSymlink(entry, stat);
    else this.warnings.add('special', entry.path, 'is a socket, pipe or device and was left out', 'note');
  }

  #addDirectory(path: BytePath, stat: BigIntStats): void {
    // The root has no name of its own inside the ZIP.
    if (path !== rootPath) this.#parts.volumes.addSmall(zipRecord(zipEntry(zipName(path, true), stat)), 0, () => ({ size: 0, crc: 0 }));
    this.#totals.directories += 1;
    this.#note({ path, ...entryStamps(stat, 'directory') }, []);
  }

  #addSymlink({ path, file }: WalkedEntry, stat: BigIntStats): void {
    let target: Buffer;
    try {
      target = readlinkSync(file, { encoding: 'buffer' });
    } catch (error) {
      this.warnings.cannotRead(path, error);
      return;
    }
    this.#storeLink(path, stat, target);
    this.#totals.symlinks += 1;
    this.#note({ path, ...entryStamps(stat, 'symlink'), target: pathFromBytes(target) }, []);
  }

  #storeLink(path: BytePath, stat: BigIntStats, target: Buffer): void {
    const record = zipRecord({ ...zipEntry(zipName(path, false), stat), mode: modeSymlink | 0o777 });
    this.#parts.volumes.addSmall(record, target.length, (room) => {
      target.copy(room);
      return { size: target.length, crc: crc32(target) };
    });
  }

  #addFile({ path, file }: WalkedEntry): void {
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
      // With its stamps: a number that was given to another file meanwhile is another file.
      const inode = `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
      const first = stat.nlink > 1n ? this.#firstNames.get(inode) : undefined;
      if (first !== undefined && this.#parts.format === 'archive') {
        this.#addHardLink(path, first, stat);
        return;
      }
      const content = this.#readFile(path, handle, stat);
      const sparse = stat.blocks * 512n < stat.size;
      const racy = content.moved || isRacy(stat, Date.now() + this.#parts.clockOffset);
      this.#totals.files += 1;
      this.#totals.bytes += content.size;
      this.#parts.ring.count(1, 0);
      this.#note(
        {
          path,
          ...entryStamps(stat, 'file'),
          size: content.size,
          ...(sparse ? { sparse } : {}),
          ...(racy ? { racy } : {}),
          sha256: content.sha256,
        },
        content.runs,
      );
      if (stat.nlink > 1n) this.#firstNames.set(inode, path);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && 'syscall' in error) && errnoOf(error) !== 'ELOOP') throw error;
      this.warnings.cannotRead(path, error);
    } finally {
      closeSync(handle);
    }
  }

  #addHardLink(path: BytePath, first: BytePath, stat: BigIntStats): void {
    // Opened by hand the ZIP then still has the content under every name; the manifest makes it a hard link again.
    this.#storeLink(path, stat, Buffer.from(relativeLink(zipName(path, false), zipName(first, false)), 'latin1'));
    this.#totals.files += 1;
    this.#note({ path, ...entryStamps(stat, 'file'), linkOf: first }, []);
  }

  #readFile(path: BytePath, handle: number, stat: BigIntStats): ReadFile {
    const size = Number(stat.size);
    const entry = zipEntry(zipName(path, false), stat);
    const record = zipRecord(entry);
    const content = this.#parts.volumes.fitsFrame(record, size)
      ? this.#readSmall(record, handle, stat, size)
      : this.#readLarge(path, entry, handle, size);
    const after = fstatSync(handle, { bigint: true });
    const moved = content.moved || stampsMoved(stat, after);
    if (content.size < size) this.warnings.add('shrank', path, `shrank from ${size} to ${content.size} bytes while it was being read`);
    else if (after.size > stat.size) this.warnings.add('grew', path, `grew while it was being read; its first ${size} bytes were kept`);
    else if (moved) this.warnings.add('changed', path, 'changed while it was being read');
    return { ...content, moved };
  }

  #readSmall(record: ZipRecord, handle: number, stat: BigIntStats, size: number): ReadFile {
    let sha256 = '';
    let moved = false;
    const run = this.#parts.volumes.addSmall(record, size, (room) => {
      let length = 0;
      let before = stat;
      for (let tries = 1; ; tries += 1) {
        length = readUpTo(handle, room, 0);
        const after = fstatSync(handle, { bigint: true });
        moved = stampsMoved(before, after);
        if (!moved || tries === maxTries) break;
        before = after;
      }
      const data = room.subarray(0, length);
      sha256 = hash('sha256', data, 'hex');
      return { size: length, crc: crc32(data) };
    });
    this.#parts.ring.count(0, run.length);
    return { size: run.length, sha256, runs: run.length === 0 ? [] : [run], moved };
  }

  /** Over as many frames as it takes, and over as many volumes: a file larger than one is stored in pieces. */
  #readLarge(path: BytePath, whole: ZipEntry, handle: number, size: number): ReadFile {
    const inPieces = this.#parts.format === 'archive' && size > this.#parts.volumeSize;
    const pieceSize = inPieces ? this.#parts.volumeSize : size;
    const sha256 = createHash('sha256');
    const runs: Run[] = [];
    let position = 0;
    do {
      const start = position;
      let crc = 0;
      const record = zipRecord({ ...whole, name: inPieces ? pieceName(path, start) : whole.name });
      const run = this.#parts.volumes.addStreamed(
        record,
        (room) => {
          const want = Math.min(room.length, start + pieceSize - position, size - position);
          const taken = readUpTo(handle, room.subarray(0, want), position);
          const data = room.subarray(0, taken);
          crc = crc32(data, crc);
          sha256.update(data);
          position += taken;
          this.#parts.ring.count(0, taken);
          return taken;
        },
        () => crc,
        inPieces,
      );
      if (run.length > 0) runs.push(run);
      if (position < start + pieceSize) break;
    } while (position < size);
    return { size: position, sha256: sha256.digest('hex'), runs, moved: false };
  }

  #note(entry: Omit<ManifestEntry, 'extents'>, runs: readonly Run[]): void {
    this.#totals.entries += 1;
    this.#parts.frames.note(entryLineStart(entry), runs);
  }
}

function zipEntry(name: BytePath, stat: BigIntStats): ZipEntry {
  return { name, mode: Number(stat.mode), uid: Number(stat.uid), gid: Number(stat.gid), mtimeNs: stat.mtimeNs };
}

function readUpTo(handle: number, room: Buffer, position: number): number {
  let length = 0;
  while (length < room.length) {
    const taken = readSync(handle, room, length, room.length - length, position + length);
    if (taken === 0) break;
    length += taken;
  }
  return length;
}

/** From the folder of `path` to `first`, both names inside the same ZIP. */
function relativeLink(path: BytePath, first: BytePath): string {
  return '../'.repeat(path.split('/').length - 1) + first;
}

function errnoOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
