import { hash } from 'node:crypto';
import { decodePieces, pieceHashSize, pieceSizeFor } from '../../../engine/snapshots/file-pieces.ts';
import type { ManifestEntry } from '../../../engine/snapshots/manifest-entry.ts';

/**
 * Bytes of a file with holes that a disk has to have room for: of one in pieces those that are not all zero, which is at most what is written. A smaller one has
 * no pieces; of that only its frames are known, and what they hold is not told from holes by their length: it is no less than they are compressed.
 */
export function dataOf({ size, pieces, extents }: Pick<ManifestEntry, 'size' | 'pieces' | 'extents'>): number {
  const pieceSize = pieceSizeFor(size);
  const hashes = decodePieces(pieces, size);
  if (pieceSize !== null && hashes !== null) return size - zerosIn(hashes, size, pieceSize);
  const stored = extents.reduce((sum, extent) => sum + extent[2], 0);
  return Math.min(size, stored);
}

function zerosIn(hashes: Buffer, size: number, pieceSize: number): number {
  const last = Math.ceil(size / pieceSize) - 1;
  const full = hashOfZeros(pieceSize);
  let zeros = 0;
  for (let piece = 0; piece <= last; piece += 1) {
    const length = Math.min(pieceSize, size - piece * pieceSize);
    const ofZeros = length === pieceSize ? full : hashOfZeros(length);
    if (hashes.compare(ofZeros, 0, pieceHashSize, piece * pieceHashSize, (piece + 1) * pieceHashSize) === 0) zeros += length;
  }
  return zeros;
}

const hashOfZeros = (length: number): Buffer => hash('sha256', Buffer.alloc(length), 'buffer');
