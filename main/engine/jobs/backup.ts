import { asFault, Fault } from '../../contract/faults.ts';
import type { BackupReport, BackupRequest, RunContext, Warning } from '../../contract/reports.ts';
import { newClassicKey } from '../archive/classic.ts';
import type { PackResult, SealWith, VolumeUpload } from '../archive/packer.ts';
import { sealedWith } from '../archive/seal.ts';
import type { OpenVault } from '../archive/vault.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost, SourceFolder } from '../host.ts';
import { presetPatterns } from '../presets.ts';
import { listServer, openedCatalog, readHeader, slugFor } from '../snapshots/catalog.ts';
import type { Catalog, ServerListing } from '../snapshots/catalog.ts';
import { fetchManifest, writeManifest } from '../snapshots/manifest-store.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
import { archiveKey, checksumKey, classicKey, damagedKey, manifestKey, newSnapshotId, serverPrefix } from '../snapshots/names.ts';
import { ensureVaultHolds, loadVault } from '../snapshots/vault-store.ts';
import type { Backend, CallOptions } from '../storage/backend.ts';
import { largestClockOffsetMs } from '../storage/check-destination.ts';
import { measureClockOffset } from '../storage/clock-offset.ts';
import { choosePartSize } from '../storage/part-size.ts';
import { openPartWriter } from '../storage/part-writer.ts';
import { uploadBytes } from '../storage/upload-object.ts';
import { lockName } from './lock-name.ts';
import { manifestHeader } from './manifest-header.ts';
import { isClassicUnchanged, recallClassic, rememberClassic, unchangedClassic } from './classic-memory.ts';
import { checkOwner } from './owner.ts';
import { keepApart } from './places.ts';
import { Written } from './written.ts';

/** Whole parts wait in memory while they are sent: larger ones only where the provider asks for them. */
const wantedPart = (backend: Backend): number => (backend.info.limits.minPart > 1 ? 16 : 1) * 2 ** 20;

/** Turns a folder into a snapshot. What fails leaves the destination as it was, but for a vault. */
export async function backup(
  host: EngineHost,
  destination: OpenDestination,
  request: BackupRequest,
  run: RunContext,
): Promise<BackupReport> {
  const started = host.clock.now();
  const { backend } = destination;
  const options: CallOptions = { signal: run.signal };
  const source = await host.openSource(request.folder);
  keepApart(source.root, destination.localPath);
  const excludes = [...(request.preset === undefined ? [] : presetPatterns(request.preset)), ...source.ignore, ...request.excludes];

  const vault = await loadVault(backend, { ...options, credentials: destination.credentials, create: host });
  const catalog = openedCatalog(backend, vault, host.zstd);
  const server = request.server ?? defaultName(source.root);
  const slug = await slugFor(catalog, server, options);
  const lock = await host.lock(lockName(destination, slug));
  try {
    const listing = await listServer(backend, slug, options);
    const machine = await host.machine();
    const last = await lastSnapshot(catalog, listing, options);
    checkOwner(last, machine.id, request.takeOver);
    // Nobody else writes here: what is unfinished was left by a run of ours that was killed.
    for await (const { token } of backend.openUploads(serverPrefix(slug), options)) await backend.abandon(token, options);

    if (last !== null && !request.force && request.format === 'archive' && sameRules(last, request, excludes)) {
      if (await isUnchanged(host, catalog, source, last, excludes, run)) {
        return { ...unchangedReport(last), elapsedMs: host.clock.now() - started };
      }
    }

    const place = lockName(destination, slug);
    if (!request.force && request.format === 'classic') {
      const known = await recallClassic(host, place);
      if (known !== null && (await isClassicUnchanged(host, known, listing, { request, excludes, root: source.root }, run))) {
        return { ...unchangedClassic(known), elapsedMs: host.clock.now() - started };
      }
    }

    const offset = await measureClockOffset(backend, serverPrefix(slug), host.clock, host.random, options);
    const now = host.clock.now() + (Math.abs(offset) > largestClockOffsetMs ? offset : 0);
    const time = request.time ?? now;
    const id = newSnapshotId(
      time,
      host.random,
      listing.snapshots.map((snapshot) => snapshot.id),
    );
    const written = new Written(backend);
    try {
      const seal = await sealWith(host, destination, vault, request);
      const packed = await pack(host, { backend, slug, id, seal, root: source.root, excludes, request, written }, run);
      const warnings = [...clockWarning(offset), ...packed.warnings];
      let stored = packed.archives.reduce((sum, archive) => sum + archive.size, 0);
      try {
        if (packed.totals.files + packed.totals.symlinks === 0) {
          const message = `${source.root} holds not one file to back up: is a disk below it not mounted?`;
          throw new Fault('config-invalid', message, { operation: 'backup' });
        }
        if (request.format === 'archive') {
          await ensureVaultHolds(backend, vault, options);
          const header = manifestHeader({ id, server, slug, machine, time, source, request, excludes, warnings, packed });
          await checkStored(backend, header, options);
          written.add(manifestKey(slug, id));
          stored += (await writeManifest(host, backend, vault, header, packed.entryLines, options)).size;
        } else warnings.push(...(await rememberClassic(host, place, { id, server, stored, request, excludes, warnings, packed })));
      } finally {
        await packed.entryLines.dispose();
      }
      return {
        outcome: 'written',
        id,
        server,
        files: packed.totals.files,
        bytes: packed.totals.bytes,
        storedBytes: stored,
        archives: written.archives,
        warnings,
        elapsedMs: host.clock.now() - started,
      };
    } catch (error) {
      throw await written.undo(asFault(error, 'backup'));
    }
  } finally {
    await lock.release();
  }
}

interface PackInto {
  readonly backend: Backend;
  readonly slug: string;
  readonly id: string;
  readonly seal: SealWith;
  readonly root: string;
  readonly excludes: readonly string[];
  readonly request: BackupRequest;
  readonly written: Written;
}

function pack(host: EngineHost, into: PackInto, run: RunContext): Promise<PackResult> {
  const { backend, slug, id, written } = into;
  let volume = 0;
  async function beginVolume(): Promise<VolumeUpload> {
    const key = into.request.format === 'classic' ? classicKey(slug, id) : archiveKey(slug, id, volume);
    volume += 1;
    const writer = await openPartWriter(backend, key, { signal: run.signal });
    return {
      write: (bytes) => writer.write(bytes),
      abort: () => writer.abort(),
      finish: async (archive) => {
        written.add(key);
        const info = await writer.finish({ sha256: archive.sha256 });
        if (info.size !== archive.size) {
          throw new Fault('corrupt', `${key} has ${info.size} bytes after ${archive.size} were sent`, {
            operation: 'upload',
            context: { object: key },
          });
        }
        written.add(checksumKey(key));
        const line = `${archive.sha256}  ${key.slice(serverPrefix(slug).length)}\n`;
        await uploadBytes(backend, checksumKey(key), Buffer.from(line), run.signal === undefined ? {} : { signal: run.signal });
      },
    };
  }
  const { level, volumeSize } = into.request;
  const partSize = choosePartSize(backend.info.limits, undefined, wantedPart(backend));
  return host.packer({ root: into.root, excludes: into.excludes, level, volumeSize, seal: into.seal, partSize }, beginVolume, run);
}

async function sealWith(host: EngineHost, destination: OpenDestination, vault: OpenVault, request: BackupRequest): Promise<SealWith> {
  if (request.format === 'archive') return { format: 'archive', header: vault.header, vaultKey: vault.vaultKey };
  if (destination.credentials.kind !== 'password') {
    throw new Fault('config-invalid', 'the classic format needs the password itself', { operation: 'backup' });
  }
  return { format: 'classic', ...(await newClassicKey(destination.credentials.password, host.random)) };
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
async function checkStored(backend: Backend, header: ManifestHeader, options: CallOptions): Promise<void> {
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

function unchangedReport(last: ManifestHeader): Omit<BackupReport, 'elapsedMs'> {
  const { files, bytes } = last.totals;
  return { outcome: 'unchanged', id: last.id, server: last.server, files, bytes, storedBytes: 0, archives: [], warnings: [] };
}

function clockWarning(offset: number): Warning[] {
  if (Math.abs(offset) <= largestClockOffsetMs) return [];
  const minutes = Math.round(Math.abs(offset) / 60_000);
  const message = `this computer's clock is ${minutes} minutes ${offset > 0 ? 'behind' : 'ahead of'} the destination's, whose time was used`;
  return [{ code: 'clock', message }];
}

function defaultName(root: string): string {
  return root.split('/').findLast((part) => part !== '') ?? 'server';
}
