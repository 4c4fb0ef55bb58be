import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn, largestUncut } from './edits.ts';
import { groundOf, pieceSize, type Recorded } from './ground.ts';

/** Files of this many bytes and more are found under another path. */
const smallestFound = 2 ** 16;

export interface Sending {
  /** How many files a run leaves unsent: at least, and at most. Only where large files begin alike does it not have to find all. */
  readonly keptFiles: readonly [number, number];
  /** It sends no more of their content. */
  readonly mostBytes: number;
}

/**
 * What the rules (docs/decisions/0060, 0063, 0064) let a run send of a folder when `recorded` is what the snapshot before says and, behind it, what runs since
 * then that were cut off have written down. `isUsable`: which archives can be built on.
 */
export function expectedSending(folder: string, recorded: readonly Recorded[], isUsable: (archive: string) => boolean): Sending {
  const ground = groundOf(recorded, isUsable);
  const contents = new Set([...ground.values()].map(({ sha256 }) => sha256));
  let [least, most, mostBytes] = [0, 0, 0];
  for (const name of filesIn(folder)) {
    const bytes = readFileSync(join(folder, name));
    const sha256 = hashOf(bytes);
    const before = ground.get(name);
    const unchanged = before?.sha256 === sha256;
    const found = bytes.length >= smallestFound && contents.has(sha256);
    contents.add(sha256);
    if (unchanged || (found && bytes.length <= largestUncut)) least += 1;
    // All pieces of a file that a run was cut off in may be there, and nothing says that they are the file.
    const inPieces = bytes.length > largestUncut ? changedBytes(bytes, before?.pieces ?? []) : bytes.length;
    if (unchanged || found || inPieces === 0) most += 1;
    else mostBytes += inPieces;
    if (found && !unchanged && bytes.length > largestUncut) mostBytes += bytes.length;
  }
  return { keptFiles: [least, most], mostBytes };
}

/** Of a file that is not as it was: the pieces that differ from those at their places before, or lie in what may not be built on. */
function changedBytes(bytes: Buffer, pieces: readonly (string | undefined)[]): number {
  let changed = 0;
  for (let at = 0; at < bytes.length; at += pieceSize) {
    const piece = bytes.subarray(at, at + pieceSize);
    if (pieces[at / pieceSize] !== hashOf(piece)) changed += piece.length;
  }
  return changed;
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
