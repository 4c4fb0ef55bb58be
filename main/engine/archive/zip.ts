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
  /** Sizes and CRC come in a descriptor after the data. */
  readonly streamed: boolean;
}

/** What is known once the data has been written. */
export interface ZipEntryEnd {
  readonly size: number;
  readonly crc: number;
  /** Of the local header, from the start of the ZIP. */
  readonly offset: number;
}

function fitsUnixTime(seconds: bigint): boolean {
  return seconds >= -(2n ** 31n) && seconds < 2n ** 31n;
}

/** UT (0x5455): mtime in seconds; ux (0x7875): owner; hf (0x6668): the nanoseconds that UT lacks. */
function timeAndOwner(entry: ZipEntry): Buffer {
  let seconds = entry.mtimeNs / 1_000_000_000n;
  let nanoseconds = entry.mtimeNs % 1_000_000_000n;
  if (nanoseconds < 0n) {
    seconds -= 1n;
    nanoseconds += 1_000_000_000n;
  }
  const withTime = fitsUnixTime(seconds);
  const extra = Buffer.alloc((withTime ? 9 : 0) + 15 + 8);
  let at = 0;
  if (withTime) {
    extra.writeUInt16LE(0x5455, 0);
    extra.writeUInt16LE(5, 2);
    extra[4] = 1;
    extra.writeInt32LE(Number(seconds), 5);
    at = 9;
  }
  extra.writeUInt16LE(0x7875, at);
  extra.writeUInt16LE(11, at + 2);
  extra[at + 4] = 1;
  extra[at + 5] = 4;
  extra.writeUInt32LE(entry.uid >>> 0, at + 6);
  extra[at + 10] = 4;
  extra.writeUInt32LE(entry.gid >>> 0, at + 11);
  extra.writeUInt16LE(0x6668, at + 15);
  extra.writeUInt16LE(4, at + 17);
  extra.writeUInt32LE(Number(nanoseconds), at + 19);
  return extra;
}

/** Date and time in MS-DOS form, of the UTC time: [time, date]. Times outside 1980 to 2107 are moved to its borders. */
function dosTime(mtimeNs: bigint): readonly [number, number] {
  const date = new Date(Number(mtimeNs / 1_000_000n));
  const year = date.getUTCFullYear();
  if (!(year >= 1980)) return [0, (1 << 5) | 1];
  if (year > 2107) return [(23 << 11) | (59 << 5) | 29, (127 << 9) | (12 << 5) | 31];
  return [
    (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1),
    ((year - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate(),
  ];
}

function flags(entry: ZipEntry): number {
  const utf8 = isAscii(entry.name) || pathText(entry.name) !== null;
  return (utf8 ? flagUtf8 : 0) | (entry.streamed ? flagStreamed : 0);
}

/** A local header; for a streamed entry size and CRC are not looked at. */
export function localHeader(entry: ZipEntry, known: { readonly size: number; readonly crc: number }): Buffer {
  const name = pathBytes(entry.name);
  const extra = timeAndOwner(entry);
  const zip64 = entry.streamed ? 20 : 0;
  const header = Buffer.alloc(30 + name.length + zip64 + extra.length);
  const [time, date] = dosTime(entry.mtimeNs);
  header.writeUInt32LE(localSignature, 0);
  header.writeUInt16LE(entry.streamed ? versionZip64 : versionPlain, 4);
  header.writeUInt16LE(flags(entry), 6);
  header.writeUInt16LE(time, 10);
  header.writeUInt16LE(date, 12);
  header.writeUInt32LE(entry.streamed ? 0 : known.crc, 14);
  header.writeUInt32LE(entry.streamed ? max32 : known.size, 18);
  header.writeUInt32LE(entry.streamed ? max32 : known.size, 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(zip64 + extra.length, 28);
  name.copy(header, 30);
  if (entry.streamed) {
    header.writeUInt16LE(0x0001, 30 + name.length);
    header.writeUInt16LE(16, 32 + name.length);
  }
  extra.copy(header, 30 + name.length + zip64);
  return header;
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

/** One entry of the central directory. */
export function centralHeader(entry: ZipEntry, end: ZipEntryEnd): Buffer {
  const name = pathBytes(entry.name);
  const wide: bigint[] = [];
  if (end.size >= max32) wide.push(BigInt(end.size), BigInt(end.size));
  if (end.offset >= max32) wide.push(BigInt(end.offset));
  const zip64 = wide.length > 0 ? 4 + wide.length * 8 : 0;
  const extra = timeAndOwner(entry);
  const header = Buffer.alloc(46 + name.length + zip64 + extra.length);
  const [time, date] = dosTime(entry.mtimeNs);
  const directory = (entry.mode & modeType) === modeDirectory;
  header.writeUInt32LE(centralSignature, 0);
  header.writeUInt16LE(madeByUnix, 4);
  header.writeUInt16LE(entry.streamed || zip64 > 0 ? versionZip64 : versionPlain, 6);
  header.writeUInt16LE(flags(entry), 8);
  header.writeUInt16LE(time, 12);
  header.writeUInt16LE(date, 14);
  header.writeUInt32LE(end.crc, 16);
  header.writeUInt32LE(Math.min(end.size, max32), 20);
  header.writeUInt32LE(Math.min(end.size, max32), 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(zip64 + extra.length, 30);
  header.writeUInt32LE((((entry.mode & 0xffff) << 16) | (directory ? 0x10 : 0)) >>> 0, 38);
  header.writeUInt32LE(Math.min(end.offset, max32), 42);
  name.copy(header, 46);
  if (zip64 > 0) {
    header.writeUInt16LE(0x0001, 46 + name.length);
    header.writeUInt16LE(wide.length * 8, 48 + name.length);
    wide.forEach((value, index) => header.writeBigUInt64LE(value, 50 + name.length + index * 8));
  }
  extra.copy(header, 46 + name.length + zip64);
  return header;
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
