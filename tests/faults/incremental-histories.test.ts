import { expect, test } from 'vitest';
import { runHistories } from '../support/histories/run-histories.ts';
import { historyOf, shrunk } from '../support/histories/steps.ts';

/*
 * Random histories of one folder with hard links in one or two destinations, with runs that are cut off, machines that come in between and clocks that are wrong: every
 * snapshot that is kept is what its folder was, what a manifest names is never removed, and what is stored is not sent again. `npm run bench -- --histories` plays a
 * thousand. HOLDFAST_SEED repeats one.
 */

const count = 15;

test('whatever happens to a folder and its destination, kept snapshots are whole and what is stored is not sent again', async () => {
  const given = process.env['HOLDFAST_SEED'];
  const first = given === undefined ? Math.floor(Math.random() * 1e9) : Number(given);
  const seeds = Array.from({ length: given === undefined ? count : 1 }, (_, index) => first + index);
  const { histories, runs, goneOn } = await runHistories(seeds, { atOnce: 2 });
  expect([histories, runs >= histories]).toEqual([seeds.length, true]);
  if (given === undefined) expect(goneOn).toBeGreaterThan(0);
});

test('a history that fails is shortened to the steps that it takes', async () => {
  const steps = historyOf(4);
  const harmful = steps.slice(1, 3);
  const fails = async (left: typeof steps): Promise<boolean> => harmful.every((step) => left.includes(step));
  expect(await shrunk(steps, fails, 100)).toEqual(harmful);
  expect(await shrunk(steps, fails, 2)).toHaveLength(steps.length - 2);
});
