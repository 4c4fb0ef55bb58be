import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstNames, largestUncut } from './edits.ts';
import { firstPiece, groundOf, hashesIn, pieceSize, type Recorded } from './ground.ts';

/** Files of this many bytes and more are found under another path. */
const smallestFound = 2 ** 16;

export interface Sending {
  /**
   * How many files a run leaves unsent: at least, and at most. Not to be foretold are a large file whose pieces are all there, and that is none of the files there, and what only
   * older snapshots than the base hold.
   */
  readonly keptFiles: readonly [number, number];
  /** It sends no more of their content. */
  readonly mostBytes: number;
  /** Entries of the folder, itself included. */
  readonly entries: number;
}

export interface Known {
  /** What the snapshot before says and, behind it, what runs since then that were cut off have written down. */
  readonly recorded: readonly Recorded[];
  /** Which archives can be built on. */
  readonly isUsable: (archive: string) => boolean;
  /** All that was ever recorded in that destination: it may be found, and need not be. */
  readonly ever: readonly Recorded[];
}

/** What the rules (docs/decisions/0060, 0063, 0064) let a run send of a folder. */
export function expectedSending(folder: string, { recorded, isUsable, ever }: Known): Sending {
  const ground = groundOf(recorded, isUsable);
  const contents = new Set([...ground.values()].map(({ sha256 }) => sha256));
  const everStored = ever.flatMap(({ entries }) => entries);
  const old = new Set(everStored.map(({ sha256 }) => sha256));
  const pieces = new Set(everStored.flatMap((entry) => hashesIn(entry).map((hash, index) => `${firstPiece(entry) + index} ${hash}`)));
  let [least, most, mostBytes] = [0, 0, 0];
  for (const name of firstNames(folder)) {
    const bytes = readFileSync(join(folder, name));
    const sha256 = hashOf(bytes);
    const before = ground.get(name);
    const unchanged = before?.sha256 === sha256;
    const found = bytes.length >= smallestFound && contents.has(sha256);
    contents.add(sha256);
    // All pieces of a file may be there, in one that a run was cut off in or in several, and nothing says that they are the file.
    const itsPieces = bytes.length > largestUncut ? piecesOf(bytes) : [];
    const inPieces = itsPieces.length > 0 && itsPieces.every((hash, number) => pieces.has(`${number} ${hash}`));
    for (const [number, hash] of itsPieces.entries()) pieces.add(`${number} ${hash}`);
    if (unchanged || found) least += 1;
    else mostBytes += itsPieces.length > 0 ? changedBytes(bytes, itsPieces, before?.pieces ?? []) : bytes.length;
    const isOld = bytes.length >= smallestFound && old.has(sha256);
    if (unchanged || found || inPieces || isOld) most += 1;
  }
  const entries = 1 + readdirSync(folder, { recursive: true }).length;
  return { keptFiles: [least, most], mostBytes, entries };
}

/** Of a file that is not as it was: the pieces that differ from those at their places before, or lie in what may not be built on. */
function changedBytes(bytes: Buffer, pieces: readonly string[], before: readonly (string | undefined)[]): number {
  const sizeOf = (number: number): number => Math.min(pieceSize, bytes.length - number * pieceSize);
  return pieces.reduce((sum, hash, number) => (before[number] === hash ? sum : sum + sizeOf(number)), 0);
}

function piecesOf(bytes: Buffer): readonly string[] {
  const count = Math.ceil(bytes.length / pieceSize);
  return Array.from({ length: count }, (_, number) => hashOf(bytes.subarray(number * pieceSize, (number + 1) * pieceSize)));
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
