import { expect, test } from 'vitest';
import type { Job } from '../../main/contract/jobs.ts';
import { Paces, type Pace } from '../../renderer/client/progress.ts';

/** What a backup shows when it has told of so many bytes at a time in seconds. */
function paces(...told: readonly (readonly [seconds: number, bytes: number, totalBytes: number | null])[]): readonly Pace[] {
  const all = new Paces();
  return told.map(([seconds, bytes, totalBytes]) => {
    const progress = { phase: 'pack', files: 1, bytes, totalFiles: null, totalBytes, storedBytes: 0 } as const;
    return all.put({ id: 'one', startedAt: 0, progress } as unknown as Job, seconds * 1000);
  });
}

test('the time left goes by all that passed since the total is known: not by what was read ahead, nor by the last burst or pause', () => {
  const total = 101_000_000;
  const shown = paces(
    [0, 0, null],
    [1, 40_000_000, null],
    [10, 41_000_000, total],
    [18, 41_000_000, total],
    [20, 51_000_000, total],
    [30, 51_000_000, total],
  );
  expect(shown.map(({ part }) => part === null)).toEqual([true, true, false, false, false, false]);
  expect(shown[3]?.left).toBeNull();
  expect(shown[4]?.left).toBeCloseTo(50);
  expect(shown[5]?.left).toBeCloseTo(100);
});
