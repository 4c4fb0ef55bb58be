import { hash } from 'node:crypto';
import { closeSync } from 'node:fs';
import { pieceHashSize } from '../../../engine/snapshots/file-pieces.ts';
import { writeContent } from './file-content.ts';
import type { FormerCopies } from './former-copies.ts';
import type { Plan, PlanFile, PlanPieces } from './plan.ts';

interface FormerFile {
  /** An open file of the target, of any length. */
  readonly handle: number;
  /** What the snapshot has in its place, and its number in the plan. */
  readonly file: PlanFile;
  readonly number: number;
  readonly pieces: PlanPieces;
}

/**
 * Takes over those pieces of a large file that the target has at the same place, into a staged file that the others are fetched into. Each is hashed as it
 * lies in memory, and that is what is written. True where all are there and make up the whole: then the file is finished. `onBytes` hears of what has been
 * taken over, and with a negative number that it was in vain.
 */
export function keepPieces(
  { handle, file, number, pieces }: FormerFile,
  plan: Plan,
  copies: FormerCopies,
  onBytes: (bytes: number) => void,
): boolean {
  const { first, pieceSize, hashes } = pieces;
  const room = Buffer.allocUnsafe(pieceSize);
  const count = hashes.length / pieceHashSize;
  const cloned = copies.clone(handle, file);
  let copy = cloned;
  let found = 0;
  let bytes = 0;
  try {
    for (let piece = 0; piece < count; piece += 1) {
      const position = piece * pieceSize;
      const data = room.subarray(0, Math.min(pieceSize, file.size - position));
      // In a clone the pieces lie where they belong; those that differ are written over.
      if (!copies.fill(data, cloned ?? handle, position)) break;
      if (!hash('sha256', data, 'buffer').equals(hashes.subarray(piece * pieceHashSize, (piece + 1) * pieceHashSize))) continue;
      copy ??= copies.begin(file);
      if (cloned === null) writeContent(copy, file, data, position);
      plan.setPieceKept(first + piece);
      found += 1;
      bytes += data.length;
      onBytes(data.length);
    }
    if (copy === null) return false;
    copies.setLength(copy, file);
    const all = found === count;
    if (all && copies.hash(copy, file.size).equals(file.sha256)) {
      copies.finish(copy, file);
      return true;
    }
    if (found > 0 && !all) plan.setPartKept(number);
    else {
      // Not one; or all of them and yet another file, whose list of pieces is wrong then.
      onBytes(-bytes);
      copies.remove(file);
    }
    return false;
  } finally {
    if (copy !== null) closeSync(copy);
  }
}
