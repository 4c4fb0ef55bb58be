import { asBytePath } from '../../../engine/archive/byte-path.ts';
import { centralHeader, dataDescriptor, endRecords, localHeader } from '../../../engine/archive/zip.ts';
import type { ZipEntry } from '../../../engine/archive/zip.ts';
import { endsVolume, frameContentSize } from '../frame-ring.ts';
import type { FrameWriter, Run } from './frame-writer.ts';

/** A central directory this large ends a volume too: it is held in memory until then. */
const maxDirectorySize = 32 * 2 ** 20;

/** Writes ZIP after ZIP into the frames: one for each volume. */
export class VolumeWriter {
  readonly #frames: FrameWriter;
  readonly #volumeSize: number;
  #zipOffset = 0;
  #directory: Buffer[] = [];
  #directorySize = 0;
  #entries = 0;

  constructor(frames: FrameWriter, volumeSize: number) {
    this.#frames = frames;
    this.#volumeSize = volumeSize;
  }

  /** Whether an entry with this name and size is written in one piece with its sizes up front. */
  fitsFrame(entry: ZipEntry, size: number): boolean {
    return headerSize(entry) + size <= frameContentSize;
  }

  /**
   * An entry that fits into a frame. `read` puts the data into the room it is given and returns how many bytes there were, with
   * their CRC; when it throws, nothing has been written.
   */
  addSmall(entry: ZipEntry, maxSize: number, read: (room: Buffer) => { size: number; crc: number }): Run {
    this.#endVolumeWhenFull();
    const header = headerSize(entry);
    const room = this.#frames.room(header + maxSize);
    const data = read(room.subarray(header, header + maxSize));
    room.set(localHeader(entry, data));
    const run = { frame: this.#frames.frame, offset: this.#frames.used + header, length: data.size };
    this.#frames.advance(header + data.size);
    this.#list(entry, data.size, data.crc, header + data.size);
    return run;
  }

  /**
   * An entry of any size. `read` fills the buffer it is given and returns how many bytes it put there; 0 ends the data. When it
   * throws, what was written stays as a gap that no directory lists, and the next entry follows behind it.
   */
  addStreamed(entry: ZipEntry, read: (room: Buffer) => number, crcOf: () => number): Run {
    this.#endVolumeWhenFull();
    const header = localHeader(entry, { size: 0, crc: 0 });
    this.#frames.room(header.length + 1).set(header);
    this.#frames.advance(header.length);
    const start = { frame: this.#frames.frame, offset: this.#frames.used };
    let length = 0;
    let whole = false;
    try {
      for (;;) {
        const taken = read(this.#frames.room(1));
        if (taken === 0) break;
        this.#frames.advance(taken);
        length += taken;
      }
      whole = true;
    } finally {
      const end = { size: length, crc: crcOf() };
      const descriptor = dataDescriptor(end);
      this.#frames.append(descriptor);
      // No frame holds stretches of two large files: each can be read back by one thread, in order.
      this.#frames.close(0);
      const written = header.length + length + descriptor.length;
      if (whole) this.#list(entry, end.size, end.crc, written);
      else this.#zipOffset += written;
    }
    return { ...start, length };
  }

  /** Central directory and end records; the frame that holds their end is marked as the volume's last. */
  endVolume(): void {
    for (const chunk of this.#directory) this.#frames.append(chunk);
    this.#frames.append(endRecords({ entries: this.#entries, size: this.#directorySize, offset: this.#zipOffset }));
    this.#frames.close(endsVolume);
    this.#zipOffset = 0;
    this.#directory = [];
    this.#directorySize = 0;
    this.#entries = 0;
  }

  #endVolumeWhenFull(): void {
    if (this.#entries === 0) return;
    if (this.#zipOffset >= this.#volumeSize || this.#directorySize >= maxDirectorySize) this.endVolume();
  }

  #list(entry: ZipEntry, size: number, crc: number, written: number): void {
    const header = centralHeader(entry, { size, crc, offset: this.#zipOffset });
    this.#directory.push(header);
    this.#directorySize += header.length;
    this.#entries += 1;
    this.#zipOffset += written;
    // Many small buffers cost more than their bytes: fold them now and then.
    if (this.#directory.length >= 4096) this.#directory = [Buffer.concat(this.#directory)];
  }
}

const emptyName = asBytePath('');

/** Depends on the name's length and on whether the time fits, never on size or content. */
function headerSize(entry: ZipEntry): number {
  return localHeader({ ...entry, name: emptyName, streamed: false }, { size: 0, crc: 0 }).length + entry.name.length;
}
