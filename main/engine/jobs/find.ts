import { Fault } from '../../contract/faults.ts';
import type { FindReport, FindRequest, LookContext } from '../../contract/look-reports.ts';
import type { Warning } from '../../contract/reports.ts';
import { plainPath, showPath, type BytePath } from '../archive/byte-path.ts';
import { compileIncludes } from '../archive/exclude.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import { displayName, findObject, type Catalog, type ListedSnapshot, openListed, manifestsAtOnce } from '../snapshots/catalog.ts';
import { ordered } from '../snapshots/differences.ts';
import type { ManifestEntry } from '../snapshots/manifest-entry.ts';
import { selectServer } from '../snapshots/select.ts';
import { storedState, type StateOf, type StoredState } from '../snapshots/stored-state.ts';
import { Versions } from '../snapshots/versions.ts';
import { compareInWalkOrder } from '../snapshots/walk-order.ts';
import type { CallOptions } from '../storage/backend.ts';
import { openCatalog } from './snapshots.ts';

/** What is looked for. */
interface Wanted {
  matches(path: BytePath, isDirectory: boolean): boolean;
  /** Nothing that comes behind it can match. */
  readonly last?: BytePath;
}

/** Finds paths in all snapshots of a server, from the manifests alone. Fault not-found when nothing matches. */
export async function find(host: EngineHost, destination: OpenDestination, request: FindRequest, run: LookContext): Promise<FindReport> {
  const { includes } = compileIncludes([request.pattern]);
  const report = await search(host, destination, { matches: includes }, request, run);
  if (report.versions.length > 0) return report;
  throw nothing(`no snapshot of ${report.slug} holds anything that matches ${request.pattern}`);
}

/** Every different content that one path has had. Fault not-found when no snapshot holds it. */
export async function versions(
  host: EngineHost,
  destination: OpenDestination,
  request: { readonly path: string; readonly server?: string; readonly limit: number },
  run: LookContext,
): Promise<FindReport> {
  const path = plainPath(request.path);
  const report = await search(host, destination, { matches: (found) => found === path, last: path }, request, run);
  if (report.versions.length > 0) return report;
  throw nothing(`no snapshot of ${report.slug} holds ${showPath(path)}`);
}

function nothing(message: string): Fault {
  return new Fault('not-found', message, { operation: 'find' });
}

async function search(
  host: EngineHost,
  destination: OpenDestination,
  wanted: Wanted,
  request: { readonly server?: string; readonly limit: number },
  run: LookContext,
): Promise<FindReport> {
  const options: CallOptions = { signal: run.signal };
  const catalog = await openCatalog(host, destination, options);
  const listing = await selectServer(catalog, request.server, options);
  const stored = await storedState(catalog, listing, options);
  const held = new Versions(request.limit);
  const warnings: Warning[] = [];
  const ids: string[] = [];
  const listed = listing.snapshots.filter((one) => findObject(one, 'manifest') !== null).toReversed();
  for (const [index, snapshot] of listed.entries()) {
    run.onSnapshot?.(index, listed.length);
    if (index % manifestsAtOnce === manifestsAtOnce - 1) host.giveBack?.();
    try {
      await searchOne(catalog, snapshot, { wanted, stored, held, number: ids.length }, options);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      warnings.push({ code: 'manifest', message: `${snapshot.id} could not be searched to its end: ${error.message}` });
    }
    ids.push(snapshot.id);
  }
  return {
    server: (await displayName(catalog, listing, options)) ?? listing.slug,
    slug: listing.slug,
    searched: ids.length,
    versions: held.found(ids),
    more: held.more,
    warnings,
  };
}

interface Search {
  readonly wanted: Wanted;
  readonly stored: StoredState;
  readonly held: Versions;
  /** Of the snapshot, newest first. */
  readonly number: number;
}

async function searchOne(
  catalog: Catalog,
  snapshot: ListedSnapshot,
  { wanted, stored, held, number }: Search,
  options: CallOptions,
): Promise<void> {
  const reader = await openListed(catalog, snapshot, options);
  const stateOf = stored.stateOf(reader.header.archives);
  const links: ManifestEntry[] = [];
  try {
    for await (const entry of ordered(reader)) {
      if (wanted.last !== undefined && compareInWalkOrder(entry.path, wanted.last) > 0) break;
      if (!wanted.matches(entry.path, entry.type === 'directory')) continue;
      if (entry.linkOf === undefined) held.add(entry, entry, stateOf(entry.extents), number);
      // More of them than the limit are more versions than the limit: the rest need not be held.
      else if (links.length <= held.limit) links.push(entry);
    }
  } finally {
    await reader.close();
  }
  if (links.length > 0) await searchFirstNames(catalog, snapshot, links, { held, stateOf, number }, options);
}

/** What a further name of a file holds stands at its first name, which came before: the manifest is read once more. */
async function searchFirstNames(
  catalog: Catalog,
  snapshot: ListedSnapshot,
  links: readonly ManifestEntry[],
  { held, stateOf, number }: Pick<Search, 'held' | 'number'> & { readonly stateOf: StateOf },
  options: CallOptions,
): Promise<void> {
  const byFirst = Map.groupBy(links, ({ linkOf }) => linkOf);
  const reader = await openListed(catalog, snapshot, options);
  try {
    for await (const first of ordered(reader)) {
      for (const link of byFirst.get(first.path) ?? []) held.add(link, first, stateOf(first.extents), number);
      if (byFirst.delete(first.path) && byFirst.size === 0) break;
    }
  } finally {
    await reader.close();
  }
}

/** One snapshot that cannot be looked into is no reason not to look into the others. */
function isUnreadable(error: unknown): error is Fault {
  return error instanceof Fault && ['corrupt', 'truncated', 'wrong-password', 'wrong-key', 'not-found'].includes(error.code);
}
