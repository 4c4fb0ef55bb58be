import { expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { listServer } from '../../main/engine/snapshots/catalog.ts';
import { manifestKey, newSnapshotId } from '../../main/engine/snapshots/names.ts';
import { inOrderWritten } from '../../main/engine/snapshots/written-order.ts';
import { put } from '../support/engine-on-memory.ts';
import { seededRandom } from '../support/seeded-random.ts';

const minute = 60_000;
const start = Date.UTC(2026, 10, 1);
const far = Date.UTC(2099, 0, 1);

/** Manifests that were written at these minutes, each dated so; the dates in the order that a listing is given. */
async function ordered(written: readonly (readonly [at: number, dated: number])[]): Promise<readonly number[]> {
  const clock = { time: 0, now: (): number => clock.time };
  const backend = memoryBackend({ clock });
  const random = seededRandom(1);
  const dates = new Map<string, number>();
  for (const [at, dated] of written) {
    clock.time = start + at * minute;
    const id = newSnapshotId(dated, random, [...dates.keys()]);
    dates.set(id, dated);
    await put(backend, manifestKey('survival', id), 'a manifest');
  }
  const { snapshots } = await listServer(backend, 'survival', {});
  return inOrderWritten(snapshots).map(({ id }) => dates.get(id) ?? 0);
}

const after = (minutes: number): number => start + minutes * minute;

test.each([
  [
    'of which none is dated in the future: by their dates',
    [
      [3, after(1)],
      [2, after(2)],
      [1, after(3)],
    ],
    [after(1), after(2), after(3)],
  ],
  [
    'one 2099 among others: where it was written',
    [
      [1, after(1)],
      [2, far],
      [3, after(3)],
    ],
    [after(1), far, after(3)],
  ],
  [
    'one ten minutes ahead: by its date',
    [
      [1, after(1)],
      [2, after(12)],
      [3, after(3)],
    ],
    [after(1), after(3), after(12)],
  ],
  [
    'one eleven minutes ahead: where it was written',
    [
      [1, after(1)],
      [2, after(13)],
      [3, after(3)],
    ],
    [after(1), after(13), after(3)],
  ],
  [
    'one that was written within the same second: before what is dated rightly',
    [
      [1, far],
      [1, after(1)],
    ],
    [far, after(1)],
  ],
  [
    'two of the future within one second: by their dates',
    [
      [1, far + minute],
      [1, far],
      [2, after(2)],
    ],
    [far, far + minute, after(2)],
  ],
  [
    'all of the future: as they were written',
    [
      [1, far],
      [2, far - minute],
    ],
    [far, far - minute],
  ],
  [
    'a copy, whose objects are all younger: by their dates',
    [
      [99, after(1)],
      [98, after(13)],
      [97, after(3)],
    ],
    [after(1), after(3), after(13)],
  ],
  [
    'a copy, in which the one of 2099 is of the future still',
    [
      [98, far],
      [99, after(1)],
      [99, after(3)],
    ],
    [far, after(1), after(3)],
  ],
] as const)('snapshots, %s', async (_, written, dates) => {
  expect(await ordered(written)).toEqual(dates);
});
