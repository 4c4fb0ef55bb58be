import { Fault } from '../../contract/faults.ts';
import type { DiffReport, DiffRow } from '../../contract/look-reports.ts';
import type { ChangedEntry, ChangesReport, RunContext } from '../../contract/reports.ts';
import { rootPath, showPath } from '../archive/byte-path.ts';
import type { OpenDestination, SnapshotSelector } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import { findObject, listServer, type Catalog, type ListedSnapshot, openListed } from '../snapshots/catalog.ts';
import { readHeader } from '../snapshots/headers.ts';
import { differences, type Difference } from '../snapshots/differences.ts';
import type { ManifestReader } from '../snapshots/manifest-store.ts';
import { selectSnapshot } from '../snapshots/select.ts';
import type { CallOptions } from '../storage/backend.ts';
import { problemFinder } from './snapshot-problem.ts';
import { openCatalog } from './snapshots.ts';
import type { KnownPlace } from '../snapshots/known-place.ts';

/** What differs between any two snapshots. Everything that can be refused is refused before the first row is asked for. */
export async function diff(
  host: EngineHost,
  destination: OpenDestination,
  request: { readonly before: string; readonly after: string; readonly server?: string },
  run: RunContext,
): Promise<DiffReport> {
  const options: CallOptions = { signal: run.signal };
  const catalog = await openCatalog(host, destination, options);
  const server = request.server === undefined ? {} : { server: request.server };
  const before = await selectSnapshot(catalog, { snapshot: request.before, ...server }, options);
  const after = await selectSnapshot(catalog, { snapshot: request.after, ...server }, options);
  const [earlier, later] = await openedBoth(catalog, before, after, options);
  return { before: before.id, after: after.id, rows: rows(differences(earlier, later)) };
}

async function* rows(found: AsyncIterable<Difference>): AsyncGenerator<DiffRow> {
  for await (const one of found) {
    const { path, type, size } = one.after ?? one.before;
    yield {
      path: showPath(path),
      change: one.change,
      type,
      size,
      ...(one.change === 'added' ? {} : { sizeBefore: one.before.size }),
      fields: one.change === 'added' || one.change === 'removed' ? [] : one.fields,
    };
  }
}

const kinds = { added: 'new', removed: 'gone', changed: 'changed' } as const;

/** What differs from the complete snapshot before it, as people look for it: what only its time or its mode has changed is not told. */
export async function changes(
  host: EngineHost,
  destination: OpenDestination,
  request: SnapshotSelector & { readonly limit: number },
  run: RunContext,
  known: KnownPlace,
): Promise<ChangesReport> {
  const options: CallOptions = { signal: run.signal };
  const catalog = await openCatalog(host, destination, options, known);
  const snapshot = await selectSnapshot(catalog, request, options);
  const earlier = await completeBefore(host, catalog, snapshot, options);
  const [before, after] = await openedBoth(catalog, earlier, snapshot, options);
  const counts = { new: 0, changed: 0, gone: 0 };
  const list: ChangedEntry[] = [];
  for await (const { change, before: old, after: now } of differences(before, after)) {
    const { path, size } = now ?? old;
    if (change === 'metadata' || path === rootPath) continue;
    const kind = kinds[change];
    counts[kind] += 1;
    if (list.length < request.limit) list.push({ path: showPath(path), kind, size });
  }
  return { before: earlier?.id ?? null, created: counts.new, changed: counts.changed, gone: counts.gone, list };
}

/** When one of them cannot be opened, the other is not left open. */
async function openedBoth(
  catalog: Catalog,
  before: ListedSnapshot,
  after: ListedSnapshot,
  options: CallOptions,
): Promise<readonly [ManifestReader, ManifestReader]>;
async function openedBoth(
  catalog: Catalog,
  before: ListedSnapshot | null,
  after: ListedSnapshot,
  options: CallOptions,
): Promise<readonly [ManifestReader | null, ManifestReader]>;
async function openedBoth(
  catalog: Catalog,
  before: ListedSnapshot | null,
  after: ListedSnapshot,
  options: CallOptions,
): Promise<readonly [ManifestReader | null, ManifestReader]> {
  const later = await openListed(catalog, after, options);
  try {
    return [before === null ? null : await openListed(catalog, before, options), later];
  } catch (error) {
    await later.close();
    throw error;
  }
}

/** A classic snapshot cannot be looked into, so it is passed over. */
async function completeBefore(
  host: EngineHost,
  catalog: Catalog,
  { id, slug }: ListedSnapshot,
  options: CallOptions,
): Promise<ListedSnapshot | null> {
  const listing = await listServer(catalog.backend, slug, options);
  const problemOf = await problemFinder(host, catalog, listing, options);
  for (const earlier of listing.snapshots.toReversed()) {
    if (earlier.id >= id || findObject(earlier, 'manifest') === null) continue;
    const header = await readHeader(catalog, earlier, options);
    if (header === null || header instanceof Fault) continue;
    if ((await problemOf(earlier, header)) === null) return earlier;
  }
  return null;
}
