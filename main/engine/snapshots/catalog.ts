import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import { classicMinSize } from '../archive/classic.ts';
import type { OpenVault } from '../archive/vault.ts';
import type { EngineHost, Zstd } from '../host.ts';
import type { Backend, CallOptions, ObjectInfo } from '../storage/backend.ts';
import { probePrefix } from '../storage/clock-offset.ts';
import type { ManifestHeader } from './manifest.ts';
import { readHeader, type KnownHeaders } from './headers.ts';
import { openManifest, type ManifestReader } from './manifest-store.ts';
import { readObjectName, serverPrefix } from './names.ts';
import type { ObjectName } from './names.ts';

/** After so many, what reading them has left is given back. */
export const manifestsAtOnce = 32;
/** The same of first lines alone, by the archives that they name: some 15 MB of text. */
const archivesAtOnce = 2 ** 15;

export interface ListedObject extends ObjectInfo {
  readonly name: ObjectName;
}

/** The objects of one snapshot, as a listing shows them. */
export interface ListedSnapshot {
  readonly id: string;
  readonly slug: string;
  readonly objects: readonly ListedObject[];
}

/** One server's folder, wholly listed. */
export interface ServerListing {
  readonly slug: string;
  /** Oldest first. */
  readonly snapshots: readonly ListedSnapshot[];
}

/** Every server of the destination; a listing that fails half-way is a fault and never a shorter list. */
export async function listServers(backend: Backend, options: CallOptions): Promise<readonly ServerListing[]> {
  return group(backend.list('', options));
}

export interface OneServer extends ServerListing {
  /** Objects that were put only to read the provider's clock: of a run that goes on now, or of one that was killed. */
  readonly probes: readonly ObjectInfo[];
}

export async function listServer(backend: Backend, slug: string, options: CallOptions): Promise<OneServer> {
  const prefix = serverPrefix(slug);
  const probes: ObjectInfo[] = [];
  async function* withoutProbes(): AsyncGenerator<ObjectInfo, void, undefined> {
    for await (const info of backend.list(prefix, options)) {
      if (info.key.startsWith(`${prefix}${probePrefix}`)) probes.push(info);
      else yield info;
    }
  }
  const [listing] = await group(withoutProbes());
  return { ...(listing ?? { slug, snapshots: [] }), probes };
}

/** What a listing gave, by server and snapshot. */
export async function group(objects: AsyncIterable<ObjectInfo>): Promise<readonly ServerListing[]> {
  const servers = new Map<string, Map<string, ListedObject[]>>();
  for await (const info of objects) {
    const name = readObjectName(info.key);
    if (name === null) continue;
    const snapshots = servers.get(name.slug) ?? new Map<string, ListedObject[]>();
    servers.set(name.slug, snapshots);
    const list = snapshots.get(name.id) ?? [];
    snapshots.set(name.id, list);
    list.push({ ...info, name });
  }
  return [...servers].map(([slug, snapshots]) => ({
    slug,
    snapshots: [...snapshots].map(([id, list]) => ({ id, slug, objects: list })).sort((a, b) => (a.id < b.id ? -1 : 1)),
  }));
}

export function findObject(snapshot: ListedSnapshot, kind: ObjectName['kind']): ListedObject | null {
  return snapshot.objects.find((object) => object.name.kind === kind) ?? null;
}

/** The size of every object of these snapshots, by key. */
export function storedSizes(snapshots: readonly ListedSnapshot[]): ReadonlyMap<string, number> {
  return new Map(snapshots.flatMap(({ objects }) => objects.map(({ key, size }) => [key, size] as const)));
}

/** Its last object is there: the manifest, or the checksum file of a classic one. */
export function hasEnded(snapshot: ListedSnapshot): boolean {
  if (findObject(snapshot, 'manifest') !== null) return true;
  return findObject(snapshot, 'classic') !== null && findObject(snapshot, 'checksum') !== null;
}

/** A classic file counts once its checksum file is there, and if it is no shorter than any that is whole. */
export function isCompleteClassic(snapshot: ListedSnapshot): boolean {
  const file = findObject(snapshot, 'classic');
  return file !== null && file.size >= classicMinSize && findObject(snapshot, 'checksum') !== null;
}

export interface Catalog {
  readonly backend: Backend;
  readonly vault: OpenVault;
  readonly zstd: Zstd;
  /** First lines that have been read already, by key: one command asks for some of them more than once. */
  readonly headers: Map<string, ManifestHeader | Fault>;
  /** Those that earlier calls have read, for one that only looks. */
  readonly known: KnownHeaders | null;
  /** What those name, each once: a thousand snapshots may rest on the same archives. */
  readonly archives: Map<string, ManifestHeader['archives'][number]>;
  /** Called for each first line that was read: what reading many has left is given back now and then. */
  readonly onHeader: (header: ManifestHeader) => void;
}

export function openedCatalog(
  backend: Backend,
  vault: OpenVault,
  { zstd, giveBack }: Pick<EngineHost, 'zstd' | 'giveBack'>,
  known: KnownHeaders | null = null,
): Catalog {
  let named = 0;
  return {
    backend,
    vault,
    zstd,
    onHeader: ({ archives }) => {
      named += archives.length;
      if (named < archivesAtOnce) return;
      named = 0;
      giveBack?.();
    },
    headers: new Map(),
    known,
    archives: known?.archives ?? new Map<string, ManifestHeader['archives'][number]>(),
  };
}

/** Of a snapshot of which something is left, but no manifest: an archive that later ones need, or what an unfinished run has stored. */
export function withoutManifest({ id, objects }: ListedSnapshot, operation: string): Fault {
  const isUnended = objects.some(({ name }) => name.kind === 'partial');
  const why = isUnended ? 'the run that began it did not end' : 'a clean-up has removed it, or its run did not end';
  return new Fault('not-found', `snapshot ${id} has no manifest: ${why}`, {
    operation,
    context: { ...saying(isUnended ? 'snapshot-unended' : 'snapshot-gone', {}), snapshot: id },
  });
}

/** The manifest of a snapshot. Faults: not-found where there is none (any more), unsupported of a classic one. */
export async function openListed(catalog: Catalog, snapshot: ListedSnapshot, options: CallOptions): Promise<ManifestReader> {
  const manifest = findObject(snapshot, 'manifest');
  if (manifest === null) {
    if (findObject(snapshot, 'classic') === null) throw withoutManifest(snapshot, 'list');
    const why = 'is a classic one, whose content cannot be listed without reading it whole';
    throw new Fault('unsupported', `snapshot ${snapshot.id} ${why}`, { operation: 'list', context: { snapshot: snapshot.id } });
  }
  return await openManifest(catalog.zstd, catalog.backend, catalog.vault, manifest.key, { ...options, size: manifest.size });
}

/** The first line of the last readable manifest of those listed; null when there is none. */
export async function newestHeader(
  catalog: Catalog,
  listing: Pick<ServerListing, 'snapshots'>,
  options: CallOptions,
): Promise<ManifestHeader | null> {
  for (const snapshot of listing.snapshots.toReversed()) {
    const header = await readHeader(catalog, snapshot, options);
    if (header !== null && !(header instanceof Fault)) return header;
  }
  return null;
}

/** The display name under which it was written. */
export async function displayName(catalog: Catalog, listing: ServerListing, options: CallOptions): Promise<string | null> {
  return (await newestHeader(catalog, listing, options))?.server ?? null;
}
