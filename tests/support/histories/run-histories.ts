import { join } from 'node:path';
import { playHistory } from './history.ts';
import { historyOf, shrunk, type Step } from './steps.ts';

// Most of a history's time is the start of threads: with code that is compiled already they take half as long.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '../../../.cache/compiled');

/** So many replays at most to find the shortest history that fails. */
const replays = 40;

export interface Sum {
  histories: number;
  runs: number;
  cutOff: number;
  goneOn: number;
  restores: number;
}

/**
 * Plays the histories of these seeds, `atOnce` of them beside each other. The first that fails is shortened, and the error says its seed, the steps that
 * are left and what was wrong.
 */
export async function runHistories(
  seeds: readonly number[],
  options: { readonly atOnce: number; readonly onPlayed?: (sum: Readonly<Sum>) => void },
): Promise<Readonly<Sum>> {
  const sum: Sum = { histories: 0, runs: 0, cutOff: 0, goneOn: 0, restores: 0 };
  const left = seeds[Symbol.iterator]();
  let failed = false;
  async function playThem(): Promise<void> {
    for (const seed of left) {
      if (failed) return;
      const steps = historyOf(seed);
      const played = await playHistory(steps).catch(async (error: unknown) => {
        failed = true;
        throw await shortened(seed, steps, error);
      });
      sum.histories += 1;
      sum.runs += played.runs;
      sum.cutOff += played.cutOff;
      sum.goneOn += played.goneOn;
      sum.restores += played.restores;
      options.onPlayed?.(sum);
    }
  }
  await Promise.all(Array.from({ length: options.atOnce }, playThem));
  return sum;
}

async function shortened(seed: number, steps: readonly Step[], first: unknown): Promise<Error> {
  let cause = first;
  const fails = async (fewer: readonly Step[]): Promise<boolean> => {
    try {
      await playHistory(fewer);
      return false;
    } catch (error) {
      cause = error;
      return true;
    }
  };
  const left = await shrunk(steps, fails, replays);
  const said = cause instanceof Error ? cause.message : String(cause);
  return new Error(`seed ${seed}, ${left.map((step) => `${step.kind} ${step.seed}`).join(', ')}: ${said}`, { cause });
}
