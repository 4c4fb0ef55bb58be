import { createHash, hash } from 'node:crypto';
import { fstatSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { pieceName, zipName, zipRecord } from '../../../engine/archive/zip.ts';
import type { ZipEntry, ZipRecord } from '../../../engine/archive/zip.ts';
import type { Extent } from '../../../engine/snapshots/manifest-entry.ts';
import { stampsMoved } from '../../files/stamps.ts';
import type { FrameRing } from '../frame-ring.ts';
import type { KeptContent } from './base-entries.ts';
import type { Run } from './frame-notes.ts';
import type { ReadWarnings } from './read-warnings.ts';
import type { VolumeWriter } from './volume-writer.ts';

export interface FileReaderParts {
  readonly ring: FrameRing;
  readonly volumes: VolumeWriter;
  readonly format: 'archive' | 'classic';
  readonly volumeSize: number;
}

export interface ReadFile {
  readonly size: number;
  readonly sha256: string;
  readonly runs: readonly Run[];
  /** In earlier archives, where the content is what the base has; then there are no runs. */
  readonly kept: readonly Extent[] | null;
  readonly moved: boolean;
}

const maxTries = 3;
const hashPiece = 2 ** 20;

/** Reads the content of open files into the volumes, unless the base has it already. */
export class FileReader {
  readonly #parts: FileReaderParts;
  readonly #warnings: ReadWarnings;
  #piece: Buffer | null = null;

  constructor(parts: FileReaderParts, warnings: ReadWarnings) {
    this.#parts = parts;
    this.#warnings = warnings;
  }

  /** `known`: what the base has of this path. */
  read(path: BytePath, handle: number, stat: BigIntStats, known: KeptContent | null): ReadFile {
    const size = Number(stat.size);
    const entry = zipEntry(zipName(path, false), stat);
    const record = zipRecord(entry);
    // Of another length it is another content.
    const same = known?.size === size ? known : null;
    const content = this.#parts.volumes.fitsFrame(record, size)
      ? this.#readSmall(record, handle, stat, size, same)
      : (this.#compareLarge(handle, size, same) ?? this.#readLarge(path, entry, handle, size));
    const after = fstatSync(handle, { bigint: true });
    const moved = content.moved || stampsMoved(stat, after);
    if (content.size < size) this.#warnings.add('shrank', path, `shrank from ${size} to ${content.size} bytes while it was being read`);
    else if (after.size > stat.size) this.#warnings.add('grew', path, `grew while it was being read; its first ${size} bytes were kept`);
    else if (moved) this.#warnings.add('changed', path, 'changed while it was being read');
    return { ...content, moved };
  }

  #readSmall(record: ZipRecord, handle: number, stat: BigIntStats, size: number, known: KeptContent | null): ReadFile {
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
      if (known !== null && length === size && sha256 === known.sha256) return null;
      return { size: length, crc: crc32(data) };
    });
    this.#parts.ring.count(0, run === null ? size : run.length);
    if (run === null) return { size, sha256, runs: [], kept: known?.extents ?? [], moved };
    return { size: run.length, sha256, runs: run.length === 0 ? [] : [run], kept: null, moved };
  }

  /** A large file's frames leave while it is read, so it is looked at beforehand whether they have to. Null where they do. */
  #compareLarge(handle: number, size: number, known: KeptContent | null): ReadFile | null {
    if (known === null) return null;
    const piece = (this.#piece ??= Buffer.allocUnsafeSlow(hashPiece));
    const sum = createHash('sha256');
    let position = 0;
    while (position < size) {
      const taken = readUpTo(handle, piece.subarray(0, Math.min(piece.length, size - position)), position);
      if (taken === 0) return null;
      sum.update(piece.subarray(0, taken));
      position += taken;
    }
    const sha256 = sum.digest('hex');
    if (sha256 !== known.sha256) return null;
    this.#parts.ring.count(0, size);
    return { size, sha256, runs: [], kept: known.extents, moved: false };
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
    return { size: position, sha256: sha256.digest('hex'), runs, kept: null, moved: false };
  }
}

export function zipEntry(name: BytePath, stat: BigIntStats): ZipEntry {
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
