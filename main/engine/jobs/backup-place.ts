import { Fault } from '../../contract/faults.ts';
import type { BackupReport, BackupRequest, RunContext, Warning } from '../../contract/reports.ts';
import type { OpenVault } from '../archive/vault.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost, HeldLock, SourceFolder } from '../host.ts';
import { listServer, newestHeader, openedCatalog } from '../snapshots/catalog.ts';
import type { Catalog, ListedSnapshot, ServerListing } from '../snapshots/catalog.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
import { newSnapshotId, serverPrefix } from '../snapshots/names.ts';
import { slugFor } from '../snapshots/select.ts';
import { loadVault } from '../snapshots/vault-store.ts';
import { inOrderWritten } from '../snapshots/written-order.ts';
import type { CallOptions, ObjectKey } from '../storage/backend.ts';
import { largestClockOffsetMs } from '../storage/check-destination.ts';
import { measureClockOffset, sweepProbes } from '../storage/clock-offset.ts';
import { findBase, isWhole, isWholeDue, isYoungEnough, type Base, type Ground } from './base.ts';
import { olderManifests, OlderSnapshots } from './older-snapshots.ts';
import { withUnfinished } from './going-on.ts';
import { partialsIn } from './unfinished.ts';
import { isClassicUnchanged, recallClassic, unchangedClassic } from './classic-memory.ts';
import { lockName } from './lock-name.ts';
import { movedFolder } from './moved-folder.ts';
import { checkOwner, ownerOf } from './owner.ts';
import { keepApart } from './places.ts';
import { isMissing } from './snapshot-problem.ts';
import { Written } from './written.ts';

/** One backup of one folder, whatever it goes to. */
export interface BackupRun {
  readonly host: EngineHost;
  readonly source: SourceFolder;
  readonly excludes: readonly string[];
  readonly request: BackupRequest;
  readonly run: RunContext;
}

/** A destination that is to get a snapshot; its server is locked until `lock` is released. */
export interface BackupPlace {
  readonly destination: OpenDestination;
  readonly vault: OpenVault;
  readonly server: string;
  readonly slug: string;
  readonly id: string;
  /** Of the snapshot, in milliseconds since 1970. */
  readonly time: number;
  /** How far this computer's clock is from the provider's. */
  readonly clockOffset: number;
  readonly machine: { readonly id: string; readonly host: string };
  /** The machine whose server it was when the run began; null where it was nobody's. */
  readonly owner: string | null;
  readonly written: Written;
  /** To be told with the snapshot, and no part of it. */
  readonly notes: readonly Warning[];
  /** What it is compared with; null where nothing is stored that it may rest on. Its spool is the place's to dispose of. */
  readonly base: Ground | null;
  /** Where else content is looked for; null for a snapshot that is to rest on nothing earlier. */
  readonly older: OlderSnapshots | null;
  /** What earlier runs that did not end have written down: done with once this snapshot counts. */
  readonly partials: readonly ObjectKey[];
  /** It has begun anew because a volume of its own was lost: that happens once, so that it ends. */
  readonly lostOwn?: boolean;
  readonly lock: HeldLock;
}

export type Unchanged = Omit<BackupReport, 'elapsedMs'>;

/** Opens a destination for a backup: who owns the server there, what it holds, and whether anything has changed since. */
export async function openPlace(backup: BackupRun, destination: OpenDestination): Promise<BackupPlace | Unchanged> {
  const { host, source, request, run } = backup;
  const { backend } = destination;
  const options: CallOptions = { signal: run.signal };
  keepApart(source.root, destination.localPath);
  const vault = await loadVault(backend, { ...options, credentials: destination.credentials, create: host });
  const catalog = openedCatalog(backend, vault, host);
  const server = request.server ?? defaultName(source.root);
  const slug = await slugFor(catalog, server, options);
  const lock = await host.lock(lockName(destination, slug));
  try {
    const found = await lookAround(backup, destination, catalog, { slug, server });
    if (found === null) {
      await lock.release();
      return await openPlace(backup, destination);
    }
    if ('outcome' in found) {
      await lock.release();
      return found;
    }
    return { ...found, destination, vault, server, slug, lock, written: new Written(backend) };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

type Found = Pick<BackupPlace, 'id' | 'time' | 'clockOffset' | 'machine' | 'owner' | 'notes' | 'base' | 'older' | 'partials'>;

/** Null: a server of another name has taken the folder since it was chosen. */
async function lookAround(
  backup: BackupRun,
  destination: OpenDestination,
  catalog: Catalog,
  { slug, server }: { readonly slug: string; readonly server: string },
): Promise<Found | Unchanged | null> {
  const { host, source, request, run } = backup;
  const { backend } = destination;
  const options: CallOptions = { signal: run.signal };
  const listing = await listServer(backend, slug, options);
  const machine = await host.machine();
  const written = inOrderWritten(listing.snapshots);
  const last = await newestHeader(catalog, { snapshots: written }, options);
  if (last !== null && last.server !== server) return null;
  const measured = (): Promise<number> => measureClockOffset(backend, serverPrefix(slug), host.clock, host.random, options);
  const partials = partialsIn(listing);
  // Which of them still count, their provider's clock says.
  let clockOffset = partials.length === 0 ? null : await measured();
  const owner = await ownerOf(catalog, listing, { last, providerNow: host.clock.now() + (clockOffset ?? 0) }, options);
  checkOwner(owner, machine.id, request.takeOver);
  const notes = movedFolder(last, { machine: machine.id, source, request });
  // It is ours, so that what is unfinished was left by a run that was killed. Only of one that has not written down its first volume yet it cannot be known whose it is.
  for await (const { token } of backend.openUploads(serverPrefix(slug), options)) await backend.abandon(token, options);
  // For the same reason whatever their age.
  await sweepProbes(backend, listing.probes, options);

  const base = isIndependent(request)
    ? null
    : await findBase(host, catalog, { listing, written }, { machine: machine.id, source }, options);
  try {
    if (last !== null && base !== null && (await isUnchanged(backup, last, base))) {
      await base.spool.dispose();
      return unchangedReport(last);
    }
    const known = request.force || request.format !== 'classic' ? null : await classicUnchanged(backup, destination, slug, written);
    if (known !== null) return known;
    clockOffset ??= await measured();
    const now = host.clock.now() + (Math.abs(clockOffset) > largestClockOffsetMs ? clockOffset : 0);
    const time = request.time ?? now;
    const id = newSnapshotId(
      time,
      host.random,
      listing.snapshots.map((snapshot) => snapshot.id),
    );
    const found = { id, time, clockOffset, machine, owner: owner?.machine ?? null, notes };
    if (request.format === 'classic') return { ...found, base: null, older: null, partials: [] };
    const restsOn = base === null || isWholeDue(base, listing, request.whole, time) ? null : base;
    const about = { base: restsOn, last, machine: machine.id, source, providerNow: host.clock.now() + clockOffset };
    const ground = await withUnfinished(host, catalog, listing, about, options);
    if (ground !== base) await base?.spool.dispose();
    const older =
      restsOn === null || ground === null ? null : olderSnapshots(backup, catalog, { listing, written, base: restsOn, ground, time });
    return { ...found, base: ground, older, partials: partials.map(({ key }) => key) };
  } catch (error) {
    await base?.spool.dispose();
    throw error;
  }
}

function olderSnapshots(
  { host, request }: BackupRun,
  catalog: Catalog,
  stored: {
    readonly listing: ServerListing;
    readonly written: readonly ListedSnapshot[];
    readonly base: Base;
    readonly ground: Ground;
    readonly time: number;
  },
): OlderSnapshots {
  const { listing, written, base, ground, time } = stored;
  const manifests = olderManifests(written, base.header);
  return new OlderSnapshots(
    { host, catalog, listing, manifests, isYoungEnough: isYoungEnough(base, listing, request.whole, time) },
    ground,
  );
}

/** Nothing of what is there matters for it. */
function isIndependent({ format, force, whole }: BackupRequest): boolean {
  return format === 'classic' || (force && whole === 'always');
}

async function classicUnchanged(
  backup: BackupRun,
  destination: OpenDestination,
  slug: string,
  written: readonly ListedSnapshot[],
): Promise<Unchanged | null> {
  const { host, source, excludes, request, run } = backup;
  const known = await recallClassic(host, lockName(destination, slug));
  if (known === null || !(await isClassicUnchanged(host, known, written.at(-1), { request, excludes, root: source.root }, run)))
    return null;
  return unchangedClassic(known);
}

/** And a snapshot that misses something it should hold is no state to rest on. */
function sameRules(last: ManifestHeader, request: BackupRequest, excludes: readonly string[]): boolean {
  return (
    last.preset === (request.preset ?? null) && JSON.stringify(last.excludes) === JSON.stringify(excludes) && !last.warnings.some(isMissing)
  );
}

/** The last snapshot holds the folder as it is now, and can be counted on. */
async function isUnchanged({ host, source, excludes, request, run }: BackupRun, last: ManifestHeader, base: Base): Promise<boolean> {
  if (request.force || (request.whole === 'always' && !isWhole(last))) return false;
  if (base.header.id !== last.id || !base.trustStamps || base.usable.includes(false) || !sameRules(last, request, excludes)) return false;
  try {
    const { ignoreInode } = request;
    return await host.scan({
      root: source.root,
      excludes,
      ignoreInode,
      manifest: base.spool,
      signal: run.signal,
      onProgress: run.onProgress,
    });
  } catch (error) {
    // A last snapshot that is damaged proves nothing: a new one is what helps.
    if (error instanceof Fault && (error.code === 'corrupt' || error.code === 'truncated')) return false;
    throw error;
  }
}

function unchangedReport(last: ManifestHeader): Unchanged {
  const { files, bytes } = last.totals;
  const kept = { files, bytes };
  return { outcome: 'unchanged', id: last.id, server: last.server, files, bytes, storedBytes: 0, archives: [], kept, warnings: [] };
}

function defaultName(root: string): string {
  return root.split('/').findLast((part) => part !== '') ?? 'server';
}
