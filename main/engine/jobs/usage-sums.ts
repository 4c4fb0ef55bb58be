import type { ServerUsage } from '../../contract/look-reports.ts';
import { isCompleteClassic, type ListedObject, type ListedSnapshot, type ServerListing } from '../snapshots/catalog.ts';
import type { ReadPartials } from './unfinished.ts';
import { isOfArchive, isStray, liveBytesOf, type UsedArchives } from './usage-archives.ts';

type Sums = Pick<ServerUsage, 'storedBytes' | 'liveBytes' | 'deadBytes' | 'unnamedBytes' | 'unfinishedBytes'>;
type Part = Exclude<keyof Sums, 'storedBytes'>;

/** As long as prune leaves it alone: it may be a run that is still under way. */
const mayBeUnderWayMs = 48 * 3_600_000;

/**
 * Every stored byte of a server, told apart by who needs it. While a manifest cannot be read, nobody knows what it names: archives that no other
 * one names then count as needed, as prune leaves them.
 */
export function sumsOf(
  { snapshots }: ServerListing,
  used: UsedArchives,
  { now, unreadable, partials }: { readonly now: number; readonly unreadable: boolean; readonly partials: ReadPartials },
): Sums {
  const sums = { storedBytes: 0, liveBytes: 0, deadBytes: 0, unnamedBytes: 0, unfinishedBytes: 0 };
  const count = (part: Part, bytes: number): void => {
    sums[part] += bytes;
    sums.storedBytes += bytes;
  };
  const isUnfinished = ({ key, modifiedAt }: ListedObject): boolean => partials.live.has(key) || now - modifiedAt < mayBeUnderWayMs;
  const left = (object: ListedObject): Part => (isUnfinished(object) ? 'unfinishedBytes' : 'unnamedBytes');
  for (const archive of used.all) {
    const { object, besideBytes, names, held } = archive;
    const forUnfinished = held || partials.unreadable;
    if (names === 0) count(unreadable ? 'liveBytes' : forUnfinished ? 'unfinishedBytes' : left(object), object.size + besideBytes);
    else {
      const live = liveBytesOf(archive);
      count('liveBytes', live + besideBytes);
      count('deadBytes', object.size - live);
    }
  }
  for (const snapshot of snapshots) {
    for (const object of snapshot.objects) {
      const part = partOf(snapshot, object, left);
      if (part !== null) count(part, object.size);
    }
  }
  return sums;
}

/** Of what is no archive. Null: it was counted with its archive. */
function partOf(snapshot: ListedSnapshot, object: ListedObject, left: (object: ListedObject) => Part): Part | null {
  switch (object.name.kind) {
    case 'archive':
      return null;
    case 'manifest':
      return 'liveBytes';
    case 'pin':
      return snapshot.objects.some(({ name }) => name.kind === 'manifest' || name.kind === 'classic') ? 'liveBytes' : left(object);
    case 'partial':
      return left(object);
    case 'classic':
      // Without its checksum file it may be somebody's only copy: nothing sweeps it.
      return isCompleteClassic(snapshot) ? 'liveBytes' : 'unfinishedBytes';
    case 'checksum':
    case 'damaged':
      if (isStray(snapshot, object)) return left(object);
      return isOfArchive(object.key) ? null : 'liveBytes';
  }
}
