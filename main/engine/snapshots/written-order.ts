import type { CallOptions } from '../storage/backend.ts';
import { findObject, isCompleteClassic, newestHeader, type Catalog, type ListedSnapshot, type ServerListing } from './catalog.ts';
import { isDatedAhead } from './dated-ahead.ts';
import type { ManifestHeader } from './manifest.ts';

/**
 * The complete ones of a server, the one that was written last at the end (docs/decisions/0075). Theirs is the order of their ids, in which they are `given`; only one
 * that was dated in the future when it was written stands behind those that were there then. By its id it would be the newest for all the years to come. What the time is
 * now is not asked, or the order would turn round when that day comes.
 */
export function inOrderWritten(given: readonly ListedSnapshot[]): readonly ListedSnapshot[] {
  const complete = given.filter((one) => findObject(one, 'manifest') !== null || isCompleteClassic(one));
  const ordered = complete.filter((one) => !isFuture(one));
  for (const future of complete.filter(isFuture).sort((a, b) => writtenAt(a) - writtenAt(b))) {
    // Of equal times the one that is dated rightly counts as later, and of two that are not the greater id.
    const wasThere = (one: ListedSnapshot): boolean => writtenAt(one) < writtenAt(future) + (isFuture(one) ? 1 : 0);
    ordered.splice(ordered.findLastIndex(wasThere) + 1, 0, future);
  }
  return ordered;
}

/** The first line of the last one written whose manifest can be read; null when there is none. */
export async function lastHeader(catalog: Catalog, { snapshots }: ServerListing, options: CallOptions): Promise<ManifestHeader | null> {
  return await newestHeader(catalog, { snapshots: inOrderWritten(snapshots) }, options);
}

const isFuture = (snapshot: ListedSnapshot): boolean => isDatedAhead(snapshot.id, writtenAt(snapshot));

/** By the provider's clock, which no computer's that backs up has set wrong. */
function writtenAt(snapshot: ListedSnapshot): number {
  const { modifiedAt } = findObject(snapshot, 'manifest') ?? findObject(snapshot, 'classic') ?? { modifiedAt: 0 };
  return modifiedAt;
}
