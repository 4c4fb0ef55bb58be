import { Fault } from '../../contract/faults.ts';
import { showPath } from '../archive/byte-path.ts';
import { classicMinSize } from '../archive/classic.ts';
import type { EngineHost } from '../host.ts';
import {
  findObject,
  manifestsAtOnce,
  openListed,
  storedSizes,
  type Catalog,
  type ListedSnapshot,
  type ServerListing,
} from '../snapshots/catalog.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
import { damagedKey, manifestKey } from '../snapshots/names.ts';
import { storedState, type StateOf, type StoredState } from '../snapshots/stored-state.ts';
import type { CallOptions } from '../storage/backend.ts';

const ofWhole: ReadonlySet<string> = new Set(['special', 'own-file', 'clock']);

/** Whether a backup's warning says that the snapshot is not all of the folder: what is never stored lacks nobody, and a wrong clock takes nothing away. */
export const isMissing = ({ code }: { readonly code: string }): boolean => !ofWhole.has(code);

type Named = readonly { readonly key: string; readonly size: number }[];

/** Why a snapshot cannot be brought back as a whole, as far as the listing and the marks of verifications tell; null when nothing is known. */
export type FindProblem = (snapshot: ListedSnapshot, header: ManifestHeader) => Promise<string | null>;

/**
 * Of the snapshots of one listing. An archive that is gone or has another size is everybody's who names it; one that is marked as damaged only of those with a file in
 * a damaged place (docs/decisions/0065), or of the one whose manifest it is that is marked. Entries are read, one at a time and up to the first such file, only of snapshots that name a marked archive.
 */
export async function problemFinder(
  host: Pick<EngineHost, 'giveBack'>,
  catalog: Catalog,
  listing: ServerListing,
  options: CallOptions,
): Promise<FindProblem> {
  const sizes = storedSizes(listing.snapshots);
  const markOn = markFinder(host, catalog, await storedState(catalog, listing, options), options);
  return async (snapshot, header) => archiveProblem(sizes, header.archives) ?? (await markOn(snapshot, header))?.message ?? null;
}

/** The first of a snapshot's files that lies in a place which a verification has found damaged. */
export interface DamagedByMark {
  /** The archive; or the manifest or the classic file, where that is what is damaged. */
  readonly object: string;
  readonly message: string;
}

/** Null when no file is known to be hit. */
export type FindMark = (snapshot: ListedSnapshot, header: ManifestHeader) => Promise<DamagedByMark | null>;

/** Goes by the marks alone: archives that are gone or have another size are no finding here. */
export function markFinder(host: Pick<EngineHost, 'giveBack'>, catalog: Catalog, stored: StoredState, options: CallOptions): FindMark {
  let read = 0;
  return async (snapshot, { archives }) => {
    const own = ownMark(snapshot, 'manifest');
    if (own !== null) return own;
    if (!archives.some(({ key }) => stored.isMarked(key))) return null;
    read += 1;
    if (read % manifestsAtOnce === 0) host.giveBack?.();
    return await damagedFile(catalog, snapshot, archives, stored.stateOf(archives), options);
  };
}

async function damagedFile(
  catalog: Catalog,
  snapshot: ListedSnapshot,
  archives: ManifestHeader['archives'],
  stateOf: StateOf,
  options: CallOptions,
): Promise<DamagedByMark | null> {
  try {
    const reader = await openListed(catalog, snapshot, options);
    try {
      for await (const { path, extents } of reader.entries()) {
        if (stateOf(extents) === null) continue;
        for (const extent of extents) {
          const problem = stateOf([extent]);
          if (problem?.state !== 'damaged') continue;
          return { object: archives[extent[0]]?.key ?? '', message: `${showPath(path)}: ${problem.message}` };
        }
      }
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (!(error instanceof Fault) || !['corrupt', 'truncated', 'not-found'].includes(error.code)) throw error;
    return { object: manifestKey(snapshot.slug, snapshot.id), message: error.message };
  }
  return null;
}

/** The mark beside a snapshot's manifest or classic file: of these no part serves without the rest, so that its place says nothing (docs/decisions/0083). */
export function ownMark(snapshot: ListedSnapshot, kind: 'manifest' | 'classic'): DamagedByMark | null {
  const key = findObject(snapshot, kind)?.key;
  if (key === undefined || snapshot.objects.every((other) => other.key !== damagedKey(key))) return null;
  return { object: key, message: `${key} is damaged, as a verification found` };
}

/** Why a classic snapshot whose upload has ended cannot be brought back, as far as the listing tells; null when nothing is known. */
export function classicProblem(snapshot: ListedSnapshot): string | null {
  const file = findObject(snapshot, 'classic');
  if (file !== null && file.size < classicMinSize)
    return `${file.key} has ${file.size} bytes, and no classic file has fewer than ${classicMinSize}`;
  return ownMark(snapshot, 'classic')?.message ?? null;
}

/** As archiveProblem, and also an archive that is marked as damaged, wherever: what nothing new may rest on. */
export function buildingProblem(sizes: ReadonlyMap<string, number>, archives: Named): string | null {
  const marked = archives.find(({ key }) => sizes.has(damagedKey(key)));
  return archiveProblem(sizes, archives) ?? (marked === undefined ? null : `${marked.key} is damaged, as a verification found`);
}

/** An archive, of its own or of an earlier snapshot, that is missing or has another size, seen from the listing alone. */
export function archiveProblem(sizes: ReadonlyMap<string, number>, archives: Named): string | null {
  for (const { key, size } of archives) {
    const stored = sizes.get(key);
    if (stored === undefined) return `${key} is gone`;
    if (stored !== size) return `${key} has ${stored} bytes instead of ${size}`;
  }
  return null;
}
