import { Fault } from '../../contract/faults.ts';

/*
 * The zstd seekable format (zstd contrib/seekable_format): independent frames, and behind them a skippable frame that lists their
 * sizes. A plain zstd reader skips it. Little-endian, without checksums: the AEAD around it is stronger than any.
 */
const skippableMagic = 0x184d_2a5e;
const seekableMagic = 0x8f92_eab1;
const footerSize = 9;
const skippableHeaderSize = 8;
const entrySize = 8;
/** The most a frame may hold; a reader refuses more before it allocates anything. */
export const maxFrameContent = 8 * 2 ** 20;
const maxFrames = 0x800_0000;

export interface FrameSize {
  /** Bytes in the zstd stream. */
  readonly stored: number;
  /** Bytes after decompression. */
  readonly content: number;
}

/** Bytes of a table for so many frames. */
export function seekTableSize(frames: number): number {
  return skippableHeaderSize + frames * entrySize + footerSize;
}

export function encodeSeekTable(frames: readonly FrameSize[]): Buffer {
  if (frames.length > maxFrames)
    throw new Fault('unsupported', `an archive ends at ${maxFrames} frames`, { operation: 'write seek table' });
  const table = Buffer.alloc(seekTableSize(frames.length));
  table.writeUInt32LE(skippableMagic, 0);
  table.writeUInt32LE(table.length - skippableHeaderSize, 4);
  frames.forEach((frame, index) => {
    table.writeUInt32LE(frame.stored, skippableHeaderSize + index * entrySize);
    table.writeUInt32LE(frame.content, skippableHeaderSize + index * entrySize + 4);
  });
  table.writeUInt32LE(frames.length, table.length - footerSize);
  table.writeUInt32LE(seekableMagic, table.length - 4);
  return table;
}

/**
 * Reads the table from the last bytes of a zstd stream of `streamSize` bytes. Null when there is none or `tail` is too short to
 * hold it whole (seekTableLength tells). Fault corrupt when it contradicts itself or the stream.
 */
export function decodeSeekTable(tail: Uint8Array, streamSize: number): readonly FrameSize[] | null {
  const length = seekTableLength(tail);
  if (length === null || length > tail.length) return null;
  const table = Buffer.from(tail.buffer, tail.byteOffset + tail.length - length, length);
  const refuse = (why: string): Fault => new Fault('corrupt', `the seek table is wrong: ${why}`, { operation: 'read seek table' });
  if (table.readUInt32LE(0) !== skippableMagic || table.readUInt32LE(4) !== length - skippableHeaderSize) throw refuse('its frame header');
  const frames: FrameSize[] = [];
  let stored = 0;
  for (let at = skippableHeaderSize; at < length - footerSize; at += entrySize) {
    const frame = { stored: table.readUInt32LE(at), content: table.readUInt32LE(at + 4) };
    if (frame.content > maxFrameContent) throw refuse(`a frame of ${frame.content} bytes`);
    stored += frame.stored;
    frames.push(frame);
  }
  if (stored + length !== streamSize) throw refuse('its sums do not match the stream');
  return frames;
}

/** The length of the table that ends here, or null when these bytes do not end with one. */
export function seekTableLength(tail: Uint8Array): number | null {
  if (tail.length < footerSize) return null;
  const footer = Buffer.from(tail.buffer, tail.byteOffset + tail.length - footerSize, footerSize);
  if (footer.readUInt32LE(5) !== seekableMagic || footer[4] !== 0) return null;
  const frames = footer.readUInt32LE(0);
  return frames > maxFrames ? null : seekTableSize(frames);
}
