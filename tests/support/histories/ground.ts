import type { ManifestEntry } from '../../../main/engine/snapshots/manifest-entry.ts';

export const pieceSize = 2 ** 20;

/** A manifest or a partial. */
export interface Recorded {
  readonly header: { readonly id: string; readonly archives: readonly { readonly key: string }[] };
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
  if (one === undefined) return null;
  if (isAllThere(one)) return { sha256: one.entry.sha256, pieces: usablePieces(one) };
  const pieces: (string | undefined)[] = [];
  for (const each of found.slice(0, index + 1))
    for (const [number, hash] of usablePieces(each).entries()) pieces[number] = hash ?? pieces[number];
  return { pieces };
}

const isAllThere = ({ entry, isUsable }: Found): boolean =>
  entry.from === undefined && entry.extents.every(([archive]) => isUsable(archive));

function usablePieces({ entry, isUsable }: Found): readonly (string | undefined)[] {
  const hashes = Buffer.from(entry.pieces ?? '', 'base64').toString('hex');
  const from = entry.from ?? 0;
  const pieces: (string | undefined)[] = [];
  for (let at = 0; at < hashes.length; at += 64) {
    const start = (at / 64) * pieceSize;
    const length = Math.min(pieceSize, entry.size - from - start);
    if (isStored(entry, start, length, isUsable)) pieces[from / pieceSize + at / 64] = hashes.slice(at, at + 64);
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
