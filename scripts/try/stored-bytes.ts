/** What the trial reads of a row of `holdfast snapshots --json`. */
export interface StoredRow {
  readonly complete: boolean;
  readonly storedBytes: number;
  readonly sharedBytes: number | null;
}

/** What the newest complete snapshot rests on: a second trial adds next to nothing, and shares the rest with the first. */
export function bytesBehindNewest(rows: readonly StoredRow[]): number {
  const newest = rows.findLast(({ complete }) => complete);
  return newest === undefined ? 0 : newest.storedBytes + (newest.sharedBytes ?? 0);
}
