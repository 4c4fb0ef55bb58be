import { readObjectName, snapshotTime } from '../../../main/engine/snapshots/names.ts';
import type { ObjectInfo } from '../../../main/engine/storage/backend.ts';
import { day, minute } from './machine.ts';

/* What a listing tells of the order in which things were written (docs/decisions/0064, 0075). */

export const idOf = (key: string): string => readObjectName(key)?.id ?? '';

/** Dated more than ten minutes later than it was written. */
const isAhead = ({ key, modifiedAt }: ObjectInfo): boolean => snapshotTime(idOf(key)) > modifiedAt + 10 * minute;

/** The manifest that a run goes on from: that of the greatest id, but for those dated ahead; of these one that was written after that one. */
export function lastWritten(manifests: readonly ObjectInfo[]): ObjectInfo | undefined {
  const byId = manifests.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const dated = byId.findLast((one) => !isAhead(one));
  const ahead = byId.filter((one) => isAhead(one) && one.modifiedAt > (dated?.modifiedAt ?? -1));
  return ahead.sort((a, b) => a.modifiedAt - b.modifiedAt).at(-1) ?? dated;
}

/** The partials that still count, the run that wrote last at the end: no older than 14 days, and no manifest was written later. */
export function partialsThatCount(objects: readonly ObjectInfo[], now: number): readonly ObjectInfo[] {
  const manifests = objects.filter(({ key }) => key.endsWith('.manifest'));
  const isDone = (partial: ObjectInfo): boolean =>
    manifests.some((one) => {
      if (idOf(one.key) === idOf(partial.key)) return true;
      if (one.modifiedAt !== partial.modifiedAt) return one.modifiedAt > partial.modifiedAt;
      return idOf(one.key) > idOf(partial.key) && !isAhead(one);
    });
  const counting = objects.filter((one) => one.key.endsWith('.partial') && now - one.modifiedAt <= 14 * day && !isDone(one));
  const runs = [...Map.groupBy(counting, ({ key }) => idOf(key)).entries()].map(([id, partials]) => ({
    id,
    // The first volume's has no number.
    partials: partials.toSorted((a, b) => a.key.length - b.key.length || (a.key < b.key ? -1 : 1)),
    last: Math.max(...partials.map(({ modifiedAt }) => modifiedAt)),
  }));
  return runs.sort((a, b) => a.last - b.last || (a.id < b.id ? -1 : 1)).flatMap(({ partials }) => partials);
}

export interface Rested {
  readonly id: string;
  readonly archives: readonly { readonly key: string }[];
  readonly takenOver?: readonly string[] | undefined;
}

/** A snapshot rests on no archive but its own, and those of runs that did not end and that it has gone on with. */
export function isWhole({ id, archives, takenOver = [] }: Rested): boolean {
  return archives.every(({ key }) => [id, ...takenOver].includes(idOf(key)));
}

/** The next snapshot would rest on data that are that many days old: by their ids, of those dated later than now by when they were stored. */
export function isWholeDue({ archives }: Rested, objects: readonly ObjectInfo[], days: number, now: number): boolean {
  const stored = new Map(objects.map(({ key, modifiedAt }) => [key, modifiedAt]));
  return archives.some(({ key }) => {
    const dated = snapshotTime(idOf(key));
    return now - (dated > now ? (stored.get(key) ?? dated) : dated) >= days * day;
  });
}
