import { readSync } from 'node:fs';
import { Fault } from '../../../contract/faults.ts';
import { pathFromBytes } from '../../../engine/archive/byte-path.ts';
import type { BytePath } from '../../../engine/archive/byte-path.ts';

/** An entry of a ZIP file's central directory (APPNOTE 4.3.12). */
export interface ZipFileEntry {
  readonly name: BytePath;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
  /** st_mode where a Unix program wrote it, else 0. */
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

const max32 = 0xffff_ffff;
/** 46 bytes and three lengths of 16 bits. */
const largestRecord = 46 + 3 * 0xffff;
const windowSize = 2 ** 20;

function refuse(why: string): Fault {
  return new Fault('corrupt', `the ZIP inside is damaged: ${why}`, { operation: 'read ZIP' });
}

export function readZipBytes(handle: number, offset: number, length: number): Buffer {
  // ZIP64 can name places that no number holds exactly and no file reaches.
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(offset + length)) throw refuse('it names a place that cannot be');
  const bytes = Buffer.allocUnsafe(length);
  for (let filled = 0; filled < length;) {
    const taken = readSync(handle, bytes, filled, length - filled, offset + filled);
    if (taken === 0) throw refuse('it ends early');
    filled += taken;
  }
  return bytes;
}

/** Reads the central directory of any ordinary ZIP file, ZIP64 included, a megabyte at a time: that of a million files has a hundred of them. */
export function* zipEntries(handle: number, size: number): Generator<ZipFileEntry> {
  const tailSize = Math.min(size, 65_557);
  const tail = readZipBytes(handle, size - tailSize, tailSize);
  const end = tail.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0 || tail.length - end < 22) throw refuse('it has no end record');
  let length = tail.readUInt32LE(end + 12);
  let offset = tail.readUInt32LE(end + 16);
  if (end >= 20 && tail.readUInt32LE(end - 20) === 0x0706_4b50) {
    const record = readZipBytes(handle, Number(tail.readBigUInt64LE(end - 12)), 56);
    if (record.readUInt32LE(0) !== 0x0606_4b50) throw refuse('its ZIP64 end record is wrong');
    length = Number(record.readBigUInt64LE(40));
    offset = Number(record.readBigUInt64LE(48));
  }
  if (offset + length > size) throw refuse('its directory lies outside of it');
  let window: Buffer = Buffer.alloc(0);
  let windowFrom = 0;
  for (let at = 0; at < length;) {
    if (Math.min(at + largestRecord, length) > windowFrom + window.length) {
      window = readZipBytes(handle, offset + at, Math.min(windowSize, length - at));
      windowFrom = at;
    }
    const record = window.subarray(at - windowFrom);
    if (record.length < 46 || record.readUInt32LE(0) !== 0x0201_4b50) throw refuse('its directory is wrong');
    const nameLength = record.readUInt16LE(28);
    const extraLength = record.readUInt16LE(30);
    const recordLength = 46 + nameLength + extraLength + record.readUInt16LE(32);
    if (recordLength > record.length) throw refuse('its directory ends inside an entry');
    const entry = readEntry(record, record.subarray(46 + nameLength, 46 + nameLength + extraLength));
    // Sizes are summed up before anything is read, to see whether there is room: they must be possible.
    if (entry.offset + entry.packed > size || (entry.method === 0 && entry.size !== entry.packed))
      throw refuse('an entry is larger than the file');
    yield entry;
    at += recordLength;
  }
}

function readEntry(record: Buffer, extra: Buffer): ZipFileEntry {
  let size = record.readUInt32LE(24);
  let packed = record.readUInt32LE(20);
  let offset = record.readUInt32LE(42);
  let owner: ZipFileEntry['owner'] = null;
  let seconds: number | null = null;
  let nanoseconds = 0;
  for (const [id, data] of extras(extra)) {
    if (id === 0x0001) {
      let wide = 0;
      const take = (): number => {
        wide += 8;
        if (wide > data.length) throw refuse('a ZIP64 field is too short');
        return Number(data.readBigUInt64LE(wide - 8));
      };
      if (size === max32) size = take();
      if (packed === max32) packed = take();
      if (offset === max32) offset = take();
    } else if (id === 0x5455 && data.length >= 5 && ((data[0] ?? 0) & 1) === 1) seconds = data.readInt32LE(1);
    else if (id === 0x6668 && data.length >= 4) nanoseconds = data.readUInt32LE(0);
    else if (id === 0x7875 && data.length >= 11 && data[1] === 4 && data[6] === 4)
      owner = { uid: data.readUInt32LE(2), gid: data.readUInt32LE(7) };
  }
  const byUnix = record.readUInt16LE(4) >> 8 === 3;
  const dos = dosTime(record.readUInt16LE(12), record.readUInt16LE(14));
  return {
    name: pathFromBytes(record.subarray(46, 46 + record.readUInt16LE(28))),
    method: record.readUInt16LE(10),
    flags: record.readUInt16LE(8),
    crc: record.readUInt32LE(16),
    packed,
    size,
    offset,
    mode: byUnix ? record.readUInt32LE(38) >>> 16 : 0,
    mtimeNs: seconds === null ? dos : BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
    owner,
  };
}

function* extras(extra: Buffer): Generator<[number, Buffer]> {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    yield [extra.readUInt16LE(at), extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))];
  }
}

function dosTime(time: number, date: number): bigint {
  const milliseconds = Date.UTC(1980 + (date >> 9), ((date >> 5) & 15) - 1, date & 31, time >> 11, (time >> 5) & 63, (time & 31) * 2);
  return BigInt(milliseconds) * 1_000_000n;
}
