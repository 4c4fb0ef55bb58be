import { Fault } from '../../contract/faults.ts';
import type { RestoreReport, RestoreRequest, RunContext, Warning } from '../../contract/reports.ts';
import { pathFromBytes } from '../archive/byte-path.ts';
import { compileExcludes, compileIncludes } from '../archive/exclude.ts';
import type { UnpackResult } from '../archive/unpacker.ts';
import type { OpenVault } from '../archive/vault.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import { openArchive, readStored } from '../snapshots/archive-reader.ts';
import { findObject, listServer, openedCatalog, selectSnapshot, storedSizes } from '../snapshots/catalog.ts';
import type { Catalog, ListedSnapshot } from '../snapshots/catalog.ts';
import { compareChecksums } from '../snapshots/checksums.ts';
import { readObjectName, snapshotTime } from '../snapshots/names.ts';
import { fetchManifest } from '../snapshots/manifest-store.ts';
import type { ManifestArchive, ManifestHeader } from '../snapshots/manifest.ts';
import type { Staging } from '../snapshots/restore-target.ts';
import { loadVault } from '../snapshots/vault-store.ts';
import type { ByteStream, CallOptions } from '../storage/backend.ts';
import { throwIfCancelled } from '../storage/cancel.ts';
import { largestClockOffsetMs } from '../storage/check-destination.ts';
import { classicAlone } from './classic-alone.ts';
import { restoreClassic } from './restore-classic.ts';
import { isOwn, isWhole } from './base.ts';
import { refuseNothing, withoutFiles } from './nothing-restored.ts';
import { keepApart } from './places.ts';
import { archiveProblem } from './snapshot-problem.ts';
import { withWayOut } from './way-out.ts';

/** Brings a snapshot back: built and verified in a staging folder, then exchanged with the target in one step. */
export async function restore(
  host: EngineHost,
  destination: OpenDestination,
  request: RestoreRequest,
  run: RunContext,
): Promise<RestoreReport> {
  const started = host.clock.now();
  keepApart(request.target, destination.localPath);
  const recovered = await host.targets.recover(request.target);
  const options: CallOptions = { signal: run.signal };
  const warnings: Warning[] = recovered.map((message) => ({ code: 'recovered', message, level: 'note' }));
  const ended = (report: Omit<RestoreReport, 'elapsedMs'>): RestoreReport => {
    return { ...report, warnings: [...warnings, ...report.warnings], elapsedMs: host.clock.now() - started };
  };
  let vault: OpenVault;
  try {
    vault = await loadVault(destination.backend, { ...options, credentials: destination.credentials });
  } catch (error) {
    const classic = await classicAlone(error, destination.backend, request, options);
    return ended(await restoreClassic(host, destination, classic, request, run));
  }
  const catalog = openedCatalog(destination.backend, vault, host.zstd);
  const snapshot = await selectSnapshot(catalog, request, options);
  const manifest = findObject(snapshot, 'manifest');
  if (vault.damage !== undefined) warnings.push({ code: 'vault', message: vault.damage });
  if (request.snapshot === 'latest' && snapshotTime(snapshot.id) > host.clock.now() + largestClockOffsetMs) {
    const message = `the latest snapshot, ${snapshot.id}, is dated in the future: what was backed up since may be newer, and is named by its own id`;
    warnings.push({ code: 'clock', message });
  }
  try {
    return ended(
      manifest === null && findObject(snapshot, 'classic') !== null
        ? await restoreClassic(host, destination, snapshot, request, run)
        : await restoreArchive(host, catalog, snapshot, destination.localPath, request, run),
    );
  } catch (error) {
    throw await withWayOut(host, error, catalog, snapshot, request.salvage, options);
  }
}

async function restoreArchive(
  host: EngineHost,
  catalog: Catalog,
  snapshot: ListedSnapshot,
  localPath: string | undefined,
  request: RestoreRequest,
  run: RunContext,
): Promise<Omit<RestoreReport, 'elapsedMs'>> {
  const options: CallOptions = { signal: run.signal };
  const object = findObject(snapshot, 'manifest');
  if (object === null) {
    throw new Fault('not-found', `snapshot ${snapshot.id} is incomplete: it has no manifest`, {
      operation: 'restore',
      context: { snapshot: snapshot.id },
    });
  }
  const manifest = await fetchManifest(host, catalog.backend, catalog.vault, object.key, { ...options, size: object.size });
  let staging: Staging | null = null;
  try {
    const { header } = manifest;
    const archives = await Promise.all(header.archives.map((archive) => openArchive(catalog.vault, archive, null)));
    const partial = request.include.length > 0;
    const own = header.archives.map(isOwn(header));
    const sizes = await sizesFor(catalog, snapshot, header, partial, options);
    const misfits = header.archives.flatMap((archive) => misfit(sizes, archive, header.id) ?? []);
    if (misfits[0] !== undefined && !request.salvage) {
      const { object, message } = misfits[0];
      throw new Fault('corrupt', message, { operation: 'restore', context: { snapshot: header.id, object } });
    }
    const result = await host.unpacker(
      {
        manifest: manifest.spool,
        manifestName: object.key,
        archives,
        include: request.include,
        // Of an earlier snapshot's archive much may be other snapshots' data: only what is used is read.
        whole: (archive) => !partial && own[archive] === true,
        tolerant: request.salvage,
        staging: async ({ bytes, diskBytes, diskEntries }) => {
          if (bytes > header.totals.bytes) throw new Fault('corrupt', `${object.key} holds more than it says`, { operation: 'restore' });
          staging = await host.targets.prepare({
            target: request.target,
            id: snapshot.id,
            replace: request.replace,
            force: request.force,
            bytesNeeded: diskBytes,
            entriesNeeded: diskEntries,
            partial,
            time: host.clock.now(),
          });
          // Only now it is known where the target really lies, behind links.
          keepApart(staging.target, localPath);
          return staging;
        },
        read: async (index, range) => {
          const key = archives[index]?.key ?? '';
          try {
            return await readStored(catalog.backend, key, range, options);
          } catch (error) {
            if (!(error instanceof Fault) || error.code !== 'not-found') throw error;
            if (!request.salvage)
              throw new Fault('corrupt', `${key} is gone`, { operation: 'restore', context: { object: key }, cause: error });
            return nothing();
          }
        },
        directory: async () => false,
      },
      run,
    );
    // Assigned in the callback above, which the compiler does not follow.
    const ready = staging as Staging | null;
    if (ready === null) throw new Fault('unexpected', 'nothing was staged', { operation: 'restore' });
    const hashed = header.archives.flatMap((archive, index) =>
      result.sha256[index] === null ? [] : [{ archive, hex: result.sha256[index] ?? null }],
    );
    const checks = await compareChecksums(
      catalog.backend,
      hashed.map(({ archive }) => archive),
      hashed.map(({ hex }) => hex),
      options,
    );
    const damage = checks.find(({ kind }) => kind === 'damage');
    if (damage !== undefined && !request.salvage) {
      throw new Fault('corrupt', damage.message, { operation: 'restore', context: { object: damage.object } });
    }
    // Folders and links alone are not what was asked for: a target must not be swapped for them.
    if (result.files === 0 && result.damagedFiles.length > 0) {
      const names = result.damagedFiles.slice(0, 5).map(({ path }) => path);
      const message = `not one file of ${snapshot.id} is whole; lost: ${names.join(', ')}${result.damagedFiles.length > 5 ? ` and ${result.damagedFiles.length - 5} more` : ''}`;
      throw new Fault('corrupt', message, { operation: 'restore', context: { snapshot: snapshot.id } });
    }
    refuseNothing(result, request, snapshot.id);
    run.onProgress?.({
      phase: 'swap',
      files: result.files,
      bytes: result.bytes,
      totalFiles: result.files,
      totalBytes: result.bytes,
      storedBytes: 0,
    });
    throwIfCancelled(run.signal, 'restore');
    const done = await commit(ready, header, request, result, partial);
    return {
      id: header.id,
      server: header.server,
      target: ready.target,
      files: result.files,
      bytes: result.bytes,
      fromTarget: result.kept,
      fetchedBytes: result.storedBytes,
      before: done.before,
      damaged: result.damagedFiles,
      warnings: [
        ...withoutFiles(result),
        ...ready.notes.map((message): Warning => ({ code: 'target', message, level: 'note' })),
        ...header.warnings.map(({ message, path }): Warning => ({
          code: 'at-backup',
          message: `at the backup: ${path === undefined ? '' : `${path} `}${message}`,
          level: 'note',
        })),
        ...(manifest.repaired
          ? [{ code: 'header' as const, message: `${object.key}: its damaged header was repaired from the vault` }]
          : []),
        ...misfits.map(({ message }): Warning => ({ code: 'damage', message })),
        ...result.damage.map(({ message, archive }): Warning => ({
          code: 'damage',
          message: `${archives[archive]?.key ?? ''}: ${message}`,
        })),
        ...checks.map(({ message }): Warning => ({ code: 'checksum', message })),
        ...done.notes.map((message): Warning => ({ code: 'target', message, level: 'note' })),
      ],
    };
  } catch (error) {
    await (staging as Staging | null)?.abort();
    throw error;
  } finally {
    await manifest.spool.dispose();
  }
}

/** What is listed of the snapshot, and of the whole server where all of it comes back and rests on earlier runs: parts cost no listing more. */
async function sizesFor(
  catalog: Catalog,
  snapshot: ListedSnapshot,
  header: ManifestHeader,
  partial: boolean,
  options: CallOptions,
): Promise<ReadonlyMap<string, number>> {
  if (partial || (isWhole(header) && header.takenOver === undefined)) return storedSizes([snapshot]);
  return storedSizes((await listServer(catalog.backend, snapshot.slug, options)).snapshots);
}

/** What the listing shows already: an archive of this snapshot that is gone, and any that was cut short or is longer than it was written. */
function misfit(
  sizes: ReadonlyMap<string, number>,
  archive: ManifestArchive,
  id: string,
): { readonly object: string; readonly message: string } | null {
  // That a listing lacks an earlier one proves nothing: reading it will tell.
  if (!sizes.has(archive.key) && readObjectName(archive.key)?.id !== id) return null;
  const message = archiveProblem(sizes, [archive]);
  return message === null ? null : { object: archive.key, message };
}

async function* nothing(): ByteStream {}

function commit(
  staging: Staging,
  header: ManifestHeader,
  request: RestoreRequest,
  result: UnpackResult,
  partial: boolean,
): ReturnType<Staging['commit']> {
  const excluded = compileExcludes(header.excludes);
  const { includes } = compileIncludes(request.include);
  return staging.commit({
    root: partial ? null : result.root,
    carryOver: (path, isDirectory) => excluded(pathFromBytes(path), isDirectory),
    ...(partial ? { exchange: (path: Buffer) => includes(pathFromBytes(path), true) } : {}),
  });
}
