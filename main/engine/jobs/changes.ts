import { Fault } from '../../contract/faults.ts';
import type { ChangedEntry, ChangesReport, RunContext } from '../../contract/reports.ts';
import { rootPath, showPath } from '../archive/byte-path.ts';
import type { OpenDestination, SnapshotSelector } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import { findObject, listServer, readHeader, selectSnapshot, type Catalog, type ListedSnapshot } from '../snapshots/catalog.ts';
import type { ManifestEntry } from '../snapshots/manifest-entry.ts';
import type { ManifestReader } from '../snapshots/manifest-store.ts';
import { inWalkOrder, merged } from '../snapshots/walk-order.ts';
import type { CallOptions } from '../storage/backend.ts';
import { openCatalog, openListed, snapshotProblem, storedSizes } from './snapshots.ts';

/**
 * What differs from the complete snapshot before it, from the two manifests alone. They are read side by side, so that memory holds one entry of
 * each and the list up to its limit, however many files there are.
 */
export async function changes(
  host: EngineHost,
  destination: OpenDestination,
  request: SnapshotSelector & { readonly limit: number },
  run: RunContext,
): Promise<ChangesReport> {
  const options: CallOptions = { signal: run.signal };
  const catalog = await openCatalog(host, destination, options);
  const snapshot = await selectSnapshot(catalog, request, options);
  const earlier = await completeBefore(catalog, snapshot, options);
  const after = await openListed(catalog, snapshot, options);
  const before = earlier === null ? null : await openedOrClosed(catalog, earlier, after, options);
  const counts = { new: 0, changed: 0, gone: 0 };
  const list: ChangedEntry[] = [];
  for await (const [old, now] of merged(before === null ? nothing() : ordered(before), ordered(after))) {
    const kind = old === null ? 'new' : now === null ? 'gone' : differs(old, now) ? 'changed' : null;
    const entry = now ?? old;
    if (kind === null || entry === null || entry.path === rootPath) continue;
    counts[kind] += 1;
    if (list.length < request.limit) list.push({ path: showPath(entry.path), kind, size: entry.size });
  }
  return { before: earlier?.id ?? null, created: counts.new, changed: counts.changed, gone: counts.gone, list };
}

/** The manifest of the one before; when it cannot be opened, the other is not left open. */
async function openedOrClosed(
  catalog: Catalog,
  earlier: ListedSnapshot,
  after: ManifestReader,
  options: CallOptions,
): Promise<ManifestReader> {
  try {
    return await openListed(catalog, earlier, options);
  } catch (error) {
    await after.close();
    throw error;
  }
}

/** A classic snapshot cannot be looked into, so it is passed over. */
async function completeBefore(catalog: Catalog, { id, slug }: ListedSnapshot, options: CallOptions): Promise<ListedSnapshot | null> {
  const { snapshots } = await listServer(catalog.backend, slug, options);
  const sizes = storedSizes(snapshots);
  for (const earlier of snapshots.toReversed()) {
    if (earlier.id >= id || findObject(earlier, 'manifest') === null) continue;
    const header = await readHeader(catalog, earlier, options);
    if (header === null || header instanceof Fault) continue;
    if (snapshotProblem(sizes, header.archives) === null) return earlier;
  }
  return null;
}

const ordered = (reader: ManifestReader): AsyncGenerator<ManifestEntry> =>
  inWalkOrder(reader.entries(), `the manifest of ${reader.header.slug}/${reader.header.id}`);

async function* nothing(): AsyncGenerator<ManifestEntry> {
  // The first snapshot: everything in it is new.
}

/** The time of a folder changes with every file that is made in it: told of the file, it need not be told of the folder. */
function differs(old: ManifestEntry, now: ManifestEntry): boolean {
  if (old.type !== now.type) return true;
  return now.type !== 'directory' && (old.size !== now.size || old.mtime !== now.mtime);
}
