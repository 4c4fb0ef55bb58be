import { seededNumbers } from '../seeded-random.ts';

/** What may happen to a folder and to its destination. */
export const stepKinds = ['large', 'edit', 'other-machine', 'cut-off', 'backup', 'whole-backup', 'harm', 'prune'] as const;

/** One thing that happens. What exactly, its own seed decides, so that a history without another step is still the same otherwise. */
export interface Step {
  readonly kind: (typeof stepKinds)[number];
  readonly seed: number;
}

/** Whole numbers from 0 up to, and without, `limit`. */
export type Dice = (limit: number) => number;

export function diceOf(seed: number): Dice {
  const next = seededNumbers(seed);
  return (limit) => Math.floor(next() * limit);
}

/**
 * The history of a seed: three runs, with edits before each and now and then a run that is cut off, a prune, damage or another machine; every fifth with a
 * large file.
 */
export function historyOf(seed: number): readonly Step[] {
  const dice = diceOf(seed);
  const steps: Step[] = [];
  const add = (kind: Step['kind']): void => void steps.push({ kind, seed: dice(2 ** 32) });
  if (dice(5) === 0) add('large');
  for (let round = 0; round < 3; round += 1) {
    for (let edits = 1 + dice(4); edits > 0; edits -= 1) add('edit');
    if (dice(5) === 0) add('other-machine');
    for (let cuts = dice(3); cuts > 0; cuts -= 1) {
      add('cut-off');
      if (dice(2) === 0) add('edit');
      if (dice(6) === 0) add('other-machine');
      if (dice(6) === 0) add('harm');
      if (dice(6) === 0) add('prune');
    }
    add(dice(8) === 0 ? 'whole-backup' : 'backup');
    if (dice(5) === 0) add('harm');
    if (dice(2) === 0) add('prune');
  }
  return steps;
}

/** Fewer steps that fail as well: one after the other is left out, the last first, as long as it still fails. At most `most` are tried. */
export async function shrunk(
  steps: readonly Step[],
  fails: (steps: readonly Step[]) => Promise<boolean>,
  most: number,
): Promise<readonly Step[]> {
  let shortest = steps;
  let tried = 0;
  for (let index = steps.length - 1; index >= 0 && tried < most; index -= 1) {
    const fewer = shortest.toSpliced(index, 1);
    tried += 1;
    if (await fails(fewer)) shortest = fewer;
  }
  return shortest;
}
