import { seededNumbers } from '../seeded-random.ts';

/** What may happen to a folder and to its destination. */
export const stepKinds = [
  ...['large', 'edit', 'other-machine', 'clock', 'days', 'harm', 'prune', 'refused'],
  ...['backup', 'whole-backup', 'backup-elsewhere', 'backup-to-both', 'dated-ahead', 'cut-off', 'taken-over-meanwhile'],
] as const;

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

/** How often each way to back up comes: twelve of them. */
const backups: readonly Step['kind'][] = [
  ...['backup', 'backup', 'backup', 'backup', 'backup-to-both', 'backup-to-both', 'backup-to-both', 'backup-to-both'],
  ...['backup-elsewhere', 'backup-elsewhere', 'whole-backup', 'dated-ahead'],
] as const;

/** The history of a seed: three runs, with edits before each and now and then something that goes wrong or gets in the way; every fifth with a large file. */
export function historyOf(seed: number): readonly Step[] {
  const dice = diceOf(seed);
  const steps: Step[] = [];
  const add = (kind: Step['kind']): void => void steps.push({ kind, seed: dice(2 ** 32) });
  const now = (kind: Step['kind'], oneIn: number): void => {
    if (dice(oneIn) === 0) add(kind);
  };
  now('large', 5);
  for (let round = 0; round < 3; round += 1) {
    for (let edits = 1 + dice(4); edits > 0; edits -= 1) add('edit');
    now('other-machine', 5);
    now('clock', 5);
    now('days', 4);
    for (let cuts = dice(3); cuts > 0; cuts -= 1) {
      add('cut-off');
      now('edit', 2);
      now('other-machine', 6);
      now('refused', 6);
      now('days', 8);
      now('harm', 6);
      now('prune', 6);
    }
    add(backups[dice(backups.length)] ?? 'backup');
    now('harm', 5);
    now('refused', 5);
    now('taken-over-meanwhile', 8);
    // Nothing happens, and nothing is to be stored.
    now('backup', 4);
    now('prune', 2);
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
