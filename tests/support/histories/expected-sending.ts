import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ManifestEntry } from '../../../main/engine/snapshots/manifest-entry.ts';
import { filesIn, largestUncut } from './edits.ts';
import type { ReadSnapshot, StoredSnapshots } from './stored-snapshots.ts';

const pieceSize = 2 ** 20;
/** Files of this many bytes and more are found under another path. */
const smallestFound = 2 ** 16;

export interface Sending {
  /** How many files a run leaves unsent: at least, and at most. Only where large files begin alike does it not have to find all. */
  readonly keptFiles: readonly [number, number];
  /** It sends no more of their content. */
  readonly mostBytes: number;
}

/** What the rules (docs/decisions/0060, 0063) let a run send of a folder when the snapshot before is `base`, or when there is none to build on. */
export function expectedSending(folder: string, base: ReadSnapshot | null, stored: StoredSnapshots): Sending {
  const files = (base?.entries ?? []).filter(({ type }) => type === 'file');
  const usable = (entry: ManifestEntry): boolean =>
    entry.extents.every(([archive]) => !stored.isHarmed(base?.header.archives[archive]?.key ?? ''));
  const byPath = new Map(files.map((entry) => [String(entry.path), entry]));
  const contents = new Set(files.filter(usable).map(({ sha256 }) => sha256));
  let [least, most, mostBytes] = [0, 0, 0];
  for (const name of filesIn(folder)) {
    const bytes = readFileSync(join(folder, name));
    const sha256 = hashOf(bytes);
    const before = byPath.get(name);
    const unchanged = before?.sha256 === sha256 && usable(before);
    const found = bytes.length >= smallestFound && contents.has(sha256);
    contents.add(sha256);
    if (unchanged || (found && bytes.length <= largestUncut)) least += 1;
    if (unchanged || found) most += 1;
    else mostBytes += base === null || before === undefined ? bytes.length : changedBytes(bytes, before, base, stored);
    if (found && !unchanged && bytes.length > largestUncut) mostBytes += bytes.length;
  }
  return { keptFiles: [least, most], mostBytes };
}

/** Of a file that is not as it was: the pieces that differ from those at their places before, or lie in what may not be built on. */
function changedBytes(bytes: Buffer, before: ManifestEntry, base: ReadSnapshot, stored: StoredSnapshots): number {
  if (before.pieces === undefined || bytes.length <= largestUncut) return bytes.length;
  const pieces = Buffer.from(before.pieces, 'base64').toString('hex');
  let changed = 0;
  for (let at = 0; at < bytes.length; at += pieceSize) {
    const piece = bytes.subarray(at, at + pieceSize);
    const number = at / pieceSize;
    const same = pieces.slice(number * 64, number * 64 + 64) === hashOf(piece);
    if (!same || liesInHarmed(before, at, piece.length, base, stored)) changed += piece.length;
  }
  return changed;
}

function liesInHarmed(
  { extents }: ManifestEntry,
  from: number,
  length: number,
  { header }: ReadSnapshot,
  stored: StoredSnapshots,
): boolean {
  let at = 0;
  for (const [archive, , , , size] of extents) {
    const overlaps = at < from + length && at + size > from;
    if (overlaps && stored.isHarmed(header.archives[archive]?.key ?? '')) return true;
    at += size;
  }
  return false;
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
