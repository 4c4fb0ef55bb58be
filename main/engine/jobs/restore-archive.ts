import { Fault } from '../../contract/faults.ts';
import type { RestoreReport, RestoreRequest, RunContext, Warning } from '../../contract/reports.ts';
import { pathFromBytes } from '../archive/byte-path.ts';
import { compileExcludes } from '../archive/exclude.ts';
import type { UnpackRequest, UnpackResult } from '../archive/unpacker.ts';
import type { EngineHost } from '../host.ts';
import { openArchive, readStored } from '../snapshots/archive-reader.ts';
import { findObject, withoutManifest, listServer, storedSizes } from '../snapshots/catalog.ts';
import type { Catalog, ListedSnapshot } from '../snapshots/catalog.ts';
import { compareChecksums, readChecksum } from '../snapshots/checksums.ts';
import type { ChecksumFinding } from '../snapshots/checksums.ts';
import type { FetchedManifest } from '../snapshots/manifest-store.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
import { checksumKey, readObjectName } from '../snapshots/names.ts';
import type { CommitOptions } from '../snapshots/restore-target.ts';
import type { ByteStream, CallOptions } from '../storage/backend.ts';
import { throwIfCancelled } from '../storage/cancel.ts';
import { isOwn, isWhole } from './base.ts';
import { cutWarning, manifestFor, type SalvagedManifest } from './salvaged-manifest.ts';
import { refuseNothing, withoutFiles } from './nothing-restored.ts';
import { exchangedBy, isPartial, RestoreStaging } from './restore-staging.ts';
import { archiveProblem } from './snapshot-problem.ts';

/** A restore of one snapshot, once its manifest has been fetched. */
interface ArchiveRestore {
  readonly host: EngineHost;
  readonly catalog: Catalog;
  readonly snapshot: ListedSnapshot;
  readonly request: RestoreRequest;
  readonly run: RunContext;
  readonly manifest: SalvagedManifest;
  readonly staging: RestoreStaging;
}

/** A snapshot of the archive format, from the listing to the exchange with the target. */
export async function restoreArchive(
  host: EngineHost,
  catalog: Catalog,
  snapshot: ListedSnapshot,
  localPath: string | undefined,
  request: RestoreRequest,
  run: RunContext,
): Promise<Omit<RestoreReport, 'elapsedMs'>> {
  const object = findObject(snapshot, 'manifest');
  if (object === null) throw withoutManifest(snapshot, 'restore');
  const options: CallOptions = { signal: run.signal };
  const manifest = await manifestFor(host, catalog, object, request.salvage, options);
  const staging = new RestoreStaging(host, { id: snapshot.id, request, localPath });
  try {
    const all: ArchiveRestore = { host, catalog, snapshot, request, run, manifest, staging };
    const sizes = await listedSizes(all);
    const misfits = findMisfits(all, sizes);
    const read = new Set<number>();
    const result = await host.unpacker(await unpackRequest(all, read), run);
    const { ready } = staging;
    const checks = await checkHashes(all, sizes, result);
    refuseLost(result, snapshot.id);
    if (manifest.cut !== null && result.files === 0) throw manifest.cut.fault;
    refuseNothing(result, request, snapshot.id);
    tellSwap(run, result);
    throwIfCancelled(run.signal, 'restore');
    const done = await ready.commit(commitOf(manifest.header, request, result));
    return {
      id: manifest.header.id,
      server: manifest.header.server,
      target: ready.target,
      files: result.files,
      bytes: result.bytes,
      fromTarget: result.kept,
      fetchedBytes: result.storedBytes,
      before: done.before,
      damaged: result.damagedFiles,
      warnings: [
        ...withoutFiles(result),
        ...notes(ready.notes),
        ...warningsOf(manifest, object.key, result),
        ...cutWarning(manifest),
        ...misfits.map((misfit) => tellMisfit(misfit, isPartial(request) && !read.has(misfit.archive))),
        ...checks.map(({ message }): Warning => ({ code: 'checksum', message })),
        ...notes(done.notes),
      ],
    };
  } catch (error) {
    throw await staging.failed(error);
  } finally {
    await manifest.spool.dispose();
  }
}

/** An archive that is gone, cut short or longer than it was written. */
interface Misfit {
  /** Its number in the manifest. */
  readonly archive: number;
  readonly message: string;
}

/**
 * What the listing shows already of an archive of this snapshot that is gone, and of any that has another size. Without salvage the first is a fault, but
 * where only parts are restored: they may need none of it, and reading them tells.
 */
function findMisfits({ manifest: { header }, request }: ArchiveRestore, sizes: ReadonlyMap<string, number>): readonly Misfit[] {
  const misfits = header.archives.flatMap(({ key }, archive) => {
    // That a listing lacks an earlier one proves nothing: reading it will tell.
    if (!sizes.has(key) && readObjectName(key)?.id !== header.id) return [];
    const message = archiveProblem(sizes, header.archives.slice(archive, archive + 1));
    return message === null ? [] : [{ archive, object: key, message }];
  });
  const [first] = misfits;
  if (first !== undefined && !request.salvage && !isPartial(request)) {
    const context = { snapshot: header.id, object: first.object };
    throw new Fault('corrupt', first.message, { operation: 'restore', context });
  }
  return misfits;
}

function tellMisfit({ message }: Misfit, unneeded: boolean): Warning {
  if (!unneeded) return { code: 'damage', message };
  return { code: 'damage', message: `${message}; nothing of it was needed for what was asked for`, level: 'note' };
}

/** Of the snapshot, and of the whole server where all of it comes back and rests on earlier runs: parts cost no listing more. */
async function listedSizes({
  catalog,
  snapshot,
  request,
  run,
  manifest: { header },
}: ArchiveRestore): Promise<ReadonlyMap<string, number>> {
  if (isPartial(request) || (isWhole(header) && header.takenOver === undefined)) return storedSizes([snapshot]);
  return storedSizes((await listServer(catalog.backend, snapshot.slug, { signal: run.signal })).snapshots);
}

/** `read` hears of each archive of which something is fetched. */
async function unpackRequest(
  { catalog, snapshot, request, run, manifest, staging }: ArchiveRestore,
  read: Set<number>,
): Promise<UnpackRequest> {
  const { header, spool } = manifest;
  const options: CallOptions = { signal: run.signal };
  const own = header.archives.map(isOwn(header));
  const manifestName = findObject(snapshot, 'manifest')?.key ?? '';
  return {
    manifest: spool,
    manifestName,
    archives: await Promise.all(header.archives.map((archive) => openArchive(catalog.vault, archive, null))),
    include: request.include,
    // Of an earlier snapshot's archive much may be other snapshots' data: only what is used is read.
    whole: (archive) => !isPartial(request) && own[archive] === true,
    tolerant: request.salvage,
    staging: async ({ bytes, ...needs }) => {
      if (bytes > header.totals.bytes) throw new Fault('corrupt', `${manifestName} holds more than it says`, { operation: 'restore' });
      return await staging.prepare(needs);
    },
    read: async (index, range) => {
      const key = header.archives[index]?.key ?? '';
      read.add(index);
      try {
        return await readStored(catalog.backend, key, range, options);
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== 'not-found') throw error;
        if (request.salvage) return nothing();
        throw new Fault('corrupt', `${key} is gone`, { operation: 'restore', context: { object: key }, cause: error });
      }
    },
    directory: async () => false,
  };
}

async function* nothing(): ByteStream {}

/** Of the archives that were read whole, and of others whose checksum file the listing lacks. Without salvage the first that differs is a fault. */
async function checkHashes(
  { catalog, request, run, manifest }: ArchiveRestore,
  sizes: ReadonlyMap<string, number>,
  result: UnpackResult,
): Promise<readonly ChecksumFinding[]> {
  const { header } = manifest;
  const looked = header.archives.flatMap((archive, index) => {
    const hex = result.sha256[index] ?? null;
    const lacks = !isPartial(request) && sizes.has(archive.key) && !sizes.has(checksumKey(archive.key));
    return hex === null && !lacks ? [] : [{ archive, hex }];
  });
  const archives = looked.map(({ archive }) => archive);
  const read = looked.map(({ hex }) => hex);
  const checks = await compareChecksums((key) => readChecksum(catalog.backend, key, { signal: run.signal }), archives, read);
  const damage = checks.find(({ kind }) => kind === 'damage');
  if (damage !== undefined && !request.salvage) {
    throw new Fault('corrupt', damage.message, { operation: 'restore', context: { object: damage.object } });
  }
  return checks;
}

/** Folders and links alone are not what was asked for: a target must not be swapped for them. */
function refuseLost({ files, damagedFiles }: UnpackResult, snapshot: string): void {
  if (files > 0 || damagedFiles.length === 0) return;
  const names = damagedFiles.slice(0, 5).map(({ path }) => path);
  const more = damagedFiles.length > names.length ? ` and ${damagedFiles.length - names.length} more` : '';
  const message = `not one file of ${snapshot} is whole; lost: ${names.join(', ')}${more}`;
  throw new Fault('corrupt', message, { operation: 'restore', context: { snapshot } });
}

function tellSwap(run: RunContext, { files, bytes }: UnpackResult): void {
  run.onProgress?.({ phase: 'swap', files, bytes, totalFiles: files, totalBytes: bytes, storedBytes: 0 });
}

function commitOf(header: ManifestHeader, request: RestoreRequest, { root }: UnpackResult): CommitOptions {
  const excluded = compileExcludes(header.excludes);
  const carryOver = (path: Buffer, isDirectory: boolean): boolean => excluded(pathFromBytes(path), isDirectory);
  return { root: isPartial(request) ? null : root, carryOver, ...exchangedBy(request) };
}

const notes = (messages: readonly string[]): readonly Warning[] =>
  messages.map((message): Warning => ({ code: 'target', message, level: 'note' }));

/** What the snapshot and the reading of it have to say. */
function warningsOf({ header, repaired }: FetchedManifest, manifestKey: string, result: UnpackResult): readonly Warning[] {
  return [
    ...header.warnings.map(({ message, path }): Warning => ({
      code: 'at-backup',
      message: `at the backup: ${path === undefined ? '' : `${path} `}${message}`,
      level: 'note',
    })),
    ...(repaired ? [{ code: 'header' as const, message: `${manifestKey}: its damaged header was repaired from the vault` }] : []),
    ...result.damage.map(({ message, archive }): Warning => ({
      code: 'damage',
      message: `${header.archives[archive]?.key ?? ''}: ${message}`,
    })),
  ];
}
