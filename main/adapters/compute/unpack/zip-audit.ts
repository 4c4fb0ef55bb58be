import { crc32 } from 'node:zlib';

interface Listed {
  readonly offset: number;
  readonly size: number;
  readonly crc: number;
  readonly name: Buffer;
}

const centralSignature = 0x0201_4b50;
const localSignature = 0x0403_4b50;
const max32 = 0xffff_ffff;
/** 46 bytes and three lengths of 16 bits. */
const largestRecord = 46 + 3 * 0xffff;
const windowSize = 2 ** 20;

/** Bytes that are read as they are needed: the directory of a million files has a hundred megabytes. */
export interface DirectoryBytes {
  readonly length: number;
  /** Memory of its own. */
  read(offset: number, length: number): Buffer;
}

/**
 * Follows a ZIP from front to back beside its central directory: every entry that the directory lists must begin where it says,
 * under the name it says, and hold data of the size and CRC it says. What no directory lists is passed over.
 */
export class ZipAudit {
  readonly #entries: Generator<Listed>;
  readonly #problem: (message: string) => void;
  /** Where the data of entries begins, in bytes of the ZIP, since they were forgotten last. */
  readonly #dataStarts = new Set<number>();
  #position = 0;
  #entry: Listed | null;
  #header: Buffer = Buffer.alloc(0);
  #left = -1;
  #crc = 0;
  #done = false;

  constructor(directory: DirectoryBytes, problem: (message: string) => void) {
    this.#problem = problem;
    this.#entries = readDirectory(directory, problem);
    this.#entry = this.#next();
  }

  feed(content: Buffer): void {
    let at = 0;
    while (at < content.length && this.#entry !== null) {
      const entry = this.#entry;
      if (this.#left < 0) {
        if (this.#position < entry.offset) {
          const pass = Math.min(entry.offset - this.#position, content.length - at);
          at += pass;
          this.#position += pass;
          continue;
        }
        const need = this.#headerSize();
        const take = Math.min(need - this.#header.length, content.length - at);
        this.#header = Buffer.concat([this.#header, content.subarray(at, at + take)]);
        at += take;
        this.#position += take;
        if (this.#header.length === this.#headerSize()) this.#beginData(entry);
        continue;
      }
      const data = content.subarray(at, at + Math.min(this.#left, content.length - at));
      this.#crc = crc32(data, this.#crc);
      at += data.length;
      this.#position += data.length;
      this.#left -= data.length;
      if (this.#left === 0) this.#endData(entry);
    }
    this.#position += content.length - at;
  }

  /** Whether an entry's data begins here, which must not lie before what was forgotten. */
  startsAt(position: number): boolean {
    return this.#dataStarts.has(position);
  }

  /** Nobody asks for what lies before where it has come to any more. */
  forget(): void {
    for (const position of this.#dataStarts) if (position < this.#position) this.#dataStarts.delete(position);
  }

  /** The archive is over. */
  end(): void {
    if (this.#entry !== null && !this.#done) this.#problem(`the ZIP ends before ${shown(this.#entry.name)}, which its directory lists`);
  }

  /** A local header's length is known only once its fixed part has been read. */
  #headerSize(): number {
    if (this.#header.length < 30) return 30;
    return 30 + this.#header.readUInt16LE(26) + this.#header.readUInt16LE(28);
  }

  #beginData(entry: Listed): void {
    const header = this.#header;
    const name = header.subarray(30, 30 + header.readUInt16LE(26));
    if (header.readUInt32LE(0) !== localSignature || !name.equals(entry.name)) {
      this.#problem(`the ZIP's directory lists ${shown(entry.name)} where something else stands`);
    } else {
      this.#dataStarts.add(this.#position);
    }
    this.#header = Buffer.alloc(0);
    this.#left = entry.size;
    this.#crc = 0;
    if (this.#left === 0) this.#endData(entry);
  }

  #endData(entry: Listed): void {
    if (this.#crc !== entry.crc) this.#problem(`${shown(entry.name)} has another CRC in the ZIP than its directory says`);
    this.#left = -1;
    this.#entry = this.#next();
  }

  #next(): Listed | null {
    const next = this.#entries.next();
    this.#done = next.done === true;
    return next.done === true ? null : next.value;
  }
}

function* readDirectory(directory: DirectoryBytes, problem: (message: string) => void): Generator<Listed, undefined> {
  let last = -1;
  let window: Buffer = Buffer.alloc(0);
  let windowFrom = 0;
  for (let at = 0; at < directory.length;) {
    if (Math.min(at + largestRecord, directory.length) > windowFrom + window.length) {
      window = directory.read(at, Math.min(windowSize, directory.length - at));
      windowFrom = at;
    }
    const record = window.subarray(at - windowFrom);
    if (record.length < 46 || record.readUInt32LE(0) !== centralSignature) {
      problem('the central directory of the ZIP is damaged');
      return;
    }
    const nameLength = record.readUInt16LE(28);
    const extraLength = record.readUInt16LE(30);
    const name = record.subarray(46, 46 + nameLength);
    let size = record.readUInt32LE(24);
    let offset = record.readUInt32LE(42);
    const zip64 = findExtra(record.subarray(46 + nameLength, 46 + nameLength + extraLength), 0x0001);
    if (zip64 !== null) {
      // Size and packed size, then the offset: of each only what does not fit into the record.
      const offsetAt = size === max32 ? 16 : 0;
      if (zip64.length < offsetAt + (offset === max32 ? 8 : 0)) {
        problem(`the central directory of the ZIP has a ZIP64 field that is too short, at ${shown(name)}`);
        return;
      }
      if (size === max32) size = Number(zip64.readBigUInt64LE(0));
      if (offset === max32) offset = Number(zip64.readBigUInt64LE(offsetAt));
    }
    if (offset <= last) {
      problem(`the central directory of the ZIP is out of order at ${shown(name)}`);
      return;
    }
    last = offset;
    yield { offset, size, crc: record.readUInt32LE(16), name };
    at += 46 + nameLength + extraLength + record.readUInt16LE(32);
  }
}

function findExtra(extra: Buffer, id: number): Buffer | null {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === id) return extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  }
  return null;
}

function shown(name: Buffer): string {
  return JSON.stringify(name.toString('utf8'));
}
