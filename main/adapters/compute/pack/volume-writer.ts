import {
  centralHeaderRoom,
  dataDescriptor,
  endRecords,
  localHeaderSize,
  writeCentralHeader,
  writeLocalHeader,
} from '../../../engine/archive/zip.ts';
import type { ZipRecord } from '../../../engine/archive/zip.ts';
import { ExtentList } from '../../../engine/snapshots/extents.ts';
import { endsRun, endsVolume, frameContentSize } from '../frame-ring.ts';
import type { FrameWriter } from './frame-writer.ts';
import { inFrame, type Stretch } from './stretches.ts';
import type { ZipDirectory } from './zip-directory.ts';

export interface VolumeLimits {
  /** Bytes of the ZIP before its directory. */
  readonly volume: number;
  /** Bytes of the central directory. */
  readonly directory: number;
}

/** A directory this large, which some two million files have, ends a volume too: who reads it back wants an end. */
const maxDirectorySize = 2 ** 28;

export function volumeLimits(format: 'archive' | 'classic', volumeSize: number): VolumeLimits {
  // A classic snapshot is one file, however large: a second volume would take its name.
  if (format === 'classic') return { volume: Number.POSITIVE_INFINITY, directory: Number.POSITIVE_INFINITY };
  return { volume: volumeSize, directory: maxDirectorySize };
}
/** As a part of the volume size: so much longer may a volume become by its last entry. */
const overshoot = 0.1;
/** A changed piece of a large file lies in one frame, so that whoever wants it back reads one. */
const pieceRoom = 2 ** 20;

/** Writes ZIP after ZIP into the frames: one for each volume. */
export class VolumeWriter {
  readonly #frames: FrameWriter;
  readonly #directory: ZipDirectory;
  readonly #limits: VolumeLimits;
  #zipOffset = 0;
  #entries = 0;

  constructor(frames: FrameWriter, directory: ZipDirectory, limits: VolumeLimits) {
    this.#frames = frames;
    this.#directory = directory;
    this.#limits = limits;
  }

  /** Nothing has been written since the last volume ended. */
  get isEmpty(): boolean {
    return this.#zipOffset === 0;
  }

  /** How much of a file that is cut this volume still takes, in whole `step`s of at most a volume; 0: it has to be ended first. */
  roomFor(step: number): number {
    const { volume } = this.#limits;
    if (this.#isFull) return 0;
    const left = volume - this.#zipOffset;
    const filled = Math.ceil(left / step) * step;
    const room = filled > volume || this.#zipOffset + filled > (1 + overshoot) * volume ? Math.floor(left / step) * step : filled;
    // Where a gap alone has filled the volume, an entry has to come behind it.
    return room > 0 || this.#entries > 0 ? Math.max(0, room) : Math.floor(volume / step) * step;
  }

  get #isFull(): boolean {
    return this.#entries > 0 && (this.#zipOffset >= this.#limits.volume || this.#directory.size >= this.#limits.directory);
  }

  /** Whether an entry with this name and size is written in one piece with its sizes up front. */
  fitsFrame(record: ZipRecord, size: number): boolean {
    return localHeaderSize(record, false) + size <= frameContentSize;
  }

  /**
   * An entry that fits into a frame. `read` puts the data into the room it is given and returns how many bytes there were, with
   * their CRC, or null where there is to be no entry after all; then, and when it throws, nothing has been written.
   */
  addSmall(record: ZipRecord, maxSize: number, read: (room: Buffer) => { size: number; crc: number }): Stretch;
  addSmall(record: ZipRecord, maxSize: number, read: (room: Buffer) => { size: number; crc: number } | null): Stretch | null;
  addSmall(record: ZipRecord, maxSize: number, read: (room: Buffer) => { size: number; crc: number } | null): Stretch | null {
    this.#endVolumeBefore(maxSize);
    const header = localHeaderSize(record, false);
    const room = this.#frames.room(header + maxSize);
    const data = read(room.subarray(header, header + maxSize));
    if (data === null) return null;
    writeLocalHeader(room, record, false, data);
    const stretch = inFrame(this.#frames.frame, this.#frames.used + header, data.size);
    this.#frames.advance(header + data.size);
    this.#list(record, false, data, header + data.size);
    return stretch;
  }

  /**
   * An entry of any size: of `size` bytes, as far as that is known before they are read. `read` fills the buffer it is given and returns how many bytes it put there; 0 ends the data. When it
   * throws at once, nothing has been written. When it throws later, what was written stays: as an entry of its own where it is a
   * piece, else as a gap that no directory lists, and the next entry follows behind it.
   */
  addStreamed(record: ZipRecord, size: number, read: (room: Buffer) => number, crcOf: () => number, isPiece = false): readonly Stretch[] {
    this.#endVolumeBefore(size);
    const header = localHeaderSize(record, true);
    const room = this.#frames.room(header + (isPiece ? pieceRoom : 1));
    let taken = read(room.subarray(header));
    writeLocalHeader(room, record, true, { size: 0, crc: 0 });
    this.#frames.advance(header);
    const stretches = new ExtentList();
    let length = 0;
    // 7z takes a ZIP that begins with a gap for damaged, and a volume often begins with a piece.
    let whole = isPiece;
    try {
      while (taken > 0) {
        stretches.add(inFrame(this.#frames.frame, this.#frames.used, taken));
        this.#frames.advance(taken);
        length += taken;
        taken = read(this.#frames.room(1));
      }
      whole = true;
    } finally {
      const end = { size: length, crc: crcOf() };
      const descriptor = dataDescriptor(end);
      this.#frames.append(descriptor);
      // No frame holds stretches of two large files: each can be read back by one thread, in order.
      this.#frames.close(0);
      const written = header + length + descriptor.length;
      if (whole) this.#list(record, true, end, written);
      else this.#zipOffset += written;
    }
    return stretches.all;
  }

  /** Central directory and end records; the frame that holds their end is marked as the volume's last. `isLast`: no volume follows. */
  endVolume(isLast = false): void {
    const { size } = this.#directory;
    for (const piece of this.#directory.take()) this.#frames.append(piece);
    this.#frames.append(endRecords({ entries: this.#entries, size, offset: this.#zipOffset }));
    this.#frames.close(isLast ? endsVolume | endsRun : endsVolume);
    this.#zipOffset = 0;
    this.#entries = 0;
  }

  /** What is cut off costs a volume: none gets much longer than it is to be, unless it would have next to nothing in it otherwise. */
  #endVolumeBefore(size: number): void {
    const { volume } = this.#limits;
    const overshoots = this.#zipOffset > overshoot * volume && this.#zipOffset + size > (1 + overshoot) * volume;
    if (this.#isFull || (this.#entries > 0 && overshoots)) this.endVolume();
  }

  #list(record: ZipRecord, streamed: boolean, data: { readonly size: number; readonly crc: number }, written: number): void {
    const room = centralHeaderRoom + record.name.length + record.extra.length;
    this.#directory.add(room, (out, start) => writeCentralHeader(out, start, record, streamed, { ...data, offset: this.#zipOffset }));
    this.#entries += 1;
    this.#zipOffset += written;
  }
}
