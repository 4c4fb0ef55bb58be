import type { ManifestEntry } from '../../../main/engine/snapshots/manifest-entry.ts';

export const pieceSize = 2 ** 20;

/** A manifest or a partial. */
export interface Recorded {
  readonly header: { readonly id: string; readonly archives: readonly { readonly key: string }[]; readonly takenOver?: readonly string[] };
  readonly entries: readonly ManifestEntry[];
}

/** What of a file's content is stored in archives that can be built on. */
export interface Stored {
  /** Undefined where it is not all there. */
  readonly sha256?: string | undefined;
  /** The hashes of a large file's pieces that are, by their numbers. */
  readonly pieces: readonly (string | undefined)[];
}

interface Found {
  readonly entry: ManifestEntry;
  readonly isUsable: (archive: number) => boolean;
}

/** Path by path what is stored, of what several runs have recorded, the oldest first: the youngest that can be built on counts. */
export function groundOf(recorded: readonly Recorded[], isUsable: (archive: string) => boolean): ReadonlyMap<string, Stored> {
  const found: Found[] = recorded.flatMap(({ header, entries }) =>
    entries
      .filter(({ type }) => type === 'file')
      .map((entry) => ({ entry, isUsable: (archive) => isUsable(header.archives[archive]?.key ?? '') })),
  );
  const ground = new Map<string, Stored>();
  for (const [path, ofPath] of Map.groupBy(found, ({ entry }) => String(entry.path))) {
    const stored = storedOf(ofPath);
    if (stored !== null) ground.set(path, stored);
  }
  return ground;
}

function storedOf(found: readonly Found[]): Stored | null {
  const index = found.findLastIndex((one) => isAllThere(one) || one.entry.pieces !== undefined);
  const one = found[index];
  // What was a further name has no content of its own, and hides what was there under it before.
  if (one === undefined || one.entry.linkOf !== undefined) return null;
  if (isAllThere(one)) return { sha256: one.entry.sha256, pieces: usablePieces(one) };
  const pieces: (string | undefined)[] = [];
  for (const each of found.slice(0, index + 1))
    for (const [number, hash] of usablePieces(each).entries()) pieces[number] = hash ?? pieces[number];
  return { pieces };
}

const isAllThere = ({ entry, isUsable }: Found): boolean =>
  entry.from === undefined && entry.extents.every(([archive]) => isUsable(archive));

/** The number of the piece that an entry's hashes begin with. */
export const firstPiece = ({ from = 0 }: ManifestEntry): number => from / pieceSize;

export function hashesIn({ pieces = '' }: ManifestEntry): readonly string[] {
  return Buffer.from(pieces, 'base64').toString('hex').match(/.{64}/g) ?? [];
}

function usablePieces({ entry, isUsable }: Found): readonly (string | undefined)[] {
  const pieces: (string | undefined)[] = [];
  for (const [index, hash] of hashesIn(entry).entries()) {
    const start = index * pieceSize;
    const length = Math.min(pieceSize, entry.size - (entry.from ?? 0) - start);
    if (isStored(entry, start, length, isUsable)) pieces[firstPiece(entry) + index] = hash;
  }
  return pieces;
}

function isStored({ extents }: ManifestEntry, from: number, length: number, isUsable: (archive: number) => boolean): boolean {
  let at = 0;
  for (const [archive, , , , size] of extents) {
    if (at < from + length && at + size > from && !isUsable(archive)) return false;
    at += size;
  }
  return true;
}
