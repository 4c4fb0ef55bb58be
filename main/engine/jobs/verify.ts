import { Fault } from '../../contract/faults.ts';
import type { Damage, RunContext, VerifyReport, VerifyRequest, Warning } from '../../contract/reports.ts';
import type { ArchiveDamage } from '../archive/unpacker.ts';
import { vaultName } from '../archive/vault.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import { openArchive, readDirectory, readSeekTable, readStored } from '../snapshots/archive-reader.ts';
import {
  findObject,
  isCompleteClassic,
  listServer,
  listServers,
  openedCatalog,
  selectServer,
  selectSnapshot,
} from '../snapshots/catalog.ts';
import type { Catalog, ListedSnapshot } from '../snapshots/catalog.ts';
import { compareChecksums } from '../snapshots/checksums.ts';
import { fetchManifest } from '../snapshots/manifest-store.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
import { loadVault } from '../snapshots/vault-store.ts';
import type { CallOptions } from '../storage/backend.ts';
import { damageMarks, markDamage } from './damage-marks.ts';
import { verifyClassic } from './verify-classic.ts';
import type { Verified } from './verified.ts';

/** Reads back what is stored and names all damage. Changes nothing but the marks beside damaged archives. */
export async function verify(
  host: EngineHost,
  destination: OpenDestination,
  request: VerifyRequest,
  run: RunContext,
): Promise<VerifyReport> {
  const started = host.clock.now();
  const options: CallOptions = { signal: run.signal };
  const vault = await loadVault(destination.backend, { ...options, credentials: destination.credentials });
  const catalog = openedCatalog(destination.backend, vault, host.zstd);
  const snapshots = await chosen(catalog, request, options);
  const rows: VerifyReport['snapshots'][number][] = [];
  const damage: Damage[] =
    vault.damage === undefined ? [] : [{ snapshot: 'destination', object: vaultName, kind: 'vault', message: vault.damage, files: [] }];
  const warnings: Warning[] = [];
  const marked = new Map<string, Set<string>>();
  for (const snapshot of snapshots) {
    // Of the whole server: an archive's mark stands beside it, whichever snapshot it is that uses it.
    const { slug } = snapshot;
    const marks = marked.get(slug) ?? damageMarks(await listServer(catalog.backend, slug, options));
    marked.set(slug, marks);
    const result = await verifyOne(host, destination, catalog, { snapshot, marks, quick: request.quick }, run);
    rows.push({ id: snapshot.id, server: result.server, ok: result.damage.length === 0, files: result.files, bytes: result.bytes });
    damage.push(...result.damage);
    warnings.push(...result.warnings);
  }
  return { snapshots: rows, damage, warnings, elapsedMs: host.clock.now() - started };
}

async function chosen(catalog: Catalog, request: VerifyRequest, options: CallOptions): Promise<readonly ListedSnapshot[]> {
  if (request.snapshot !== 'all') return [await selectSnapshot(catalog, request, options)];
  const servers =
    request.server === undefined ? await listServers(catalog.backend, options) : [await selectServer(catalog, request.server, options)];
  const found = servers
    .flatMap(({ snapshots }) => snapshots)
    .filter((one) => findObject(one, 'manifest') !== null || isCompleteClassic(one));
  if (found.length === 0) throw new Fault('not-found', 'there is no complete snapshot to verify', { operation: 'verify' });
  return found;
}

async function verifyOne(
  host: EngineHost,
  destination: OpenDestination,
  catalog: Catalog,
  { snapshot, marks, quick }: { readonly snapshot: ListedSnapshot; readonly marks: Set<string>; readonly quick: boolean },
  run: RunContext,
): Promise<Verified> {
  const object = findObject(snapshot, 'manifest');
  if (object === null) return verifyClassic(host, destination, snapshot, quick, run);
  const options: CallOptions = { signal: run.signal };
  const named = (key: string, kind: string, message: string): Damage => ({ snapshot: snapshot.id, object: key, kind, message, files: [] });
  let manifest: Awaited<ReturnType<typeof fetchManifest>>;
  try {
    manifest = await fetchManifest(host, catalog.backend, catalog.vault, object.key, { ...options, size: object.size });
  } catch (error) {
    if (!isDamage(error)) throw error;
    return { server: snapshot.slug, files: 0, bytes: 0, damage: [named(object.key, error.code, error.message)], warnings: [] };
  }
  try {
    const { header } = manifest;
    const damage: Damage[] = manifest.repaired
      ? [named(object.key, 'header', `${object.key}: its header is damaged; the vault repairs it`)]
      : [];
    const present: ManifestHeader['archives'] = [];
    for (const archive of header.archives) {
      const problem = await presence(catalog, archive, options);
      if (problem === null) present.push(archive);
      else damage.push(named(archive.key, problem.kind, problem.message));
    }
    const checked = quick ? null : await readable(damage, named, object.key, () => readAll(host, catalog, manifest, object.key, run));
    if (checked !== null) damage.push(...checked.damage.map((one): Damage => ({ ...one, snapshot: snapshot.id })));
    const sums = await compareChecksums(
      catalog.backend,
      present,
      checked === null ? [] : present.map(({ key }) => checked.sha256.get(key) ?? null),
      options,
    );
    for (const { kind, object: key, message } of sums) if (kind === 'damage') damage.push(named(key, 'checksum', message));
    const marking = checked === null ? [] : await markDamage(host, catalog, header, marks, damage, options);
    return {
      server: header.server,
      files: header.totals.files,
      bytes: header.totals.bytes,
      damage,
      warnings: [
        ...sums.filter(({ kind }) => kind === 'warning').map(({ message }) => ({ code: 'checksum' as const, message })),
        ...marking,
      ],
    };
  } finally {
    await manifest.spool.dispose();
  }
}

async function presence(
  catalog: Catalog,
  archive: ManifestHeader['archives'][number],
  options: CallOptions,
): Promise<{ kind: string; message: string } | null> {
  try {
    const { size } = await catalog.backend.stat(archive.key, options);
    if (size === archive.size) return null;
    return { kind: 'size', message: `${archive.key} has ${size} bytes instead of ${archive.size}` };
  } catch (error) {
    if (error instanceof Fault && error.code === 'not-found') return { kind: 'missing', message: `${archive.key} is gone` };
    throw error;
  }
}

/** Everything: each chunk, each frame, each file's checksum, and each archive as the ZIP that it is. */
async function readAll(
  host: EngineHost,
  catalog: Catalog,
  manifest: Awaited<ReturnType<typeof fetchManifest>>,
  name: string,
  run: RunContext,
): Promise<{ damage: readonly Omit<Damage, 'snapshot'>[]; sha256: Map<string, string> }> {
  const options: CallOptions = { signal: run.signal };
  const { archives: listed } = manifest.header;
  const problems: ArchiveDamage[] = [];
  const archives = await Promise.all(
    listed.map(async (archive, index) => {
      const opened = await openArchive(catalog.vault, archive, null);
      const frames = await tolerated(problems, index, () => readSeekTable(catalog.backend, { ...opened, count: archive.frames }, options));
      return { ...opened, frames };
    }),
  );
  const result = await host.unpacker(
    {
      manifest: manifest.spool,
      manifestName: name,
      archives,
      include: [],
      staging: null,
      whole: () => true,
      tolerant: true,
      read: async (index, range) => {
        try {
          return await readStored(catalog.backend, archives[index]?.key ?? '', range, options);
        } catch (error) {
          // Gone altogether: presence() has said so, and all its frames are lost.
          if (error instanceof Fault && error.code === 'not-found') return nothing();
          throw error;
        }
      },
      directory: async (index, append) => {
        const archive = archives[index];
        if (archive === undefined || archive.frames === null) return false;
        const read = await tolerated(problems, index, async () => {
          for await (const piece of readDirectory(host.zstd, catalog.backend, archive, options)) await append(piece);
          return true;
        });
        return read === true;
      },
    },
    run,
  );
  const sha256 = new Map<string, string>();
  result.sha256.forEach((hex, index) => {
    const key = archives[index]?.key;
    if (hex !== null && key !== undefined) sha256.set(key, hex);
  });
  const damage = [...problems, ...result.damage].map(({ archive, kind, message, range }) => ({
    object: archives[archive]?.key ?? name,
    kind,
    message,
    ...(range === null ? {} : { range }),
    files: [],
  }));
  if (result.damagedFiles.length > 0) {
    const message = `${result.damagedFiles.length} files cannot be brought back whole`;
    return { damage: [...damage, { object: name, kind: 'files', message, files: result.damagedFiles }], sha256 };
  }
  return { damage, sha256 };
}

/** A manifest that is sealed well and says what cannot be is this snapshot's damage, and no reason to leave the others unchecked. */
async function readable<T>(
  damage: Damage[],
  named: (key: string, kind: string, message: string) => Damage,
  key: string,
  act: () => Promise<T>,
): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    if (!isDamage(error) && !(error instanceof Fault && ['wrong-key', 'wrong-password'].includes(error.code))) throw error;
    damage.push(named(key, error.code, error.message));
    return null;
  }
}

/** Damage found on the way is a finding, not the end of the verification. */
async function tolerated<T>(problems: ArchiveDamage[], archive: number, act: () => Promise<T | null>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    if (!isDamage(error)) throw error;
    problems.push({ archive, kind: 'zip', message: error.message, range: null });
    return null;
  }
}

function isDamage(error: unknown): error is Fault {
  return error instanceof Fault && ['corrupt', 'truncated', 'not-found', 'range-invalid'].includes(error.code);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
