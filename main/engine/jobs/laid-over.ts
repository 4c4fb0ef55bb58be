import { ExtentCutter, ExtentList } from '../snapshots/extents.ts';
import { pieceHashSize, pieceSizeFor } from '../snapshots/file-pieces.ts';
import type { Extent, ManifestEntry } from '../snapshots/manifest-entry.ts';

/** No archive has this number. */
export const nowhere = 0xffff_fffe;

export type IsUsable = (archive: number) => boolean;

const everyUsable = (extents: readonly Extent[], isUsable: IsUsable): boolean => extents.every(([archive]) => isUsable(archive));

/**
 * What several runs know of one path, the youngest last, as one entry: the youngest that can be built on. Of a large file each piece is judged by itself, so that what a run
 * that was cut off in it has stored joins what was stored before.
 */
export function laidOver(entries: readonly [ManifestEntry, ...ManifestEntry[]], isUsable: IsUsable): ManifestEntry {
  const [first] = entries;
  for (let count = entries.length; count > 0; count -= 1) {
    const entry = entries[count - 1] ?? first;
    if (entry.from === undefined && everyUsable(entry.extents, isUsable)) return entry;
    const pieceSize = entry.pieces === undefined ? null : pieceSizeFor(entry.size);
    const joined = pieceSize === null ? null : inPieces(entry, pieceSize, entries.slice(0, count), isUsable);
    if (joined !== null) return joined;
  }
  return first;
}

/** Of each piece the youngest that there is; a gap where there is none, but at the end. Null where there is no piece at all. */
function inPieces(file: ManifestEntry, pieceSize: number, entries: readonly ManifestEntry[], isUsable: IsUsable): ManifestEntry | null {
  const lengthAt = (index: number): number => Math.min(pieceSize, file.size - index * pieceSize);
  const pieces: (Piece | undefined)[] = [];
  for (const entry of entries) {
    for (const [index, piece] of piecesOf(entry, pieceSize)) {
      if (index * pieceSize < file.size && piece.length === lengthAt(index) && everyUsable(piece.extents, isUsable)) pieces[index] = piece;
    }
  }
  if (pieces.length === 0) return null;
  const extents = new ExtentList();
  for (let index = 0; index < pieces.length; index += 1) extents.addAll(pieces[index]?.extents ?? [[nowhere, 0, 0, 0, lengthAt(index)]]);
  const hashes = Array.from(pieces, (piece) => piece?.hash ?? noHash);
  const { path, type, mode, uid, gid, size, mtime, ctime, inode } = file;
  const stamps = { type, mode, uid, gid, size, mtime, ctime, inode };
  return { path, ...stamps, from: 0, pieces: Buffer.concat(hashes).toString('base64'), extents: extents.all };
}

const noHash = Buffer.alloc(pieceHashSize);

interface Piece {
  readonly hash: Buffer;
  readonly length: number;
  readonly extents: readonly Extent[];
}

/** By their numbers; none of a file that was cut otherwise. */
function* piecesOf({ size, from = 0, pieces = '', extents }: ManifestEntry, pieceSize: number): Generator<readonly [number, Piece]> {
  if (pieceSizeFor(size) !== pieceSize) return;
  const hashes = Buffer.from(pieces, 'base64');
  const cutter = new ExtentCutter(extents);
  for (let at = 0; at < hashes.length; at += pieceHashSize) {
    const start = from + (at / pieceHashSize) * pieceSize;
    const length = Math.min(pieceSize, size - start);
    const found = cutter.cut(start - from, length);
    if (found !== null) yield [start / pieceSize, { hash: hashes.subarray(at, at + pieceHashSize), length, extents: found }];
  }
}
