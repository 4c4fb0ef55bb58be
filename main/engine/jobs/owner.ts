import { Fault } from '../../contract/faults.ts';
import type { Catalog, ServerListing } from '../snapshots/catalog.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
import { readPartialHeader } from '../snapshots/partial-store.ts';
import type { CallOptions } from '../storage/backend.ts';
import { byRun, cannotServe, livePartials } from './unfinished.ts';

/** Who wrote something of a server, and under which name. */
export type Owner = Pick<ManifestHeader, 'server' | 'slug' | 'machine' | 'host'>;

/** One machine owns a server's folder in a destination: two that write or prune would remove what the other relies on. */
export function checkOwner(last: Owner | null, machine: string, takeOver: boolean): void {
  if (last === null || last.machine === machine || takeOver) return;
  throw new Fault(
    'locked',
    `"${last.server}" belongs to another machine (${last.host}); it may be read from here, and taken over with --take-over`,
    {
      operation: 'check owner',
      context: { server: last.slug, host: last.host },
    },
  );
}

/**
 * Whose the server is for who is about to write: a run's that has written down a volume since `last`, the newest of them, and else that one's. A first backup may take
 * days, and while it goes on there is no manifest; one that takes a server over is its owner before its manifest is there as well.
 */
export async function ownerOf(
  { zstd, backend, vault }: Catalog,
  listing: ServerListing,
  { last, providerNow }: { readonly last: Owner | null; readonly providerNow: number },
  options: CallOptions,
): Promise<Owner | null> {
  for (const { key, size } of byRun(livePartials(listing, providerNow)).flat().toReversed()) {
    try {
      return await readPartialHeader(zstd, backend, vault, key, { ...options, size });
    } catch (error) {
      // One that cannot be read says nothing of its machine: the one before it may.
      if (!(error instanceof Fault) || !cannotServe.includes(error.code)) throw error;
    }
  }
  return last;
}
