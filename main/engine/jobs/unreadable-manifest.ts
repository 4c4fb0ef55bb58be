import { Fault } from '../../contract/faults.ts';
import { findObject, type Catalog, type ListedSnapshot } from '../snapshots/catalog.ts';
import { checkWholeManifest } from '../snapshots/manifest-store.ts';
import type { CallOptions } from '../storage/backend.ts';

/** Reads a snapshot's manifest to its end, as its first line does not show that the rest is damaged. Null: it is whole, or there is none. */
export async function unreadableManifest(
  { zstd, backend, vault }: Catalog,
  snapshot: ListedSnapshot,
  options: CallOptions,
): Promise<Fault | null> {
  const manifest = findObject(snapshot, 'manifest');
  if (manifest === null) return null;
  try {
    await checkWholeManifest(zstd, backend, vault, manifest.key, { ...options, size: manifest.size });
    return null;
  } catch (error) {
    if (error instanceof Fault && (error.code === 'corrupt' || error.code === 'truncated' || error.code === 'not-found')) return error;
    throw error;
  }
}
