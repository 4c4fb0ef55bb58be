import { largestClockOffsetMs } from '../storage/check-destination.ts';
import { findObject, isCompleteClassic, type ListedSnapshot } from './catalog.ts';
import { snapshotTime } from './names.ts';

/**
 * The complete ones of a server, as a run that goes on from the last one needs them (docs/decisions/0075). Theirs is the order of their ids, in which they are `given`; only one
 * that is dated in the future stands behind those that were there when it was written. By its id it would be the newest for all the years to come, and each run would
 * send again what has changed since. `now`: milliseconds since 1970.
 */
export function inOrderWritten(given: readonly ListedSnapshot[], now: number): readonly ListedSnapshot[] {
  const complete = given.filter((one) => findObject(one, 'manifest') !== null || isCompleteClassic(one));
  const isFuture = ({ id }: ListedSnapshot): boolean => snapshotTime(id) > now + largestClockOffsetMs;
  const ordered = complete.filter((one) => !isFuture(one));
  // By a clock that lags behind all of them nothing is known but the ids.
  if (ordered.length === 0) return complete;
  for (const future of complete.filter(isFuture).sort((a, b) => writtenAt(a) - writtenAt(b))) {
    ordered.splice(ordered.findLastIndex((one) => writtenAt(one) < writtenAt(future)) + 1, 0, future);
  }
  return ordered;
}

/** By the provider's clock, which no computer's that backs up has set wrong. */
function writtenAt(snapshot: ListedSnapshot): number {
  const { modifiedAt } = findObject(snapshot, 'manifest') ?? findObject(snapshot, 'classic') ?? { modifiedAt: 0 };
  return modifiedAt;
}
