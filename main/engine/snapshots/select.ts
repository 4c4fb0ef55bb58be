import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import { slugify } from '../../contract/slug.ts';
import type { CallOptions } from '../storage/backend.ts';
import { displayName, group, listServer, listServers, type Catalog, type ListedSnapshot, type ServerListing } from './catalog.ts';
import { isSnapshotId, serverPrefix, slugPattern } from './names.ts';
import { inOrderWritten } from './written-order.ts';

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

/** An id, a beginning of one that fits only one, or `latest`: the complete snapshot that was written last. */
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
    const latest = inOrderWritten(listing.snapshots).at(-1);
    if (latest === undefined) throw new Fault('not-found', `${listing.slug} has no complete snapshot`, { operation: 'find snapshot' });
    return latest;
  }
  return onlyMatch(listing, wanted);
}

function onlyMatch(listing: ServerListing, wanted: string): ListedSnapshot {
  // Each begins with nothing: a variable that was not set would mean the only one there is.
  if (wanted === '')
    throw new Fault('config-invalid', 'the snapshot is empty: give an id, the beginning of one, or latest', { operation: 'find snapshot' });
  const matches = listing.snapshots.filter(({ id }) => id.startsWith(wanted));
  const [match] = matches;
  if (match === undefined) {
    throw new Fault('not-found', `${listing.slug} has no snapshot ${wanted}`, {
      operation: 'find snapshot',
      context: { ...(isSnapshotId(wanted) ? saying('snapshot-gone', {}) : {}), snapshot: wanted },
    });
  }
  if (matches.length > 1) {
    throw new Fault('config-invalid', `${matches.length} snapshots begin with ${wanted}: give more of the id`, {
      operation: 'find snapshot',
    });
  }
  return match;
}
