import { join } from 'node:path';
import type { Backend } from '../../../main/engine/storage/backend.ts';
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
  unchanged: number;
  restores: number;
}

export interface HowToRun {
  /** So many histories beside each other. */
  readonly atOnce: number;
  readonly onPlayed?: (sum: Readonly<Sum>) => void;
  /** Makes an empty destination, for each history one or two; absent: in memory, where days pass. */
  readonly destination?: () => Backend;
}

/**
 * Plays the histories of these seeds. The first that fails is shortened, and the error says its seed, the steps that
 * are left and what was wrong.
 */
export async function runHistories(seeds: readonly number[], { atOnce, onPlayed, destination }: HowToRun): Promise<Readonly<Sum>> {
  const sum: Sum = { histories: 0, runs: 0, cutOff: 0, goneOn: 0, unchanged: 0, restores: 0 };
  const left = seeds[Symbol.iterator]();
  let failed = false;
  async function playThem(): Promise<void> {
    for (const seed of left) {
      if (failed) return;
      const steps = historyOf(seed);
      const played = await playHistory(steps, destination).catch(async (error: unknown) => {
        failed = true;
        throw await shortened(seed, steps, error, destination);
      });
      sum.histories += 1;
      sum.runs += played.runs;
      sum.cutOff += played.cutOff;
      sum.goneOn += played.goneOn;
      sum.unchanged += played.unchanged;
      sum.restores += played.restores;
      onPlayed?.(sum);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, playThem));
  return sum;
}

async function shortened(seed: number, steps: readonly Step[], first: unknown, destination: (() => Backend) | undefined): Promise<Error> {
  let cause = first;
  const fails = async (fewer: readonly Step[]): Promise<boolean> => {
    try {
      await playHistory(fewer, destination);
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
