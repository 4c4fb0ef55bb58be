import { splitNanoseconds } from './nanoseconds.ts';
import { isAscii, pathBytes, pathText } from './byte-path.ts';
import type { BytePath } from './byte-path.ts';

/*
 * ZIP with stored entries, written front to back (APPNOTE 6.3.10). Small entries carry size and CRC in their local header;
 * larger ones a data descriptor, always with 8-byte sizes. The ZIP64 end records are always there: one shape, never guessed.
 */
const max32 = 0xffff_ffff;
const localSignature = 0x0403_4b50;
const centralSignature = 0x0201_4b50;
const descriptorSignature = 0x0807_4b50;
const flagStreamed = 0x0008;
const flagUtf8 = 0x0800;
const versionZip64 = 45;
const versionPlain = 20;
const zip64LocalSize = 20;
const madeByUnix = (3 << 8) | versionZip64;
export const modeType = 0o170000;
export const modeDirectory = 0o040000;
export const modeFile = 0o100000;
export const modeSymlink = 0o120000;

export interface ZipEntry {
  /** Name in the archive; a folder's ends in `/`. */
  readonly name: BytePath;
  /** Type and permission bits as in st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
}

/** What local and central header have in common, worked out once: an archive of small files is mostly headers. */
export interface ZipRecord {
  readonly name: Buffer;
  readonly extra: Buffer;
  readonly time: number;
  readonly date: number;
  readonly flags: number;
  readonly mode: number;
}

/** What is known once the data has been written. */
export interface ZipEntryEnd {
  readonly size: number;
  readonly crc: number;
  /** Of the local header, from the start of the ZIP. */
  readonly offset: number;
}

export function zipRecord(entry: ZipEntry): ZipRecord {
  const { seconds, rest } = splitNanoseconds(entry.mtimeNs);
  const [time, date] = dosTime(Number(seconds));
  const utf8 = isAscii(entry.name) || pathText(entry.name) !== null;
  return {
    name: pathBytes(entry.name),
    extra: timeAndOwner(Number(seconds), Number(rest), entry.uid, entry.gid),
    time,
    date,
    flags: utf8 ? flagUtf8 : 0,
    mode: entry.mode,
  };
}

/** UT (0x5455): mtime in seconds, where it fits 32 bits; ux (0x7875): owner; hf (0x6668): the nanoseconds that UT lacks. */
function timeAndOwner(seconds: number, nanoseconds: number, uid: number, gid: number): Buffer {
  const withTime = seconds >= -(2 ** 31) && seconds < 2 ** 31;
  let at = withTime ? 9 : 0;
  const extra = Buffer.allocUnsafe(at + 15 + 8);
  if (withTime) {
    extra.writeUInt16LE(0x5455, 0);
    extra.writeUInt16LE(5, 2);
    extra[4] = 1;
    extra.writeInt32LE(seconds, 5);
  }
  at = extra.writeUInt16LE(0x7875, at);
  at = extra.writeUInt16LE(11, at);
  at = extra.writeUInt8(1, at);
  at = extra.writeUInt8(4, at);
  at = extra.writeUInt32LE(uid >>> 0, at);
  at = extra.writeUInt8(4, at);
  at = extra.writeUInt32LE(gid >>> 0, at);
  at = extra.writeUInt16LE(0x6668, at);
  at = extra.writeUInt16LE(4, at);
  extra.writeUInt32LE(nanoseconds, at);
  return extra;
}

/** Date and time in MS-DOS form, of the UTC time: [time, date]. Times outside 1980 to 2107 are moved to its borders. */
function dosTime(seconds: number): readonly [number, number] {
  const date = new Date(seconds * 1000);
  const year = date.getUTCFullYear();
  if (!(year >= 1980)) return [0, (1 << 5) | 1];
  if (year > 2107) return [(23 << 11) | (59 << 5) | 29, (127 << 9) | (12 << 5) | 31];
  return [
    (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1),
    ((year - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate(),
  ];
}

/** `streamed`: sizes and CRC come in a descriptor after the data. */
export function localHeaderSize(record: ZipRecord, streamed: boolean): number {
  return 30 + record.name.length + (streamed ? zip64LocalSize : 0) + record.extra.length;
}

/** Writes a local header to the start of `out`; for a streamed entry size and CRC are not looked at. Returns its length. */
export function writeLocalHeader(
  out: Buffer,
  record: ZipRecord,
  streamed: boolean,
  known: { readonly size: number; readonly crc: number },
): number {
  const { name, extra } = record;
  let at = out.writeUInt32LE(localSignature, 0);
  at = out.writeUInt16LE(streamed ? versionZip64 : versionPlain, at);
  at = out.writeUInt16LE(record.flags | (streamed ? flagStreamed : 0), at);
  at = out.writeUInt16LE(0, at);
  at = out.writeUInt16LE(record.time, at);
  at = out.writeUInt16LE(record.date, at);
  at = out.writeUInt32LE(streamed ? 0 : known.crc, at);
  at = out.writeUInt32LE(streamed ? max32 : known.size, at);
  at = out.writeUInt32LE(streamed ? max32 : known.size, at);
  at = out.writeUInt16LE(name.length, at);
  at = out.writeUInt16LE((streamed ? zip64LocalSize : 0) + extra.length, at);
  out.set(name, at);
  at += name.length;
  if (streamed) {
    at = out.writeUInt16LE(0x0001, at);
    at = out.writeUInt16LE(16, at);
    out.fill(0, at, at + 16);
    at += 16;
  }
  out.set(extra, at);
  return at + extra.length;
}

/** After the data of a streamed entry. */
export function dataDescriptor(end: { readonly size: number; readonly crc: number }): Buffer {
  const descriptor = Buffer.alloc(24);
  descriptor.writeUInt32LE(descriptorSignature, 0);
  descriptor.writeUInt32LE(end.crc, 4);
  descriptor.writeBigUInt64LE(BigInt(end.size), 8);
  descriptor.writeBigUInt64LE(BigInt(end.size), 16);
  return descriptor;
}

/** The most that a central header takes beside name and extra fields. */
export const centralHeaderRoom = 46 + 4 + 24;

/** Writes an entry of the central directory to `out` at `start`. Returns where it ends. */
export function writeCentralHeader(out: Buffer, start: number, record: ZipRecord, streamed: boolean, end: ZipEntryEnd): number {
  const { name, extra } = record;
  const wideSize = end.size >= max32;
  const wideOffset = end.offset >= max32;
  const zip64 = wideSize || wideOffset ? 4 + (wideSize ? 16 : 0) + (wideOffset ? 8 : 0) : 0;
  const directory = (record.mode & modeType) === modeDirectory;
  let at = out.writeUInt32LE(centralSignature, start);
  at = out.writeUInt16LE(madeByUnix, at);
  at = out.writeUInt16LE(streamed || zip64 > 0 ? versionZip64 : versionPlain, at);
  at = out.writeUInt16LE(record.flags | (streamed ? flagStreamed : 0), at);
  at = out.writeUInt16LE(0, at);
  at = out.writeUInt16LE(record.time, at);
  at = out.writeUInt16LE(record.date, at);
  at = out.writeUInt32LE(end.crc, at);
  at = out.writeUInt32LE(Math.min(end.size, max32), at);
  at = out.writeUInt32LE(Math.min(end.size, max32), at);
  at = out.writeUInt16LE(name.length, at);
  at = out.writeUInt16LE(zip64 + extra.length, at);
  // Comment length, disk number, internal attributes.
  out.fill(0, at, at + 6);
  at = out.writeUInt32LE((((record.mode & 0xffff) << 16) | (directory ? 0x10 : 0)) >>> 0, at + 6);
  at = out.writeUInt32LE(Math.min(end.offset, max32), at);
  out.set(name, at);
  at += name.length;
  if (zip64 > 0) {
    at = out.writeUInt16LE(0x0001, at);
    at = out.writeUInt16LE(zip64 - 4, at);
    if (wideSize) {
      at = out.writeBigUInt64LE(BigInt(end.size), at);
      at = out.writeBigUInt64LE(BigInt(end.size), at);
    }
    if (wideOffset) at = out.writeBigUInt64LE(BigInt(end.offset), at);
  }
  out.set(extra, at);
  return at + extra.length;
}

/** ZIP64 end record, its locator and the end record. `offset`: where the central directory begins. */
export function endRecords(directory: { readonly entries: number; readonly size: number; readonly offset: number }): Buffer {
  const records = Buffer.alloc(56 + 20 + 22);
  records.writeUInt32LE(0x0606_4b50, 0);
  records.writeBigUInt64LE(44n, 4);
  records.writeUInt16LE(madeByUnix, 12);
  records.writeUInt16LE(versionZip64, 14);
  records.writeBigUInt64LE(BigInt(directory.entries), 24);
  records.writeBigUInt64LE(BigInt(directory.entries), 32);
  records.writeBigUInt64LE(BigInt(directory.size), 40);
  records.writeBigUInt64LE(BigInt(directory.offset), 48);
  records.writeUInt32LE(0x0706_4b50, 56);
  records.writeBigUInt64LE(BigInt(directory.offset + directory.size), 64);
  records.writeUInt32LE(1, 72);
  records.writeUInt32LE(0x0605_4b50, 76);
  records.writeUInt16LE(0xffff, 84);
  records.writeUInt16LE(0xffff, 86);
  records.writeUInt32LE(max32, 88);
  records.writeUInt32LE(max32, 92);
  return records;
}

const reserved = '.holdfast';

/** The name of a path inside the ZIP: our reserved top-level name is moved aside when a server really has it. */
export function zipName(path: BytePath, directory: boolean): BytePath {
  const escaped = path === reserved || path.startsWith(`${reserved}/`) ? `${reserved}/files/${path}` : path;
  return (directory ? `${escaped}/` : escaped) as BytePath;
}

/** The name of one piece of a file that is larger than a volume; sixteen digits let a shell sort the pieces. */
export function pieceName(path: BytePath, offset: number): BytePath {
  return `${reserved}/pieces/${path}@${String(offset).padStart(16, '0')}` as BytePath;
}
