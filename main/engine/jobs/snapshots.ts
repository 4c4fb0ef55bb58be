import { Fault } from '../../contract/faults.ts';
import type { EntryRow, RunContext, SnapshotRow } from '../../contract/reports.ts';
import { plainPath, rootPath, showPath } from '../archive/byte-path.ts';
import { isoNanoseconds } from '../archive/nanoseconds.ts';
import type { OpenDestination, SnapshotSelector } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import { displayName, findObject, hasEnded, listServers, openedCatalog, openListed } from '../snapshots/catalog.ts';
import { readHeader, readHeaders } from '../snapshots/headers.ts';
import type { Catalog, ListedSnapshot, ServerListing } from '../snapshots/catalog.ts';
import type { KnownPlace } from '../snapshots/known-place.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
import type { ManifestEntry } from '../snapshots/manifest-entry.ts';
import { snapshotTime } from '../snapshots/names.ts';
import { readPin } from '../snapshots/pins.ts';
import { selectServer, selectSnapshot } from '../snapshots/select.ts';
import { loadVault } from '../snapshots/vault-store.ts';
import { inOrderWritten } from '../snapshots/written-order.ts';
import type { CallOptions } from '../storage/backend.ts';
import { isOwn } from './base.ts';
import { classicProblem, isMissing, problemFinder, type FindProblem } from './snapshot-problem.ts';

export async function openCatalog(
  host: EngineHost,
  destination: OpenDestination,
  options: CallOptions,
  known: KnownPlace | null = null,
): Promise<Catalog> {
  const vault = await loadVault(destination.backend, { ...options, credentials: destination.credentials, known: known?.vault });
  return openedCatalog(destination.backend, vault, host, known?.headers ?? null);
}

/** Everything that is there, incomplete snapshots too, oldest first in each server. */
export async function snapshots(
  host: EngineHost,
  destination: OpenDestination,
  filter: { readonly server?: string },
  run: RunContext,
  known: KnownPlace,
): Promise<readonly SnapshotRow[]> {
  const options: CallOptions = { signal: run.signal };
  const catalog = await openCatalog(host, destination, options, known);
  const servers =
    filter.server === undefined ? await listServers(catalog.backend, options) : [await selectServer(catalog, filter.server, options)];
  const rows: SnapshotRow[] = [];
  for (const listing of servers.toSorted((a, b) => (a.slug < b.slug ? -1 : 1))) {
    const name = (await displayName(catalog, listing, options)) ?? listing.slug;
    const problemOf = await problemFinder(host, catalog, listing, options);
    await readHeaders(catalog, listing.snapshots, options);
    const heirs = await oldestOf(catalog, listing, options);
    const inherited = new Map<string, number>();
    for (const snapshot of listing.snapshots) {
      const heir = heirOf(snapshot, heirs);
      if (heir !== undefined) inherited.set(heir, (inherited.get(heir) ?? 0) + sizeOf(snapshot));
    }
    const own: SnapshotRow[] = [];
    for (const snapshot of listing.snapshots) {
      if (heirOf(snapshot, heirs) !== undefined) continue;
      const row = await describe(host, catalog, snapshot, { name, problemOf }, options);
      const inheritedBytes = inherited.get(snapshot.id);
      if (row !== null) own.push({ ...row, ...(inheritedBytes === undefined ? {} : { inheritedBytes }) });
    }
    const whole = new Set(own.filter(({ complete }) => complete).map(({ id }) => id));
    const last = inOrderWritten(listing.snapshots).findLast(({ id }) => whole.has(id));
    rows.push(...own.map((row) => (row.id === last?.id ? { ...row, newest: true as const } : row)));
  }
  return rows;
}

/** The last one written that can be brought back, and nothing of the others; null when there is none. */
export async function newest(
  host: EngineHost,
  destination: OpenDestination,
  filter: { readonly server: string },
  run: RunContext,
  known: KnownPlace,
): Promise<SnapshotRow | null> {
  const options: CallOptions = { signal: run.signal };
  const catalog = await openCatalog(host, destination, options, known);
  const listing = await selectServer(catalog, filter.server, options);
  const problemOf = await problemFinder(host, catalog, listing, options);
  for (const snapshot of inOrderWritten(listing.snapshots).toReversed()) {
    const row = await describe(host, catalog, snapshot, { name: filter.server, problemOf }, options);
    if (row?.complete === true) return { ...row, newest: true };
  }
  return null;
}

/** Of each archive that a manifest names, the id of the oldest snapshot that does. */
async function oldestOf(
  catalog: Catalog,
  { snapshots: listed }: ServerListing,
  options: CallOptions,
): Promise<ReadonlyMap<string, string>> {
  const oldest = new Map<string, string>();
  for (const snapshot of listed) {
    const header = await readHeader(catalog, snapshot, options);
    if (header === null || header instanceof Fault) continue;
    for (const { key } of header.archives) if (!oldest.has(key)) oldest.set(key, snapshot.id);
  }
  return oldest;
}

/** The snapshot because of which the archives of this one, which was removed, are still there: it is none that did not end. */
function heirOf(snapshot: ListedSnapshot, heirs: ReadonlyMap<string, string>): string | undefined {
  if (findObject(snapshot, 'manifest') !== null) return undefined;
  const named = snapshot.objects.find(({ key }) => heirs.has(key));
  return named === undefined ? undefined : heirs.get(named.key);
}

function sizeOf({ objects }: ListedSnapshot): number {
  return objects.reduce((sum, { size }) => sum + size, 0);
}

async function describe(
  host: EngineHost,
  catalog: Catalog,
  snapshot: ListedSnapshot,
  listed: { readonly name: string; readonly problemOf: FindProblem },
  options: CallOptions,
): Promise<SnapshotRow | null> {
  const { id, slug, objects } = snapshot;
  // A pin or a checksum file alone is what a removal left, no snapshot.
  if (!objects.some(({ name }) => ['archive', 'classic', 'manifest'].includes(name.kind))) return null;
  const pin = await readPin(catalog, snapshot, options);
  const common = {
    id,
    slug,
    storedBytes: sizeOf(snapshot),
    pinned: pin !== null,
    ...(pin === null || pin.note === '' ? {} : { note: pin.note }),
  };
  const idTime = new Date(snapshotTime(id)).toISOString();
  const unknown = { ...common, server: listed.name, time: idTime, files: null, bytes: null, sharedBytes: null };
  const header = await readHeader(catalog, snapshot, options);
  if (header instanceof Fault) return { ...unknown, complete: false, format: 'archive', problem: header.message };
  if (header === null) {
    if (findObject(snapshot, 'classic') === null)
      return { ...unknown, complete: false, format: 'archive', problem: unendedProblem(snapshot) };
    const problem = hasEnded(snapshot) ? classicProblem(snapshot) : 'no checksum file: the upload did not end';
    return { ...unknown, complete: problem === null, format: 'classic', ...(problem === null ? {} : { problem }) };
  }
  const lost = await listed.problemOf(snapshot, header);
  const problem = lost ?? missedProblem(header) ?? (Date.parse(header.time) > host.clock.now() ? 'dated in the future' : null);
  return {
    ...common,
    server: header.server,
    time: header.time,
    files: header.totals.files,
    bytes: header.totals.bytes,
    sharedBytes: header.archives.reduce((sum, archive) => sum + (isOwn(header)(archive) ? 0 : archive.size), 0),
    complete: lost === null,
    format: 'archive',
    ...(problem === null ? {} : { problem }),
  };
}

function unendedProblem(snapshot: ListedSnapshot): string {
  const volumes = snapshot.objects.filter(({ name }) => name.kind === 'partial').length;
  if (volumes === 0) return 'no manifest: the run did not end';
  return `the run did not end: the next one goes on with its ${volumes} finished volume${volumes === 1 ? '' : 's'}`;
}

/** What the backup itself could not read: the snapshot counts, and is not all of the folder. */
function missedProblem(header: ManifestHeader): string | null {
  const missed = header.warnings.filter(isMissing).length;
  return missed === 0 ? null : `written with ${missed} warning${missed === 1 ? '' : 's'}`;
}

/** The entries of a snapshot, or those at and directly below a path, from the manifest alone. */
export async function* list(
  host: EngineHost,
  destination: OpenDestination,
  request: SnapshotSelector & { readonly path?: string },
  run: RunContext,
  known: KnownPlace,
): AsyncGenerator<EntryRow> {
  const options: CallOptions = { signal: run.signal };
  const catalog = await openCatalog(host, destination, options, known);
  const snapshot = await selectSnapshot(catalog, request, options);
  const reader = await openListed(catalog, snapshot, options);
  const wanted = request.path === undefined ? null : plainPath(request.path);
  let found = false;
  for await (const entry of reader.entries()) {
    if (wanted !== null && wanted !== rootPath && entry.path !== wanted && !entry.path.startsWith(`${wanted}/`)) continue;
    found = true;
    yield row(entry);
  }
  if (!found)
    throw new Fault('not-found', `snapshot ${snapshot.id} holds no ${request.path ?? ''}`, {
      operation: 'list',
      context: { snapshot: snapshot.id },
    });
}

function row(entry: ManifestEntry): EntryRow {
  return {
    path: showPath(entry.path),
    type: entry.type,
    size: entry.size,
    mode: entry.mode,
    mtime: isoNanoseconds(BigInt(entry.mtime)),
    ...(entry.target === undefined ? {} : { target: showPath(entry.target) }),
  };
}
