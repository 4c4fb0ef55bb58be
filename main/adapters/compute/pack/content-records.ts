import { readSync } from 'node:fs';
import { Fault } from '../../../contract/faults.ts';
import { asBytePath } from '../../../engine/archive/byte-path.ts';
import { largestUncut } from '../../../engine/snapshots/file-pieces.ts';
import { writeSpool } from '../../files/spool.ts';
import { readingPiece, type KnownContent } from './known-content.ts';
import { readStretches, stretchRoom, writeStretches } from './stretches.ts';

/** As it is written down. */
export type StoredContent = Omit<KnownContent, 'isUsable' | 'pieceSize'>;

/** Of a content above 8 MiB, where the one of the same size lies that was added before it and begins alike, and where the one of any size. */
export type Before = readonly [sameSize: number | null, anySize: number | null];

/** u32 length of the hashes, number of stretches, length of the path; f64 size. */
const headSize = 3 * 4 + 8;
/** Of a content above 8 MiB two f64: one more than the place, or 0. */
const linksSize = 2 * 8;
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
  add({ size, hashes, stretches, path = asBytePath('') }: StoredContent, before: Before = [null, null]): number {
    const place = this.#flushed + this.#pendingSize;
    const links = size > largestUncut ? linksSize : 0;
    const record = Buffer.allocUnsafe(headSize + links + hashes.length + stretchRoom(stretches.length) + path.length);
    record.writeUInt32LE(hashes.length, 0);
    record.writeUInt32LE(stretches.length, 4);
    record.writeUInt32LE(path.length, 8);
    record.writeDoubleLE(size, 12);
    if (links > 0) for (const [index, link] of before.entries()) record.writeDoubleLE(link === null ? 0 : link + 1, headSize + 8 * index);
    const start = headSize + links;
    hashes.copy(record, start);
    record.write(path, writeStretches(record, start + hashes.length, stretches), 'latin1');
    this.#pending.push(record);
    this.#pendingSize += record.length;
    if (this.#pendingSize >= bufferSize) this.#flush();
    return place;
  }

  read(place: number): StoredContent & Pick<KnownContent, 'pieceSize'> & { readonly before: Before } {
    this.#flush();
    const head = this.#bytes(place, headSize);
    const [hashesLength, count, pathLength] = [0, 4, 8].map((at) => head.readUInt32LE(at)) as [number, number, number];
    const size = head.readDoubleLE(12);
    const links = size > largestUncut ? linksSize : 0;
    const body = this.#bytes(place + headSize, links + hashesLength + stretchRoom(count) + pathLength);
    const link = (at: number): number | null => (links === 0 || body.readDoubleLE(at) === 0 ? null : body.readDoubleLE(at) - 1);
    const stretches = readStretches(body, links + hashesLength, count);
    const path = asBytePath(body.toString('latin1', body.length - pathLength));
    return {
      size,
      pieceSize: readingPiece(size),
      hashes: body.subarray(links, links + hashesLength),
      stretches,
      before: [link(0), link(8)],
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
    writeSpool(this.#handle, bytes, this.#flushed);
    this.#flushed += bytes.length;
    this.#pending = [];
    this.#pendingSize = 0;
  }
}
