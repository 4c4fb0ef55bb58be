import { readSync, writeSync } from 'node:fs';
import { Fault } from '../../../contract/faults.ts';
import { asBytePath } from '../../../engine/archive/byte-path.ts';
import { spoolFault } from '../../files/spool.ts';
import { readingPiece, type KnownContent } from './known-content.ts';
import { readStretches, stretchRoom, writeStretches } from './stretches.ts';

/** As it is written down. */
export type StoredContent = Omit<KnownContent, 'isUsable' | 'pieceSize'>;

/** u32 length of the hashes, number of stretches, length of the path; f64 size. */
const headSize = 3 * 4 + 8;
const bufferSize = 2 ** 18;

/** Contents in a nameless file, so that a million of them need no memory. For one worker thread. */
export class ContentRecords {
  readonly #handle: number;
  #pending: Buffer[] = [];
  #pendingSize = 0;
  #flushed = 0;

  constructor(handle: number) {
    this.#handle = handle;
  }

  /** Where it is found again. */
  add({ size, hashes, stretches, path = asBytePath('') }: StoredContent): number {
    const place = this.#flushed + this.#pendingSize;
    const record = Buffer.allocUnsafe(headSize + hashes.length + stretchRoom(stretches.length) + path.length);
    record.writeUInt32LE(hashes.length, 0);
    record.writeUInt32LE(stretches.length, 4);
    record.writeUInt32LE(path.length, 8);
    record.writeDoubleLE(size, 12);
    hashes.copy(record, headSize);
    record.write(path, writeStretches(record, headSize + hashes.length, stretches), 'latin1');
    this.#pending.push(record);
    this.#pendingSize += record.length;
    if (this.#pendingSize >= bufferSize) this.#flush();
    return place;
  }

  read(place: number): StoredContent & Pick<KnownContent, 'pieceSize'> {
    this.#flush();
    const head = this.#bytes(place, headSize);
    const [hashesLength, count, pathLength] = [0, 4, 8].map((at) => head.readUInt32LE(at)) as [number, number, number];
    const size = head.readDoubleLE(12);
    const body = this.#bytes(place + headSize, hashesLength + stretchRoom(count) + pathLength);
    const stretches = readStretches(body, hashesLength, count);
    const path = asBytePath(body.toString('latin1', body.length - pathLength));
    return {
      size,
      pieceSize: readingPiece(size),
      hashes: body.subarray(0, hashesLength),
      stretches,
      ...(pathLength === 0 ? {} : { path }),
    };
  }

  #bytes(place: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let filled = 0; filled < length;) {
      const taken = readSync(this.#handle, bytes, filled, length - filled, place + filled);
      if (taken === 0) throw new Fault('unexpected', 'a temporary file ended early', { operation: 'pack' });
      filled += taken;
    }
    return bytes;
  }

  #flush(): void {
    if (this.#pendingSize === 0) return;
    const bytes = Buffer.concat(this.#pending);
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#handle, bytes, at, bytes.length - at, this.#flushed + at);
    } catch (error) {
      throw spoolFault(error);
    }
    this.#flushed += bytes.length;
    this.#pending = [];
    this.#pendingSize = 0;
  }
}
