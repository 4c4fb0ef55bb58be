import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import type { PruneReport, PruneRequest, RunContext, Warning } from '../../contract/reports.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import { decideRetention } from '../retention/decide.ts';
import { findObject, hasEnded, listServer } from '../snapshots/catalog.ts';
import { readHeader, readHeaders } from '../snapshots/headers.ts';
import type { Catalog, ListedObject, ListedSnapshot, OneServer } from '../snapshots/catalog.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
import { checksumKey, damagedKey, serverPrefix, snapshotTime } from '../snapshots/names.ts';
import { selectServer } from '../snapshots/select.ts';
import { lastHeader } from '../snapshots/written-order.ts';
import type { CallOptions, ObjectInfo } from '../storage/backend.ts';
import { largestClockOffsetMs } from '../storage/check-destination.ts';
import { measureClockOffset } from '../storage/clock-offset.ts';
import { refuseWithGaps } from './listing-gaps.ts';
import { givingUp } from './giving-up.ts';
import { lockName } from './lock-name.ts';
import { checkOwner, ownerOf } from './owner.ts';
import { livePartials, readPartials, type ReadPartials } from './unfinished.ts';
import { unreadableManifest } from './unreadable-manifest.ts';
import { classicProblem, ownMark, problemFinder } from './snapshot-problem.ts';
import { openCatalog } from './snapshots.ts';
import type { KnownPlace } from '../snapshots/known-place.ts';

/** What no manifest ever named may be a run still under way; after this long it is not. */
const leftoverAfterMs = 48 * 3_600_000;

interface Known {
  readonly snapshot: ListedSnapshot;
  readonly header: ManifestHeader | null;
  readonly time: number;
  readonly complete: boolean;
  /** Why it is not, of a classic one, and where its manifest's first line can be read. */
  readonly problem: string | null;
}

/**
 * Removes what the policy does not keep, and what killed runs left behind. Works on one complete listing; manifests go first, then
 * the archives that only those had named.
 */
export async function prune(
  host: EngineHost,
  destination: OpenDestination,
  request: PruneRequest,
  run: RunContext,
  known: KnownPlace,
): Promise<PruneReport> {
  const options: CallOptions = { signal: run.signal };
  const catalog = await openCatalog(host, destination, options, request.dryRun ? known : null);
  const { slug } = await selectServer(catalog, request.server, options);
  // Who only looks is in nobody's way, and a backup that runs is not in theirs.
  const lock = request.dryRun ? null : await host.lock(lockName(destination, slug));
  try {
    // A dry run writes nothing at all, not even what the provider's clock is read from: it goes by ours.
    const offset = request.dryRun ? 0 : await measureClockOffset(destination.backend, serverPrefix(slug), host.clock, host.random, options);
    if (Math.abs(offset) > largestClockOffsetMs) {
      const minutes = Math.round(Math.abs(offset) / 60_000);
      throw new Fault(
        'config-invalid',
        `this computer's clock is ${minutes} minutes off the backup place's: nothing is removed by a wrong clock`,
        {
          operation: 'prune',
          context: saying('clock-off', { minutes }),
        },
      );
    }
    const listing = await listServer(destination.backend, slug, options);
    return await pruneListing(host, destination, { catalog, listing, providerNow: host.clock.now() + offset }, request, options);
  } finally {
    await lock?.release();
  }
}

async function pruneListing(
  host: EngineHost,
  destination: OpenDestination,
  { catalog, listing, providerNow }: { readonly catalog: Catalog; readonly listing: OneServer; readonly providerNow: number },
  request: PruneRequest,
  options: CallOptions,
): Promise<PruneReport> {
  const warnings: Warning[] = [];
  const known: Known[] = [];
  const problemOf = await problemFinder(host, catalog, listing, options);
  let unreadable: string | null = null;
  await readHeaders(catalog, listing.snapshots, options);
  for (const snapshot of listing.snapshots) {
    const header = await readHeader(catalog, snapshot, options);
    const damaged = header instanceof Fault ? header : ownMark(snapshot, 'manifest');
    if (damaged !== null) {
      unreadable = damaged.message;
      warnings.push(noArchiveRemoved(damaged));
    }
    const problem = header === null || header instanceof Fault ? null : await problemOf(snapshot, header);
    known.push(describe(snapshot, header, problem));
  }
  const last = await lastHeader(catalog, listing, options);
  checkOwner(await ownerOf(catalog, listing, { last, providerNow }, options), (await host.machine()).id, request.takeOver);
  const partials = await readPartials(catalog, livePartials(listing, providerNow), options);
  const archives = [...partials.archives, ...known.flatMap(({ header }) => (header?.archives ?? []).map(({ key }) => key))];
  // Where nothing is removed, a backup may be ending beside it, and a listing be short of what that has stored.
  if (!request.dryRun) await refuseWithGaps(host, destination, listing, new Set(archives.flatMap(withBeside)), options);

  let decision = decide(known, request, providerNow);
  for (;;) {
    const trusted = decision.remove.length === 0 ? undefined : trustedOf(known, providerNow);
    // Before any other goes: without its map all that it names is lost.
    const fault = trusted === undefined ? null : await unreadableManifest(catalog, trusted.snapshot, options);
    if (trusted === undefined || fault === null) break;
    unreadable = fault.message;
    warnings.push(noArchiveRemoved(fault));
    known[known.indexOf(trusted)] = { ...trusted, header: null, complete: false };
    decision = decide(known, request, providerNow);
  }
  const removed = new Set(decision.remove.map(({ id }) => id));
  for (const { snapshot, problem } of known)
    if (problem !== null && ownMark(snapshot, 'manifest') === null)
      warnings.push({ code: 'damaged', message: `${snapshot.id}: ${problem}; it was left as it is` });
  // What killed runs left of reading the provider's clock.
  const probes = listing.probes.filter((info) => isOld(info, providerNow));
  const keepArchives = unreadable !== null || partials.unreadable;
  const objects: readonly ObjectInfo[] = [...doomed(known, { removed, providerNow, keepArchives, partials }), ...probes];
  if (!request.dryRun) for (const { key } of objects) await catalog.backend.remove(key, options);
  const iso = (time: number): string => new Date(time).toISOString();
  return {
    keep: decision.keep.map(({ id, time, reasons }) => ({ id, time: iso(time), reasons })),
    remove: decision.remove.map(({ id, time }) => ({ id, time: iso(time) })),
    objects: objects.map(({ key }) => key),
    freedBytes: objects.reduce((sum, { size }) => sum + size, 0),
    warnings,
  };
}

function decide(known: readonly Known[], { policy, zone }: PruneRequest, now: number): ReturnType<typeof decideRetention> {
  const all = known.map(({ snapshot, time, complete }) => ({
    ...{ id: snapshot.id, time, complete },
    pinned: findObject(snapshot, 'pin') !== null,
  }));
  return decideRetention(all, policy, { zone, now });
}

/** What older ones go for: the newest complete one, and like retention none that is dated in the future while there is another. */
function trustedOf(known: readonly Known[], now: number): Known | undefined {
  const readable = known.filter(({ complete, header }) => complete && header !== null);
  return readable.findLast(({ time }) => time <= now) ?? readable.at(-1);
}

const noArchiveRemoved = ({ message }: Pick<Fault, 'message'>): Warning => ({
  code: 'manifest',
  message: `${message}; no archive of this server is removed until that manifest is repaired, or deleted by hand (${givingUp})`,
});

function describe(snapshot: ListedSnapshot, header: ManifestHeader | Fault | null, problem: string | null): Known {
  if (header !== null && !(header instanceof Fault))
    return { snapshot, header, time: Date.parse(header.time), complete: problem === null, problem };
  const classic = header === null && hasEnded(snapshot);
  const lost = classic ? classicProblem(snapshot) : problem;
  return { snapshot, header: null, time: snapshotTime(snapshot.id), complete: classic && lost === null, problem: lost };
}

interface Doom {
  readonly removed: ReadonlySet<string>;
  readonly providerNow: number;
  /** While a manifest or a partial cannot be read, nobody knows what it names. */
  readonly keepArchives: boolean;
  readonly partials: ReadPartials;
}

/**
 * In the order of removal: manifests; then archives and classic files; then what belonged to them. A classic file without its checksum
 * file may be somebody's only copy whose .sha256 was lost on the way: no sweep touches it.
 */
function doomed(known: readonly Known[], { removed, providerNow, keepArchives, partials }: Doom): readonly ListedObject[] {
  const named = new Set<string>(partials.archives.flatMap(withBeside));
  // What only the removed ones had named: archives of earlier runs too, whose own manifests may have gone long ago.
  const released = new Set<string>();
  for (const { snapshot, header } of known) {
    for (const { key } of header?.archives ?? []) {
      for (const one of withBeside(key)) (removed.has(snapshot.id) ? released : named).add(one);
    }
  }
  const first: ListedObject[] = [];
  const data: ListedObject[] = [];
  const rest: ListedObject[] = [];
  for (const { snapshot } of known) {
    const going = removed.has(snapshot.id);
    const committed = hasEnded(snapshot);
    for (const object of snapshot.objects) {
      const { kind } = object.name;
      if (kind === 'partial') {
        if (!partials.live.has(object.key)) first.push(object);
        continue;
      }
      const leftover = !committed && findObject(snapshot, 'classic') === null && isOld(object, providerNow);
      // A pin outlives nothing that it kept: a pinned snapshot is never among the removed.
      if (named.has(object.key) || !(going || leftover || released.has(object.key))) continue;
      if (kind === 'manifest') first.push(object);
      else if (keepArchives && (kind === 'archive' || kind === 'damaged' || kind === 'checksum')) continue;
      else if (kind === 'archive' || kind === 'classic') data.push(object);
      else rest.push(object);
    }
  }
  return [...first, ...data, ...rest];
}

/** An archive, and what belongs to it. */
const withBeside = (key: string): readonly string[] => [key, checksumKey(key), damagedKey(key)];

/** By the provider's own times: ours, and the one in the name, may be wrong. */
function isOld(object: ObjectInfo, providerNow: number): boolean {
  return providerNow - object.modifiedAt > leftoverAfterMs;
}
