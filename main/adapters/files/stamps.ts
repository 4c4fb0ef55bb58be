import type { BigIntStats } from 'node:fs';
import type { EntryStamps } from '../../engine/snapshots/manifest-entry.ts';

/** Younger than this at its reading, an entry may change again without its stamps moving: some clocks are that coarse. */
const settledAfterMs = 60_000;

export function entryStamps(stat: BigIntStats, type: EntryStamps['type']): EntryStamps {
  return {
    type,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: type === 'file' ? Number(stat.size) : 0,
    mtime: String(stat.mtimeNs),
    ctime: String(stat.ctimeNs),
    inode: String(stat.ino),
  };
}

/** Whether the file was touched between the two looks at it. */
export function stampsMoved(before: BigIntStats, after: BigIntStats): boolean {
  return before.mtimeNs !== after.mtimeNs || before.ctimeNs !== after.ctimeNs || before.size !== after.size;
}

/** Whether its stamps are too young, or lie in the future, to prove later that nothing has changed. `now` in ms since 1970. */
export function isRacy(stat: BigIntStats, now: number): boolean {
  const newest = stat.mtimeNs > stat.ctimeNs ? stat.mtimeNs : stat.ctimeNs;
  return newest > BigInt(now - settledAfterMs) * 1_000_000n;
}
