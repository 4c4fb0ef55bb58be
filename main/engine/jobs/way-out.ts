import { Fault } from '../../contract/faults.ts';
import type { EngineHost } from '../host.ts';
import { findObject, isCompleteClassic, listServer, type Catalog, type ListedSnapshot } from '../snapshots/catalog.ts';
import { readHeader } from '../snapshots/headers.ts';
import type { CallOptions } from '../storage/backend.ts';
import { classicProblem, problemFinder } from './snapshot-problem.ts';
import { unreadableManifest } from './unreadable-manifest.ts';

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
  const object = String(context['object'] ?? '');
  const isList = object === findObject(snapshot, 'manifest')?.key;
  const ways: string[] = [];
  try {
    if (!salvaged && (await canSalvage(catalog, snapshot, object, options)))
      ways.push(`${isList ? 'what its list still names' : 'what is whole of it'} with “holdfast restore --salvage”`);
    const earlier = await wholeBefore(host, catalog, snapshot, object, options);
    if (earlier !== null) ways.push(`the snapshot before it that is not known to be damaged: ${earlier.id}`);
  } catch {
    // What is wrong is the damage; that no help could be looked up would only hide it.
    return error;
  }
  const back =
    ways.length === 0 ? 'No earlier snapshot is known to be whole: look in another backup place.' : `Bring back ${ways.join(', or ')}.`;
  const next = isList ? `${back} ${byHand}` : back;
  return new Fault(code, message, { operation, persistence, context: { ...context, next }, cause: error });
}

/** What is left where the list of a snapshot's files is what is damaged. */
const byHand = 'Its archives open without their list too, with “holdfast open” (docs/recovery.md, “Without the manifest”).';

/** A classic file comes back whole or not at all, and without the first line of its manifest nothing says what a snapshot is. */
async function canSalvage(catalog: Catalog, snapshot: ListedSnapshot, damaged: string, options: CallOptions): Promise<boolean> {
  const manifest = findObject(snapshot, 'manifest');
  if (manifest === null) return false;
  return manifest.key !== damaged || !((await readHeader(catalog, snapshot, options)) instanceof Fault);
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
    if (isCompleteClassic(one) && classicProblem(one) === null && findObject(one, 'manifest') === null) return one;
    const header = await readHeader(catalog, one, options);
    if (header === null || header instanceof Fault || header.archives.some(({ key }) => key === damaged)) continue;
    // Of the one that is named the manifest is read to its end: only its first line has been so far.
    if ((await problemOf(one, header)) === null && (await unreadableManifest(catalog, one, options)) === null) return one;
  }
  return null;
}
