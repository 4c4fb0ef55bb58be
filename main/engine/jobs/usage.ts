import { Fault } from '../../contract/faults.ts';
import type { LookContext, ServerUsage, SnapshotUsage, UsageReport, UsageRequest } from '../../contract/look-reports.ts';
import type { Warning } from '../../contract/reports.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import {
  displayName,
  findObject,
  hasEnded,
  listServers,
  type Catalog,
  type ListedObject,
  type ListedSnapshot,
  type ServerListing,
  openListed,
  storedSizes,
  manifestsAtOnce,
} from '../snapshots/catalog.ts';
import { readManifestHeader } from '../snapshots/manifest-store.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
import { snapshotTime } from '../snapshots/names.ts';
import { selectServer } from '../snapshots/select.ts';
import { storedState, type StoredState } from '../snapshots/stored-state.ts';
import type { CallOptions } from '../storage/backend.ts';
import { givingUp } from './giving-up.ts';
import { livePartials, readPartials } from './unfinished.ts';
import { archiveProblem, buildingProblem, classicProblem, ownMark } from './snapshot-problem.ts';
import { openCatalog } from './snapshots.ts';
import { isOfArchive, UsedArchives } from './usage-archives.ts';
import { forecastOf, growthOf, rateOf, reachedAt } from './usage-growth.ts';
import { sumsOf } from './usage-sums.ts';

/** What the servers of a destination take, and what removing would free. Reads manifests one by one, and of most of them only the first line. */
export async function usage(host: EngineHost, destination: OpenDestination, request: UsageRequest, run: LookContext): Promise<UsageReport> {
  const options: CallOptions = { signal: run.signal };
  const catalog = await openCatalog(host, destination, options);
  const listings =
    request.server === undefined ? await listServers(catalog.backend, options) : [await selectServer(catalog, request.server, options)];
  const now = host.clock.now();
  const warnings: Warning[] = [];
  const servers: ServerUsage[] = [];
  for (const listing of listings.toSorted((a, b) => (a.slug < b.slug ? -1 : 1))) {
    servers.push(await usageOf(host, catalog, listing, { now, warnings, run }));
  }
  const storedBytes = servers.reduce((sum, server) => sum + server.storedBytes, 0);
  const rates = servers.map(({ bytesPerDay }) => bytesPerDay).filter((rate) => rate !== null);
  const rate = rates.length === 0 ? null : rates.reduce((sum, one) => sum + one, 0);
  const reached = request.cap === undefined ? null : reachedAt(request.cap, storedBytes, rate, now);
  return {
    servers,
    storedBytes,
    forecast: forecastOf(storedBytes, rate),
    ...(request.cap === undefined
      ? {}
      : { cap: { bytes: request.cap, reachedAt: reached === null ? null : new Date(reached).toISOString() } }),
    warnings,
  };
}

interface About {
  readonly now: number;
  readonly warnings: Warning[];
  readonly run: LookContext;
}

/** A snapshot of which it is known what removing it would free. */
interface Counted extends Omit<SnapshotUsage, 'freedBytes'> {
  readonly listed: ListedSnapshot;
  /** Numbers of the archives that its manifest names. */
  readonly archives: Uint32Array;
}

async function usageOf(host: EngineHost, catalog: Catalog, listing: ServerListing, { now, warnings, run }: About): Promise<ServerUsage> {
  const options: CallOptions = { signal: run.signal };
  const used = new UsedArchives(listing);
  const known: Known = { used, stored: await storedState(catalog, listing, options), sizes: storedSizes(listing.snapshots) };
  // As a prune does it that removes what this says.
  const partials = await readPartials(catalog, livePartials(listing, now), options);
  used.hold(partials.archives);
  const counted: Counted[] = [];
  let unreadable = false;
  const kept = listing.snapshots.filter(hasEnded);
  for (const [index, snapshot] of kept.entries()) {
    run.onSnapshot?.(index, kept.length);
    if (index % manifestsAtOnce === manifestsAtOnce - 1) host.giveBack?.();
    const one = await countOne(catalog, snapshot, known, options);
    if (one === null) continue;
    counted.push(one);
    if (findObject(snapshot, 'manifest') === null || (one.bytes !== null && ownMark(snapshot, 'manifest') === null)) continue;
    unreadable = true;
    warnings.push({
      code: 'manifest',
      message: `${one.id}: ${one.problem ?? ''}; no archive of ${listing.slug} can be freed until its manifest is repaired, or deleted by hand (${givingUp})`,
    });
  }
  const arrivals = listing.snapshots.map((one) => ({ time: snapshotTime(one.id), bytes: bytesOf(one) }));
  return {
    server: (await displayName(catalog, listing, options)) ?? listing.slug,
    slug: listing.slug,
    ...sumsOf(listing, used, { now, unreadable, partials }),
    snapshots: counted.map(({ listed, archives, ...row }) => ({
      ...row,
      freedBytes:
        findObject(listed, 'manifest') === null
          ? row.ownBytes
          : ownNotes(listed) + (unreadable || partials.unreadable ? 0 : used.onlyHere(archives)),
    })),
    growth: growthOf(arrivals),
    bytesPerDay: rateOf(arrivals, now),
  };
}

interface Known {
  readonly used: UsedArchives;
  readonly stored: StoredState;
  readonly sizes: ReadonlyMap<string, number>;
}

/** Null when it has been removed since the listing. `bytes` is null where its manifest cannot be read, and for classic ones. */
async function countOne(catalog: Catalog, listed: ListedSnapshot, known: Known, options: CallOptions): Promise<Counted | null> {
  const manifest = findObject(listed, 'manifest');
  const common = { id: listed.id, listed, ownBytes: bytesOf(listed) };
  const unknown = {
    ...common,
    time: new Date(snapshotTime(listed.id)).toISOString(),
    bytes: null,
    damagedFiles: 0,
    archives: new Uint32Array(),
  };
  if (manifest === null) {
    const problem = classicProblem(listed);
    return { ...unknown, ...(problem === null ? { state: 'whole' } : { state: 'damaged', problem }) };
  }
  try {
    const header = await readManifestHeader(catalog.zstd, catalog.backend, catalog.vault, manifest, options);
    const archives = known.used.name(header.archives);
    const marked = ownMark(listed, 'manifest')?.message ?? null;
    const damagedFiles = marked === null ? await countDamaged(catalog, listed, header, known, options) : 0;
    const missing = archiveProblem(known.sizes, header.archives);
    const problem = missing ?? marked ?? (damagedFiles === 0 ? null : buildingProblem(known.sizes, header.archives));
    return {
      ...common,
      time: header.time,
      bytes: header.totals.bytes,
      archives,
      damagedFiles,
      state: missing !== null ? 'missing' : problem === null ? 'whole' : 'damaged',
      ...(problem === null ? {} : { problem }),
    };
  } catch (error) {
    if (!(error instanceof Fault) || !unreadableCodes.has(error.code)) throw error;
    return error.code === 'not-found' ? null : { ...unknown, state: 'damaged', problem: error.message };
  }
}

const unreadableCodes: ReadonlySet<string> = new Set(['corrupt', 'truncated', 'wrong-password', 'wrong-key', 'not-found']);

/** Files that cannot be brought back. The entries are read only where they can tell: of damage, or of what is left of a removed snapshot. */
async function countDamaged(
  catalog: Catalog,
  listed: ListedSnapshot,
  header: ManifestHeader,
  { used, stored, sizes }: Known,
  options: CallOptions,
): Promise<number> {
  if (buildingProblem(sizes, header.archives) === null && !used.areRemains(header.archives)) return 0;
  const stateOf = stored.stateOf(header.archives);
  const count = used.frameCounter(header.archives);
  const reader = await openListed(catalog, listed, options);
  let damaged = 0;
  try {
    for await (const { extents } of reader.entries()) {
      count(extents);
      if (stateOf(extents) !== null) damaged += 1;
    }
  } finally {
    await reader.close();
  }
  return damaged;
}

function bytesOf({ objects }: ListedSnapshot): number {
  return objects.reduce((sum, { size }) => sum + size, 0);
}

/** The manifest, its mark and its pin go whatever else stays. */
function ownNotes({ objects }: ListedSnapshot): number {
  const isOwn = ({ key, name: { kind } }: ListedObject): boolean =>
    kind === 'manifest' || kind === 'pin' || (kind === 'damaged' && !isOfArchive(key));
  return objects.reduce((sum, object) => (isOwn(object) ? sum + object.size : sum), 0);
}
