import { hash } from 'node:crypto';
import { fstatSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { pieceName, zipName, zipRecord } from '../../../engine/archive/zip.ts';
import type { ZipEntry, ZipRecord } from '../../../engine/archive/zip.ts';
import { ExtentList } from '../../../engine/snapshots/extents.ts';
import { largestUncut, pieceSizeFor } from '../../../engine/snapshots/file-pieces.ts';
import { stampsMoved } from '../../files/stamps.ts';
import type { FrameRing } from '../frame-ring.ts';
import type { ContentIndex } from './content-index.ts';
import { offers, readingPiece, type KnownContent } from './known-content.ts';
import { FileProgress, type BegunFile } from './file-progress.ts';
import { LargeFile } from './large-file.ts';
import type { ReadWarnings } from './read-warnings.ts';
import { readUpTo } from './read-up-to.ts';
import type { Stretch } from './stretches.ts';
import type { VolumeWriter } from './volume-writer.ts';

export interface FileReaderParts {
  readonly ring: FrameRing;
  readonly volumes: VolumeWriter;
  readonly format: 'archive' | 'classic';
  readonly volumeSize: number;
  /** What is stored already under whatever path; null where every file is to be stored. */
  readonly contents: ContentIndex | null;
}

export interface ReadFile {
  readonly size: number;
  readonly sha256: string;
  /** Of a large file, the hashes of its pieces. */
  readonly pieces: Buffer | null;
  readonly stretches: readonly Stretch[];
  /** Bytes that were stored already. */
  readonly kept: number;
  /** Some of it, or its name alone where there is nothing in it, went into this run's ZIP. */
  readonly sent: boolean;
  /** A file that this run has stored and that has the same content; then nothing of this one was sent. */
  readonly sameAs: BytePath | null;
  readonly moved: boolean;
}

const maxTries = 3;

/** Reads the content of open files into the volumes, but for what is stored already. */
export class FileReader {
  readonly #parts: FileReaderParts;
  readonly #warnings: ReadWarnings;
  readonly #onBegun: (path: BytePath, stat: BigIntStats, part: BegunFile) => void;
  #room: Buffer | null = null;

  /** `onBegun` hears of each part of a file that a volume ends in. */
  constructor(parts: FileReaderParts, warnings: ReadWarnings, onBegun: (path: BytePath, stat: BigIntStats, part: BegunFile) => void) {
    this.#parts = parts;
    this.#warnings = warnings;
    this.#onBegun = onBegun;
  }

  /** `known`: what the base has of this path. */
  read(path: BytePath, handle: number, stat: BigIntStats, known: KnownContent | null): ReadFile {
    const size = Number(stat.size);
    const entry = zipEntry(zipName(path, false), stat);
    const record = zipRecord(entry);
    const content = this.#parts.volumes.fitsFrame(record, size)
      ? this.#readSmall(record, handle, stat, size, known)
      : this.#readLarge(path, entry, handle, stat, known);
    const after = fstatSync(handle, { bigint: true });
    const moved = content.moved || stampsMoved(stat, after);
    if (content.size < size) this.#warnings.add('shrank', path, `shrank from ${size} to ${content.size} bytes while it was being read`);
    else if (after.size > stat.size) this.#warnings.add('grew', path, `grew while it was being read; its first ${size} bytes were kept`);
    else if (moved) this.#warnings.add('changed', path, 'changed while it was being read');
    return { ...content, moved };
  }

  #readSmall(record: ZipRecord, handle: number, stat: BigIntStats, size: number, known: KnownContent | null): ReadFile {
    let sha256 = '';
    let length = 0;
    let moved = false;
    const found: { in: KnownContent | null } = { in: null };
    const stretch = this.#parts.volumes.addSmall(record, size, (room) => {
      let before = stat;
      for (let tries = 1; ; tries += 1) {
        length = readUpTo(handle, room, 0);
        const after = fstatSync(handle, { bigint: true });
        moved = stampsMoved(before, after);
        if (!moved || tries === maxTries) break;
        before = after;
      }
      const data = room.subarray(0, length);
      // As a string, and from the pool: a Buffer that hash() gives has memory of its own outside of the heap, and of a million files those gather.
      sha256 = hash('sha256', data, 'hex');
      const sum = Buffer.from(sha256, 'hex');
      const isKnown = known?.size === length && offers(known, sum);
      found.in = isKnown ? known : (this.#parts.contents?.find(sum, length, Number(stat.mtimeMs)) ?? null);
      return found.in === null ? { size: length, crc: crc32(data) } : null;
    });
    this.#parts.ring.count(0, length);
    const content = { size: length, sha256, pieces: null, moved };
    if (found.in !== null) {
      const { stretches, path = null } = found.in;
      return { ...content, stretches, kept: length, sent: false, sameAs: path };
    }
    this.#parts.contents?.sent(length, length);
    return { ...content, stretches: stretch === null || length === 0 ? [] : [stretch], kept: 0, sent: true, sameAs: null };
  }

  /** Over as many frames as it takes, and over as many volumes. What is only a part of the file is stored as a piece of it. */
  #readLarge(path: BytePath, whole: ZipEntry, handle: number, stat: BigIntStats, known: KnownContent | null): ReadFile {
    const size = Number(stat.size);
    const { ring, volumes, volumeSize } = this.#parts;
    const pieceSize = pieceSizeFor(size);
    const file = new LargeFile({ handle, size, room: this.#roomFor(size), alike: (first) => this.#alike(first, stat, known) });
    const inPieces = this.#parts.format === 'archive' && (size > volumeSize || (file.isCompared && pieceSize !== null));
    const stretches = new ExtentList();
    const progress = inPieces && pieceSize !== null ? new FileProgress(pieceSize) : null;
    // What a volume has of the file are whole pieces: one that goes on in the next volume could not be written down with either.
    const step = Math.min(pieceSize ?? largestUncut, volumeSize);
    let kept = 0;
    do {
      if (file.kept !== null) {
        stretches.addAll(file.kept);
        progress?.addAll(file.kept);
        const passed = file.keep();
        ring.count(0, passed);
        kept += passed;
        continue;
      }
      const start = file.offset;
      if (inPieces && volumes.roomFor(step) === 0) {
        const begun = progress?.take(start, file.hashes) ?? null;
        if (begun !== null) this.#onBegun(path, stat, begun);
        volumes.endVolume();
      }
      const end = inPieces ? start + volumes.roomFor(step) : size;
      let crc = 0;
      const read = (room: Buffer): number => {
        const taken = file.take(room, end);
        crc = crc32(room.subarray(0, taken), crc);
        this.#parts.contents?.sent(size, taken);
        ring.count(0, taken);
        return taken;
      };
      const record = zipRecord({ ...whole, name: inPieces ? pieceName(path, start) : whole.name });
      const sent = volumes.addStreamed(record, end - start, read, () => crc, inPieces);
      stretches.addAll(sent);
      progress?.addAll(sent);
    } while (!file.isAtEnd);
    const { hashes, twin, ...end } = file.end();
    // One that shrank meanwhile may be one that is not cut, or not like this.
    const pieces = pieceSize !== null && pieceSizeFor(end.size) === pieceSize ? hashes : null;
    const sent = kept < end.size || end.size === 0;
    return { ...end, pieces, stretches: stretches.all, kept, sent, sameAs: sent ? null : twin, moved: false };
  }

  /** What has the path goes before what else begins alike: most files that change stay where they are. What only older snapshots have comes last. */
  *#alike(first: Buffer, stat: BigIntStats, known: KnownContent | null): Generator<KnownContent | null, undefined> {
    const { contents } = this.#parts;
    const [size, mtime] = [Number(stat.size), Number(stat.mtimeMs)];
    const own = known?.pieceSize === readingPiece(size) ? known : null;
    const isFirst = own !== null && offers(own, first);
    let isCompared = own !== null;
    if (isFirst) yield own;
    for (const one of contents?.alike(first, size) ?? []) {
      isCompared = true;
      yield one;
    }
    if (own !== null && !isFirst) yield own;
    yield* contents?.older(first, { size, mtime }, isCompared) ?? [];
  }

  #roomFor(size: number): Buffer {
    const room = readingPiece(size);
    if (this.#room === null || this.#room.length < room) this.#room = Buffer.allocUnsafeSlow(Math.max(room, largestUncut));
    return this.#room;
  }
}

export function zipEntry(name: BytePath, stat: BigIntStats): ZipEntry {
  return { name, mode: Number(stat.mode), uid: Number(stat.uid), gid: Number(stat.gid), mtimeNs: stat.mtimeNs };
}
