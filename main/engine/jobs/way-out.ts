import { Fault } from '../../contract/faults.ts';
import type { EngineHost } from '../host.ts';
import { findObject, isCompleteClassic, listServer, type Catalog, type ListedSnapshot } from '../snapshots/catalog.ts';
import { readHeader } from '../snapshots/headers.ts';
import type { CallOptions } from '../storage/backend.ts';
import { problemFinder } from './snapshot-problem.ts';

/**
 * What a restore that met damage ends with: the same fault, which now says what helps. An older state is never brought back unasked, but the newest one
 * before that is not known to be damaged, and does not rest on what was just found to be, is named.
 */
export async function withWayOut(
  host: Pick<EngineHost, 'giveBack'>,
  error: unknown,
  catalog: Catalog,
  snapshot: ListedSnapshot,
  salvaged: boolean,
  options: CallOptions,
): Promise<unknown> {
  if (!(error instanceof Fault) || (error.code !== 'corrupt' && error.code !== 'truncated')) return error;
  const { code, message, operation, persistence, context } = error;
  const ways = salvaged ? [] : ['what is whole of it with “holdfast restore --salvage”'];
  try {
    const earlier = await wholeBefore(host, catalog, snapshot, String(context['object'] ?? ''), options);
    if (earlier !== null) ways.push(`the snapshot before it that is not known to be damaged: ${earlier.id}`);
  } catch {
    // What is wrong is the damage; that no help could be looked up would only hide it.
    return error;
  }
  const next =
    ways.length === 0 ? 'No earlier snapshot is known to be whole: look in another backup place.' : `Bring back ${ways.join(', or ')}.`;
  return new Fault(code, message, { operation, persistence, context: { ...context, next }, cause: error });
}

async function wholeBefore(
  host: Pick<EngineHost, 'giveBack'>,
  catalog: Catalog,
  { slug, id }: ListedSnapshot,
  damaged: string,
  options: CallOptions,
): Promise<ListedSnapshot | null> {
  const listing = await listServer(catalog.backend, slug, options);
  const problemOf = await problemFinder(host, catalog, listing, options);
  for (const one of listing.snapshots.filter((earlier) => earlier.id < id).toReversed()) {
    if (isCompleteClassic(one) && findObject(one, 'manifest') === null) return one;
    const header = await readHeader(catalog, one, options);
    if (header === null || header instanceof Fault || header.archives.some(({ key }) => key === damaged)) continue;
    if ((await problemOf(one, header)) === null) return one;
  }
  return null;
}
