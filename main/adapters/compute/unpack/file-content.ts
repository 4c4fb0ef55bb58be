import { createHash } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { writeFault } from '../../files/staged-tree.ts';
import type { Monitor } from '../monitor.ts';
import type { PlanFile } from './plan.ts';

const blockSize = 4096;
const zeros = Buffer.alloc(blockSize);
const pieceSize = 2 ** 20;

/** The content of an open file in pieces, each good until the next; fewer than `size` bytes where it ends early. */
export function* piecesOf(handle: number, size: number): Generator<Buffer> {
  const piece = Buffer.allocUnsafe(Math.min(pieceSize, size));
  for (let position = 0; position < size;) {
    const length = readSync(handle, piece, 0, Math.min(piece.length, size - position), position);
    if (length === 0) return;
    yield piece.subarray(0, length);
    position += length;
  }
}

/** SHA-256 of the first `size` bytes of an open file. Fault cancelled once the job has been stopped: a large one takes a while. */
export function hashHandle(handle: number, size: number, monitor: Monitor): Buffer {
  const sum = createHash('sha256');
  for (const piece of piecesOf(handle, size)) {
    monitor.check();
    sum.update(piece);
  }
  return sum.digest();
}

/** Writes all of it; of a sparse file, only the blocks that are not all zero. */
export function writeContent(handle: number, file: PlanFile, data: Buffer, position: number): void {
  try {
    if (!file.sparse) {
      for (let done = 0; done < data.length;) done += writeSync(handle, data, done, data.length - done, position + done);
      return;
    }
    for (let start = 0; start < data.length;) {
      const aligned = blockSize - ((position + start) % blockSize);
      const end = Math.min(start + aligned, data.length);
      if (!isZero(data.subarray(start, end))) {
        for (let done = start; done < end;) done += writeSync(handle, data, done, end - done, position + done);
      }
      start = end;
    }
  } catch (error) {
    throw writeFault(file.path, error);
  }
}

function isZero(block: Buffer): boolean {
  return block.equals(block.length === blockSize ? zeros : zeros.subarray(0, block.length));
}
