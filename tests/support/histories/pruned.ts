import assert from 'node:assert/strict';
import type { KeptSnapshot } from './place.ts';

/**
 * A prune that keeps so many of the last ones has left those, and what it says nothing of: what is not whole, and what is dated later than now. Without a clock that is
 * the provider's to the millisecond it cannot be known which lie in the future: then the newest that is whole has to be there.
 */
export function checkPruned(before: readonly KeptSnapshot[], after: readonly KeptSnapshot[], last: number, now: number | null): void {
  const timeOf = ({ header }: KeptSnapshot): number => Date.parse(header.time);
  const idOf = ({ header }: KeptSnapshot): string => header.id;
  const counted = before
    .filter((one) => one.whole && (now === null || timeOf(one) <= now))
    .toSorted((a, b) => timeOf(b) - timeOf(a) || (idOf(a) < idOf(b) ? 1 : -1));
  const kept = new Set(counted.slice(0, last));
  const left = after.map(idOf);
  const wanted = before.filter((one) => !counted.includes(one) || kept.has(one)).map(idOf);
  if (now !== null) assert.deepEqual(left, wanted, 'other snapshots are left than those that were to be kept');
  else assert.ok(counted[0] === undefined || left.includes(idOf(counted[0])), 'the newest whole snapshot was removed');
}
