/*
 * How a large file is cut for comparing (docs/format.md, "Pieces of a file"): an entry's `pieces` are the hashes of its consecutive pieces,
 * so that a later run sends only those that have changed.
 */

/** A file of this many bytes or fewer is compared as a whole. */
export const largestUncut = 8 * 2 ** 20;
export const pieceHashSize = 32;
const smallestPiece = 2 ** 20;
/** So many hashes, and twice as many extents, stay well below the longest line of a manifest. */
const mostPieces = 2 ** 18;
const largestPiece = 16 * 2 ** 20;

/** How long the pieces of a file of so many bytes are, the last one shorter; null where it is not cut: too small, or so large that a piece would not fit in memory. */
export function pieceSizeFor(size: number): number | null {
  if (size <= largestUncut) return null;
  let piece = smallestPiece;
  while (piece * mostPieces < size) piece *= 2;
  return piece <= largestPiece ? piece : null;
}

/** The hashes of an entry's `pieces`, one behind the other; null where they are not as many as a file of this size has. */
export function decodePieces(pieces: string | undefined, size: number): Buffer | null {
  const pieceSize = pieceSizeFor(size);
  if (pieces === undefined || pieceSize === null) return null;
  const hashes = Buffer.from(pieces, 'base64');
  return hashes.length === Math.ceil(size / pieceSize) * pieceHashSize ? hashes : null;
}
