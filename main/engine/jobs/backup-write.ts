import { asFault, Fault } from '../../contract/faults.ts';
import type { BackupReport, BackupRequest, Warning } from '../../contract/reports.ts';
import { newClassicKey } from '../archive/classic.ts';
import type { PackedArchive, PackedSnapshot, PackTarget, SealWith, VolumeLines, VolumeUpload } from '../archive/packer.ts';
import type { EngineHost } from '../host.ts';
import { writeManifest } from '../snapshots/manifest-store.ts';
import {
  archiveKey,
  checksumKey,
  classicKey,
  damagedKey,
  manifestKey,
  partialKey,
  readObjectName,
  serverPrefix,
  volumeOf,
} from '../snapshots/names.ts';
import { writePartial } from '../snapshots/partial-store.ts';
import { ensureVaultHolds } from '../snapshots/vault-store.ts';
import { listServer, storedSizes } from '../snapshots/catalog.ts';
import { maxArchives, type ManifestHeader, type PartialHeader } from '../snapshots/manifest.ts';
import type { Backend, CallOptions } from '../storage/backend.ts';
import { largestClockOffsetMs } from '../storage/check-destination.ts';
import { volumePartSize } from '../storage/part-size.ts';
import { openPartWriter } from '../storage/part-writer.ts';
import { uploadBytes } from '../storage/upload-object.ts';
import type { BackupPlace, BackupRun } from './backup-place.ts';
import { rememberClassic } from './classic-memory.ts';
import { rememberNewest } from './listing-gaps.ts';
import { lockName } from './lock-name.ts';
import { manifestHeader, namedArchives, takenOverBy, type NamedGround } from './manifest-header.ts';
import { buildingProblem } from './snapshot-problem.ts';
import { statIfThere } from '../storage/stat-if-there.ts';

/** Where the packer's volumes go in one destination. */
export async function targetFor(backup: BackupRun, place: BackupPlace): Promise<PackTarget> {
  const { host, request, run } = backup;
  const { slug, id, written } = place;
  const { backend } = place.destination;
  const options: CallOptions = { signal: run.signal };
  const volumes: PackedArchive[] = [];
  let begun = 0;
  async function beginVolume(): Promise<VolumeUpload> {
    const volume = begun;
    const key = request.format === 'classic' ? classicKey(slug, id) : archiveKey(slug, id, volume);
    if (request.format === 'classic' && volume > 0) {
      throw new Fault('unexpected', 'a classic snapshot is one file, and a second would take its name', { operation: 'backup' });
    }
    if (volume >= maxArchives - (place.base?.settled ?? 0)) {
      throw new Fault('config-invalid', `the snapshot would be of more than ${volume} volumes, which its list has no room for`, {
        operation: 'backup',
        context: { next: 'Take larger volumes with --volume-size.' },
      });
    }
    begun += 1;
    const writer = await openPartWriter(backend, key, { signal: run.signal });
    return {
      write: (bytes) => writer.write(bytes),
      abort: () => writer.abort(),
      finish: async (archive, lines) => {
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
        await uploadBytes(backend, checksumKey(key), Buffer.from(line), options);
        volumes.push(archive);
        const known = await lines;
        if (known === null) return;
        const partial = partialKey(slug, id, volume);
        written.add(partial);
        await writePartial(
          host,
          backend,
          place.vault,
          { key: partial, header: partialHeader(backup, place, volumes, known), ...known },
          options,
        );
        written.keep([key, checksumKey(key), partial]);
      },
    };
  }
  return {
    seal: await sealWith(host, place, request),
    partSize: volumePartSize(backend.info.limits, request.volumeSize),
    beginVolume,
  };
}

export type Finished = Omit<BackupReport, 'elapsedMs'>;

/** What makes the stored volumes a snapshot: the manifest, written last. Instead, the keys of archives that were lost during the run. */
export async function finish(backup: BackupRun, place: BackupPlace, packed: PackedSnapshot): Promise<Finished | ReadonlySet<string>> {
  const { host, source, excludes, request, run } = backup;
  const { destination, vault, server, slug, id, time, clockOffset, machine, written } = place;
  const { backend } = destination;
  const options: CallOptions = { signal: run.signal };
  const warnings = [...clockWarning(clockOffset), ...packed.warnings];
  let stored = packed.archives.reduce((sum, archive) => sum + archive.size, 0);
  if (packed.totals.files + packed.totals.symlinks === 0) {
    const message = `${source.root} holds not one file to back up: is a disk below it not mounted?`;
    throw new Fault('config-invalid', message, { operation: 'backup' });
  }
  if (request.format === 'archive') {
    await ensureVaultHolds(backend, vault, options);
    const ground = namedGround(place);
    const header = manifestHeader({ id, server, slug, machine, time, source, request, excludes, warnings, packed, ground });
    const lost = await lostArchives(backend, header, options);
    if (lost.size > 0) return lost;
    written.add(manifestKey(slug, id));
    stored += (await writeManifest(host, backend, vault, header, packed.entryLines, options)).size;
    await rememberNewest(host, destination, slug, id);
    warnings.push(...(await removePartials(backend, [...place.partials, ...written.partials], options)));
  } else {
    const about = { id, server, stored, request, excludes, warnings, packed };
    warnings.push(...(await rememberClassic(host, lockName(destination, slug), about)));
  }
  return {
    outcome: 'written',
    ...{ id, server, warnings: [...place.notes, ...warnings], files: packed.totals.files, bytes: packed.totals.bytes, storedBytes: stored },
    archives: written.archives,
    kept: packed.kept,
  };
}

function partialHeader(
  { source }: BackupRun,
  place: BackupPlace,
  volumes: readonly PackedArchive[],
  { order }: VolumeLines,
): PartialHeader {
  const { id, server, slug, machine, time } = place;
  const ground = namedGround(place);
  const takenOver = takenOverBy(order, ground);
  return {
    ...{ holdfast: 'partial', version: 1, id, server, slug },
    ...{ machine: machine.id, host: machine.host, time: new Date(time).toISOString(), root: source.root },
    archives: namedArchives(place, order, volumes, ground),
    ...(takenOver.length === 0 ? {} : { takenOver }),
  };
}

function namedGround({ base, older }: BackupPlace): NamedGround {
  return {
    archives: older?.archives ?? base?.archives ?? [],
    settled: base?.settled ?? 0,
    unfinished: base?.unfinished ?? new Set(),
  };
}

/** The snapshot has it all now, and is no worse for what stays: a prune sweeps it. A key that may not delete is no news. */
async function removePartials(backend: Backend, keys: readonly string[], options: CallOptions): Promise<readonly Warning[]> {
  try {
    for (const key of keys) await backend.remove(key, options);
    return [];
  } catch (error) {
    const { code, message } = asFault(error, 'remove partial');
    if (code === 'permission-denied') return [];
    return [{ code: 'prune', message: `what an unfinished run had written down stays until the next prune: ${message}`, level: 'note' }];
  }
}

/**
 * Just before a snapshot counts: which archives it names that are not there, in the right size and not known as damaged. Not the run's last volume: that became an object
 * only just now, and nobody else can know of it. What was written down before may have been used, and freed, by a machine that has taken the server over.
 */
async function lostArchives(backend: Backend, { id, slug, archives }: ManifestHeader, options: CallOptions): Promise<ReadonlySet<string>> {
  const own = archives.filter(({ key }) => readObjectName(key)?.id === id);
  const last = Math.max(...own.map(({ key }) => volumeOf(key)));
  const inDanger = archives.filter((archive) => !own.includes(archive) || volumeOf(archive.key) < last);
  const lost = new Set<string>();
  if (inDanger.length === 0) return lost;
  const sizes = storedSizes((await listServer(backend, slug, options)).snapshots);
  for (const archive of inDanger) {
    if (buildingProblem(sizes, [archive]) === null) continue;
    const isOnlyUnlisted = !sizes.has(archive.key) && !sizes.has(damagedKey(archive.key));
    if (!isOnlyUnlisted || (await statIfThere(backend, archive.key, options))?.size !== archive.size) lost.add(archive.key);
  }
  return lost;
}

async function sealWith(host: EngineHost, { destination, vault }: BackupPlace, request: BackupRequest): Promise<SealWith> {
  if (request.format === 'archive') return { format: 'archive', header: vault.header, vaultKey: vault.vaultKey };
  if (destination.credentials.kind !== 'password') {
    throw new Fault('config-invalid', 'the classic format needs the password itself', { operation: 'backup' });
  }
  return { format: 'classic', ...(await newClassicKey(destination.credentials.password, host.random)) };
}

function clockWarning(offset: number): Warning[] {
  if (Math.abs(offset) <= largestClockOffsetMs) return [];
  const minutes = Math.round(Math.abs(offset) / 60_000);
  const message = `this computer's clock is ${minutes} minutes ${offset > 0 ? 'behind' : 'ahead of'} the backup place's, whose time was used`;
  return [{ code: 'clock', message }];
}
