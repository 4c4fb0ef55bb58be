import { Fault } from '../../contract/faults.ts';
import type { OpenVault } from '../archive/vault.ts';
import type { EngineHost, Zstd } from '../host.ts';
import type { Backend, CallOptions, ObjectInfo } from '../storage/backend.ts';
import type { ManifestHeader } from './manifest.ts';
import { readHeader, type KnownHeaders } from './headers.ts';
import { openManifest, type ManifestReader } from './manifest-store.ts';
import { isSnapshotId, readObjectName, serverPrefix, slugPattern } from './names.ts';
import { slugify } from '../../contract/slug.ts';
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

export async function listServer(backend: Backend, slug: string, options: CallOptions): Promise<ServerListing> {
  const [listing] = await group(backend.list(serverPrefix(slug), options));
  return listing ?? { slug, snapshots: [] };
}

async function group(objects: AsyncIterable<ObjectInfo>): Promise<readonly ServerListing[]> {
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

/** A classic file counts once its checksum file is there. */
export function isCompleteClassic(snapshot: ListedSnapshot): boolean {
  return findObject(snapshot, 'classic') !== null && findObject(snapshot, 'checksum') !== null;
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

/** The manifest of a snapshot. Fault unsupported where it has none to look into. */
export async function openListed(catalog: Catalog, snapshot: ListedSnapshot, options: CallOptions): Promise<ManifestReader> {
  const manifest = findObject(snapshot, 'manifest');
  if (manifest === null) {
    const why =
      findObject(snapshot, 'classic') === null
        ? 'is incomplete'
        : 'is a classic one, whose content cannot be listed without reading it whole';
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

/** The folders in which a server of this name may lie: number 1 is the slug of the name, later ones are for names that make the same slug. */
function numbered(base: string, number: number): string {
  const ending = number === 1 ? '' : `-${number}`;
  return base.slice(0, 63 - ending.length) + ending;
}

/** The folder of the server with this display name, or a free one for it. A folder without a readable manifest is its first name's. */
export async function slugFor(catalog: Catalog, server: string, options: CallOptions): Promise<string> {
  for (let number = 1; ; number += 1) {
    const slug = numbered(slugify(server), number);
    const listing = await listServer(catalog.backend, slug, options);
    if (listing.snapshots.length === 0) return slug;
    const name = await displayName(catalog, listing, options);
    // "World" is another server than "world": sharing a folder, a prune of the one would remove the other's snapshots.
    if (name === null || name === server) return slug;
  }
}

/** Those that lie where backups of this name go, in one listing: everybody else's snapshots need not be listed. */
async function listNear({ backend }: Catalog, server: string, options: CallOptions): Promise<readonly ServerListing[]> {
  const base = slugify(server);
  // Shorter than the shortest that a number leaves of it.
  const found = await group(backend.list(base.slice(0, 50), options));
  return found.filter(({ slug }) => slug === base || slug === numbered(base, Number(/-(\d+)$/.exec(slug)?.[1] ?? 1)));
}

/** By display name, and only then by slug: one server's folder may be called as another server is. */
async function matchIn(
  catalog: Catalog,
  listings: readonly ServerListing[],
  server: string,
  options: CallOptions,
): Promise<ServerListing | null> {
  const bySlug = listings.find(({ slug }) => slug === server) ?? null;
  if (bySlug !== null && listings.length === 1) return bySlug;
  const named: ServerListing[] = [];
  for (const listing of listings) if ((await displayName(catalog, listing, options)) === server) named.push(listing);
  const [found, other] = named;
  if (other === undefined) return found ?? bySlug;
  if (bySlug !== null && named.includes(bySlug)) return bySlug;
  throw new Fault('config-invalid', `several servers are named "${server}": ${named.map(({ slug }) => slug).join(', ')}`, {
    operation: 'find server',
    context: { server, next: 'Name the one that is meant as it stands in this list.' },
  });
}

/**
 * Finds the server meant: by display name, else by slug, or the only one there is. Where two have the name, it is the one whose folder has it too.
 * Faults: not-found; config-invalid where several may be meant.
 */
export async function selectServer(catalog: Catalog, server: string | undefined, options: CallOptions): Promise<ServerListing> {
  const near = server === undefined ? null : await matchIn(catalog, await listNear(catalog, server, options), server, options);
  if (near !== null) return near;
  const all = await listServers(catalog.backend, options);
  if (server === undefined) {
    const [only, ...others] = all;
    if (only === undefined) throw new Fault('not-found', 'this destination holds no snapshots', { operation: 'find server' });
    if (others.length === 0) return only;
    const names = all.map(({ slug }) => slug).join(', ');
    throw new Fault('config-invalid', `this backup place holds several servers (${names}): name one with --server`, {
      operation: 'find server',
    });
  }
  const found = await matchIn(catalog, all, server, options);
  if (found !== null) return found;
  throw new Fault('not-found', `this destination holds no server named "${server}"`, { operation: 'find server', context: { server } });
}

/** An id, a beginning of one that fits only one, or `latest`: the newest complete snapshot. */
export async function selectSnapshot(
  catalog: Catalog,
  selector: { readonly snapshot: string; readonly server?: string },
  options: CallOptions,
): Promise<ListedSnapshot> {
  const { snapshot: wanted, server } = selector;
  if (isSnapshotId(wanted) && server === undefined) {
    const all = await listServers(catalog.backend, options);
    const found = all.flatMap(({ snapshots }) => snapshots).filter(({ id }) => id === wanted);
    if (found[0] !== undefined && found.length === 1) return found[0];
  }
  if (server !== undefined && slugPattern.test(server) && isSnapshotId(wanted)) {
    // A thousand snapshots need not be listed to find one whose name is known. Of a beginning, another server of that name may have one too.
    const [listing] = await group(catalog.backend.list(serverPrefix(server) + wanted, options));
    if (listing !== undefined) return onlyMatch(listing, wanted);
  }
  const listing = await selectServer(catalog, server, options);
  if (wanted === 'latest') {
    const complete = listing.snapshots.filter((one) => findObject(one, 'manifest') !== null || isCompleteClassic(one));
    const latest = complete.at(-1);
    if (latest === undefined) throw new Fault('not-found', `${listing.slug} has no complete snapshot`, { operation: 'find snapshot' });
    return latest;
  }
  return onlyMatch(listing, wanted);
}

function onlyMatch(listing: ServerListing, wanted: string): ListedSnapshot {
  const matches = listing.snapshots.filter(({ id }) => id.startsWith(wanted));
  const [match] = matches;
  if (match === undefined) {
    throw new Fault('not-found', `${listing.slug} has no snapshot ${wanted}`, {
      operation: 'find snapshot',
      context: { snapshot: wanted },
    });
  }
  if (matches.length > 1) {
    throw new Fault('config-invalid', `${matches.length} snapshots begin with ${wanted}: give more of the id`, {
      operation: 'find snapshot',
    });
  }
  return match;
}
