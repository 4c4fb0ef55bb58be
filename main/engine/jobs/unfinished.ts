import { Fault } from '../../contract/faults.ts';
import { findObject, type Catalog, type ListedObject, type ServerListing } from '../snapshots/catalog.ts';
import { isDatedAhead } from '../snapshots/dated-ahead.ts';
import { volumeOf } from '../snapshots/names.ts';
import { readPartialHeader } from '../snapshots/partial-store.ts';
import type { CallOptions } from '../storage/backend.ts';

/** So long what an unfinished run has written down counts as a manifest, by the provider's clock. */
export const partialForMs = 14 * 24 * 3_600_000;

/** All that a server's listing has of unfinished runs, whatever their age. */
export function partialsIn({ snapshots }: ServerListing): readonly ListedObject[] {
  return snapshots.flatMap(({ objects }) => objects.filter(({ name }) => name.kind === 'partial'));
}

/**
 * Those that still count: not too old, and written later than the last snapshot that has ended. Some providers tell whole seconds: of one second the ids decide, but not
 * that of a snapshot dated in the future, which is greater whenever it was written. Keeping too much is the safe side.
 */
export function livePartials(listing: ServerListing, providerNow: number): readonly ListedObject[] {
  const manifests = listing.snapshots.flatMap((snapshot) => findObject(snapshot, 'manifest') ?? []);
  const isDone = (partial: ListedObject): boolean =>
    manifests.some(({ modifiedAt, name: { id } }) => {
      if (id === partial.name.id) return true;
      if (modifiedAt !== partial.modifiedAt) return modifiedAt > partial.modifiedAt;
      return id > partial.name.id && !isDatedAhead(id, modifiedAt);
    });
  return partialsIn(listing).filter((partial) => providerNow - partial.modifiedAt <= partialForMs && !isDone(partial));
}

/** The volumes of each run in their order, the run that wrote last at the end. */
export function byRun(partials: readonly ListedObject[]): readonly (readonly ListedObject[])[] {
  const runs = Map.groupBy(partials, ({ name }) => name.id);
  const last = (run: readonly ListedObject[]): number => Math.max(...run.map(({ modifiedAt }) => modifiedAt));
  return [...runs.values()]
    .map((run) => run.toSorted((a, b) => volumeOf(a.key) - volumeOf(b.key)))
    .sort((a, b) => last(a) - last(b) || ((a[0]?.key ?? '') < (b[0]?.key ?? '') ? -1 : 1));
}

export interface ReadPartials {
  /** Keys of the partials. */
  readonly live: ReadonlySet<string>;
  /** Keys of the archives that they name. */
  readonly archives: readonly string[];
  /** There is one of which nobody knows what it names. */
  readonly unreadable: boolean;
}

/** Why a partial serves nobody. */
export const cannotServe: readonly string[] = ['not-found', 'corrupt', 'truncated', 'wrong-password', 'wrong-key', 'unsupported'];

/** What partials keep from being removed. */
export async function readPartials(catalog: Catalog, partials: readonly ListedObject[], options: CallOptions): Promise<ReadPartials> {
  const archives: string[] = [];
  let unreadable = false;
  for (const { key, size } of partials) {
    try {
      const header = await readPartialHeader(catalog.zstd, catalog.backend, catalog.vault, key, { ...options, size });
      archives.push(...header.archives.map((archive) => archive.key));
    } catch (error) {
      if (!(error instanceof Fault) || !cannotServe.includes(error.code)) throw error;
      // Gone since the listing: it keeps nothing any more.
      unreadable ||= error.code !== 'not-found';
    }
  }
  return { live: new Set(partials.map(({ key }) => key)), archives, unreadable };
}
