import { Fault } from '../../contract/faults.ts';
import type { Damage, RunContext, VerifyReport, VerifyRequest, Warning } from '../../contract/reports.ts';
import { vaultName, type OpenVault } from '../archive/vault.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import { findObject, hasEnded, listServer, listServers, openedCatalog, withoutManifest } from '../snapshots/catalog.ts';
import type { Catalog, ListedSnapshot } from '../snapshots/catalog.ts';
import { compareChecksums } from '../snapshots/checksums.ts';
import { fetchManifest } from '../snapshots/manifest-store.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
import { selectServer, selectSnapshot } from '../snapshots/select.ts';
import { storedState } from '../snapshots/stored-state.ts';
import { loadVault } from '../snapshots/vault-store.ts';
import { lastHeader } from '../snapshots/written-order.ts';
import type { CallOptions } from '../storage/backend.ts';
import { archiveLooks, type ArchiveLooks } from './archive-looks.ts';
import { classicAlone } from './classic-alone.ts';
import { damageMarks, markAlone, markDamage, type FoundAlone } from './damage-marks.ts';
import { markFinder, type FindMark } from './snapshot-problem.ts';
import { verifyClassic } from './verify-classic.ts';
import { isDamage, verifyContent } from './verify-content.ts';
import { VerifiedContent } from './verified-content.ts';
import type { Verified } from './verified.ts';

/** Reads back what is stored and names all damage; a quick look goes by what is there and by earlier findings. Changes nothing but the marks beside what is damaged. */
export async function verify(
  host: EngineHost,
  destination: OpenDestination,
  request: VerifyRequest,
  run: RunContext,
): Promise<VerifyReport> {
  const started = host.clock.now();
  const options: CallOptions = { signal: run.signal };
  let vault: OpenVault;
  try {
    vault = await loadVault(destination.backend, { ...options, credentials: destination.credentials });
  } catch (error) {
    const classic = await classicAlone(error, destination.backend, request, options);
    const { damage, warnings, server, files, bytes } = await verifyClassic(host, destination, classic, request, run);
    return {
      snapshots: [{ id: classic.id, server, files, bytes, ok: damage.length === 0 }],
      damage,
      warnings,
      elapsedMs: host.clock.now() - started,
    };
  }
  const catalog = openedCatalog(destination.backend, vault, host);
  const snapshots = await chosen(catalog, request, options);
  const rows: VerifyReport['snapshots'][number][] = [];
  const damage: Damage[] =
    vault.damage === undefined ? [] : [{ snapshot: 'destination', object: vaultName, kind: 'vault', message: vault.damage, files: [] }];
  const warnings: Warning[] = [];
  const marked = new Map<string, Marks>();
  // Oldest first: what a run shares lies where the older snapshots have it.
  const known = snapshots.length > 1 ? new VerifiedContent() : null;
  const looks = archiveLooks(catalog.backend, options);
  for (const snapshot of snapshots) {
    // Of the whole server: an archive's mark stands beside it, whichever snapshot it is that uses it.
    const { slug } = snapshot;
    const marks = marked.get(slug) ?? (await marksOf(host, catalog, slug, request.quick, options));
    marked.set(slug, marks);
    const result = await verifyOne(host, destination, catalog, { request, snapshot, ...marks, known, looks }, run);
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
  const found = servers.flatMap(({ snapshots }) => snapshots).filter(hasEnded);
  if (found.length === 0) throw new Fault('not-found', 'there is no complete snapshot to verify', { operation: 'verify' });
  return found;
}

interface Marks {
  readonly marks: Set<string>;
  /** Whether the server is this machine's: it may write marks. */
  readonly isOurs: () => Promise<boolean>;
  /** What they say, where nothing is to be read anew: a quick look. Else null. */
  readonly findMark: FindMark | null;
}

async function marksOf(host: EngineHost, catalog: Catalog, slug: string, quick: boolean, options: CallOptions): Promise<Marks> {
  const listing = await listServer(catalog.backend, slug, options);
  // Where no manifest tells, as of classic files alone, it is anybody's, as for a backup and a prune.
  const isOurs = async (last: ManifestHeader | null): Promise<boolean> => last === null || last.machine === (await host.machine()).id;
  let asked: Promise<boolean> | undefined;
  return {
    marks: damageMarks(listing),
    isOurs: () => (asked ??= lastHeader(catalog, listing, options).then(isOurs)),
    findMark: quick ? markFinder(host, catalog, await storedState(catalog, listing, options), options) : null,
  };
}

interface About extends Marks {
  readonly request: VerifyRequest;
  readonly snapshot: ListedSnapshot;
  readonly known: VerifiedContent | null;
  readonly looks: ArchiveLooks;
}

async function verifyOne(
  host: EngineHost,
  destination: OpenDestination,
  catalog: Catalog,
  { request, snapshot, marks, isOurs, findMark, known, looks }: About,
  run: RunContext,
): Promise<Verified> {
  const object = findObject(snapshot, 'manifest');
  const classic = findObject(snapshot, 'classic');
  const options: CallOptions = { signal: run.signal };
  const mark = async (found: FoundAlone): Promise<readonly Warning[]> => {
    return (await isOurs()) ? await markAlone(host, catalog, marks, found, options) : [];
  };
  if (object === null) {
    if (classic === null) throw withoutManifest(snapshot, 'verify');
    const { damage, read, warnings, ...found } = await verifyClassic(host, destination, snapshot, request, run);
    return { ...found, damage, warnings: [...warnings, ...(await mark({ key: classic.key, kind: 'classic', damage, read }))] };
  }
  const named = (key: string, kind: string, message: string): Damage => ({ snapshot: snapshot.id, object: key, kind, message, files: [] });
  let manifest: Awaited<ReturnType<typeof fetchManifest>>;
  try {
    manifest = await fetchManifest(host, catalog.backend, catalog.vault, object.key, { ...options, size: object.size });
  } catch (error) {
    if (!isDamage(error)) throw error;
    const damage = [named(object.key, error.code, error.message)];
    // A quick look reads manifests too, and so it may mark them.
    const warnings = await mark({ key: object.key, kind: 'manifest', damage, read: 'nothing' });
    return { server: snapshot.slug, files: 0, bytes: 0, damage, warnings };
  }
  try {
    const { header } = manifest;
    const damage: Damage[] = manifest.repaired
      ? [named(object.key, 'header', `${object.key}: its header is damaged; the vault repairs it`)]
      : [];
    const present: ManifestHeader['archives'] = [];
    for (const archive of header.archives) {
      const problem = await presence(looks, archive);
      if (problem === null) present.push(archive);
      else damage.push(named(archive.key, problem.kind, problem.message));
    }
    const hit = findMark === null ? null : await findMark(snapshot, header);
    if (hit !== null) damage.push(named(hit.object, 'marked', hit.message));
    const checked =
      findMark !== null
        ? null
        : await readable(damage, named, object.key, () =>
            verifyContent(host, catalog, manifest, { name: object.key, present, known }, run),
          );
    if (checked !== null) damage.push(...checked.damage.map((one): Damage => ({ ...one, snapshot: snapshot.id })));
    const sums = await compareChecksums(
      looks.checksumOf,
      present,
      checked === null ? [] : present.map(({ key }) => checked.sha256.get(key) ?? null),
    );
    for (const { kind, object: key, message } of sums) if (kind === 'damage') damage.push(named(key, 'checksum', message));
    const marking = [
      ...(await mark({ key: object.key, kind: 'manifest', damage, read: checked === null ? 'nothing' : 'whole' })),
      ...(checked === null || !(await isOurs())
        ? []
        : await markDamage(host, catalog, marks, { header, damage, gone: checked.gone }, options)),
    ];
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
  { sizeOf }: ArchiveLooks,
  archive: ManifestHeader['archives'][number],
): Promise<{ kind: string; message: string } | null> {
  try {
    const size = await sizeOf(archive.key);
    if (size === archive.size) return null;
    return { kind: 'size', message: `${archive.key} has ${size} bytes instead of ${archive.size}` };
  } catch (error) {
    if (error instanceof Fault && error.code === 'not-found') return { kind: 'missing', message: `${archive.key} is gone` };
    throw error;
  }
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
