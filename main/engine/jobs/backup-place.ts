import { Fault } from '../../contract/faults.ts';
import type { BackupReport, BackupRequest, RunContext } from '../../contract/reports.ts';
import { sealedWith } from '../archive/seal.ts';
import type { OpenVault } from '../archive/vault.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost, HeldLock, SourceFolder } from '../host.ts';
import { listServer, openedCatalog, readHeader, slugFor } from '../snapshots/catalog.ts';
import type { Catalog, ServerListing } from '../snapshots/catalog.ts';
import { fetchManifest } from '../snapshots/manifest-store.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
import { damagedKey, manifestKey, newSnapshotId, serverPrefix } from '../snapshots/names.ts';
import { loadVault } from '../snapshots/vault-store.ts';
import type { Backend, CallOptions } from '../storage/backend.ts';
import { largestClockOffsetMs } from '../storage/check-destination.ts';
import { measureClockOffset } from '../storage/clock-offset.ts';
import { isClassicUnchanged, recallClassic, unchangedClassic } from './classic-memory.ts';
import { lockName } from './lock-name.ts';
import { checkOwner } from './owner.ts';
import { keepApart } from './places.ts';
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
  readonly written: Written;
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
  const catalog = openedCatalog(backend, vault, host.zstd);
  const server = request.server ?? defaultName(source.root);
  const slug = await slugFor(catalog, server, options);
  const lock = await host.lock(lockName(destination, slug));
  try {
    const found = await lookAround(backup, destination, catalog, slug);
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

type Found = Pick<BackupPlace, 'id' | 'time' | 'clockOffset' | 'machine'>;

async function lookAround(backup: BackupRun, destination: OpenDestination, catalog: Catalog, slug: string): Promise<Found | Unchanged> {
  const { host, source, excludes, request, run } = backup;
  const { backend } = destination;
  const options: CallOptions = { signal: run.signal };
  const listing = await listServer(backend, slug, options);
  const machine = await host.machine();
  const last = await lastSnapshot(catalog, listing, options);
  checkOwner(last, machine.id, request.takeOver);
  // Nobody else writes here: what is unfinished was left by a run of ours that was killed.
  for await (const { token } of backend.openUploads(serverPrefix(slug), options)) await backend.abandon(token, options);

  if (last !== null && !request.force && request.format === 'archive' && sameRules(last, request, excludes)) {
    if (await isUnchanged(host, catalog, source, last, excludes, run)) return unchangedReport(last);
  }
  if (!request.force && request.format === 'classic') {
    const known = await recallClassic(host, lockName(destination, slug));
    if (known !== null && (await isClassicUnchanged(host, known, listing, { request, excludes, root: source.root }, run))) {
      return unchangedClassic(known);
    }
  }
  const clockOffset = await measureClockOffset(backend, serverPrefix(slug), host.clock, host.random, options);
  const now = host.clock.now() + (Math.abs(clockOffset) > largestClockOffsetMs ? clockOffset : 0);
  const time = request.time ?? now;
  const id = newSnapshotId(
    time,
    host.random,
    listing.snapshots.map((snapshot) => snapshot.id),
  );
  return { id, time, clockOffset, machine };
}

async function lastSnapshot(catalog: Catalog, listing: ServerListing, options: CallOptions): Promise<ManifestHeader | null> {
  for (const snapshot of listing.snapshots.toReversed()) {
    const header = await readHeader(catalog, snapshot, options);
    if (header !== null && !(header instanceof Fault)) return header;
  }
  return null;
}

function sameRules(last: ManifestHeader, request: BackupRequest, excludes: readonly string[]): boolean {
  return (
    last.preset === (request.preset ?? null) && JSON.stringify(last.excludes) === JSON.stringify(excludes) && last.warnings.every(isNote)
  );
}

/** A snapshot that misses something it should hold is no state to rest on. */
const isNote = (warning: { readonly code: string }): boolean => warning.code === 'special' || warning.code === 'own-file';

async function isUnchanged(
  host: EngineHost,
  catalog: Catalog,
  source: SourceFolder,
  last: ManifestHeader,
  excludes: readonly string[],
  run: RunContext,
): Promise<boolean> {
  const key = manifestKey(last.slug, last.id);
  try {
    if (!last.archives.every(({ head }) => sealedWith(catalog.vault.vaultKey, Buffer.from(head, 'base64'), 'holdfast/v2/archive')))
      return false;
    await checkStored(catalog.backend, last, { signal: run.signal });
    const { spool } = await fetchManifest(host, catalog.backend, catalog.vault, key, { signal: run.signal });
    try {
      return await host.scan({ root: source.root, excludes, manifest: spool, signal: run.signal, onProgress: run.onProgress });
    } finally {
      await spool.dispose();
    }
  } catch (error) {
    // A last snapshot that is damaged or incomplete proves nothing: a new one is what helps.
    if (error instanceof Fault && ['corrupt', 'truncated', 'not-found'].includes(error.code)) return false;
    throw error;
  }
}

/** Just before a snapshot counts, or is counted on: every archive that it names is there, in the right size. */
export async function checkStored(backend: Backend, header: ManifestHeader, options: CallOptions): Promise<void> {
  const listing = await listServer(backend, header.slug, options);
  const sizes = new Map(listing.snapshots.flatMap(({ objects }) => objects).map(({ key, size }) => [key, size]));
  for (const { key, size } of header.archives) {
    const marked = sizes.has(damagedKey(key));
    if (sizes.get(key) === size && !marked) continue;
    const message = marked
      ? `${key} is damaged`
      : sizes.has(key)
        ? `${key} has ${sizes.get(key)} bytes instead of ${size}`
        : `${key} is gone`;
    throw new Fault('corrupt', message, { operation: 'check archives', context: { object: key } });
  }
}

function unchangedReport(last: ManifestHeader): Unchanged {
  const { files, bytes } = last.totals;
  return { outcome: 'unchanged', id: last.id, server: last.server, files, bytes, storedBytes: 0, archives: [], warnings: [] };
}

function defaultName(root: string): string {
  return root.split('/').findLast((part) => part !== '') ?? 'server';
}
