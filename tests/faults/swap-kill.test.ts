import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { FileCalls } from '../../main/adapters/files/file-calls.ts';
import { nodeFileCalls } from '../../main/adapters/files/file-calls.ts';
import { removeTree } from '../../main/adapters/files/remove-tree.ts';
import { createRestoreTargets } from '../../main/adapters/files/restore-targets.ts';
import { createUndoTarget } from '../../main/adapters/files/undo.ts';
import { asNobody } from '../support/as-nobody.ts';
import type { FaultPlan } from '../support/swap-faults.ts';
import { faultyCalls } from '../support/swap-faults.ts';
import type { Scenario } from '../support/swap-scenarios.ts';
import { leftovers, makeOldServer, nobodyUsesIt, scenarios, swapTime } from '../support/swap-scenarios.ts';
import { treeDigest } from '../support/tree-digest.ts';

// In memory where there is such a place: thousands of small trees are built and torn down.
const base = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'holdfast-swap-kill-'));
const survived = { single: 0, double: 0, errors: 0 };
let number = 0;

// Hundreds of restores each; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 900_000 });

afterAll(() => {
  rmSync(base, { recursive: true, force: true });
  console.log(
    `swap: ${survived.single} kill points survived, ${survived.double} more killed a second time, in recovery or on the way back, ${survived.errors} failing calls taken back or finished`,
  );
});

interface Stage {
  readonly home: string;
  readonly target: string;
  readonly old: string;
}

function callsFor(scenario: Scenario, plan: Pick<FaultPlan, 'at' | 'kind' | 'code' | 'deadAfter'>): ReturnType<typeof faultyCalls> {
  return faultyCalls({
    ...plan,
    ...(scenario.inside === undefined ? {} : { inside: scenario.inside }),
    ...(scenario.linkCode === undefined ? {} : { linkCode: scenario.linkCode }),
  });
}

const quiet = { at: 0, kind: 'dead' } as const;

async function setUp(scenario: Scenario): Promise<Stage> {
  const home = join(base, String(++number));
  const target = join(home, 'srv');
  mkdirSync(home);
  await scenario.setUp(target, callsFor(scenario, quiet));
  return { home, target, old: digest(target) };
}

/** The server itself: without what swaps of children keep inside it. */
function digest(target: string): string {
  return treeDigest(target, (name) => name.startsWith('.holdfast-'));
}

function recover(target: string, calls: FileCalls): Promise<readonly string[]> {
  return createRestoreTargets({ calls, refuseWhenUsed: nobodyUsesIt }).recover(target);
}

/** What a run that is not disturbed leads to, and how many changing calls it makes. */
async function undisturbed(scenario: Scenario): Promise<{ fresh: string; calls: number }> {
  const stage = await setUp(scenario);
  const calls = callsFor(scenario, quiet);
  await scenario.run(stage.target, calls);
  const fresh = digest(stage.target);
  expect(fresh).not.toBe(stage.old);
  await removeTree(nodeFileCalls, Buffer.from(stage.home));
  return { fresh, calls: calls.count() };
}

/** Entirely old or entirely new, nothing of ours left, nothing lost, and the next run works. */
async function judge(scenario: Scenario, stage: Stage, fresh: string, where: string): Promise<void> {
  const calls = callsFor(scenario, quiet);
  const now = digest(stage.target);
  expect([stage.old, fresh], `${where}: the target is neither old nor new`).toContain(now);
  expect(leftovers(stage.home, stage.target), where).toEqual([]);
  if (now === stage.old) {
    await scenario.run(stage.target, calls);
    expect(digest(stage.target), `${where}: the next run`).toBe(fresh);
  }
  await createUndoTarget({ calls, refuseWhenUsed: nobodyUsesIt }).undo(stage.target, { force: false, time: swapTime + 120_000 });
  expect(digest(stage.target), `${where}: undo gives the old content back`).toBe(stage.old);
  await createUndoTarget({ calls, refuseWhenUsed: nobodyUsesIt }).discard(stage.target);
  expect(
    [...readdirSync(stage.home), ...readdirSync(stage.target)].filter((name) => name.includes('holdfast-') || name.includes('before-')),
    where,
  ).toEqual([]);
}

async function outcome(work: Promise<unknown>): Promise<Error | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

async function killEverywhere(scenario: Scenario): Promise<void> {
  const { fresh, calls: total } = await undisturbed(scenario);
  for (let at = 1; at <= total; at++) {
    const stage = await setUp(scenario);
    const calls = callsFor(scenario, { at, kind: 'dead' });
    await outcome(scenario.run(stage.target, calls));
    const where = `killed at call ${at} of ${total} (${calls.hit()})`;
    expect(calls.hit(), where).not.toBeNull();
    await recover(stage.target, callsFor(scenario, quiet));
    await judge(scenario, stage, fresh, where);
    await removeTree(nodeFileCalls, Buffer.from(stage.home));
    survived.single++;
  }
}

test('without root’s powers, folders that their owner may not write are moved too, and are closed again wherever it was killed', async () => {
  chmodSync(base, 0o777);
  for (const scenario of scenarios.filter(({ inside }) => inside === true)) await asNobody(() => killEverywhere(scenario));
});

describe.each(scenarios)('$name', (scenario) => {
  test('killed before any one of its calls, the next command makes the target all old or all new', () => killEverywhere(scenario));

  test('recovery may be killed as well, at any one of its own calls', async () => {
    const { fresh, calls: total } = await undisturbed(scenario);
    // All pairs would take minutes; strides without a common factor meet every kind of pair over the scenarios.
    for (let at = 1, first = 1; at <= total; at += 4, first++) {
      for (let again = 1 + (first % 5); ; again += 5) {
        const stage = await setUp(scenario);
        await outcome(scenario.run(stage.target, callsFor(scenario, { at, kind: 'dead' })));
        const calls = callsFor(scenario, { at: again, kind: 'dead' });
        await outcome(recover(stage.target, calls));
        const where = `killed at call ${at}, its recovery at call ${again} (${calls.hit()})`;
        await recover(stage.target, callsFor(scenario, quiet));
        await judge(scenario, stage, fresh, where);
        rmSync(stage.home, { recursive: true });
        if (calls.hit() === null) break;
        survived.double++;
      }
    }
  });

  test('any one call that fails leaves it all old or all new, and says so', async () => {
    const { fresh, calls: total } = await undisturbed(scenario);
    for (let at = 1; at <= total; at++) {
      const code = ['EIO', 'EACCES', 'ENOSPC'][at % 3] ?? 'EIO';
      const stage = await setUp(scenario);
      const calls = callsFor(scenario, { at, kind: 'error', code });
      const error = await outcome(scenario.run(stage.target, calls));
      const where = `${code} at call ${at} of ${total} (${calls.hit()})`;
      // A run that fails has changed nothing, already before any recovery; only with no way back at all may it be half way.
      if (error !== null && !error.message.includes('could not be taken back')) expect(digest(stage.target), where).toBe(stage.old);
      if (error === null) expect(digest(stage.target), where).toBe(fresh);
      await recover(stage.target, callsFor(scenario, quiet));
      await judge(scenario, stage, fresh, where);
      rmSync(stage.home, { recursive: true });
      survived.errors++;
    }
  });
});

test.each(['whole swap', 'swap of children with carry-over', 'partial swap'])(
  '%s: taken back after a call that failed, and killed in the middle of that',
  async (name) => {
    const scenario = scenarios.find((one) => one.name === name);
    if (scenario === undefined) throw new Error('no scenario');
    const { fresh, calls: total } = await undisturbed(scenario);
    for (let at = 1; at <= total; at += 2) {
      for (let deadAfter = 1 + (at % 4); ; deadAfter += 5) {
        const stage = await setUp(scenario);
        const calls = callsFor(scenario, { at, kind: 'error', code: 'EIO', deadAfter });
        await outcome(scenario.run(stage.target, calls));
        const where = `EIO at call ${at} (${calls.hit()}), killed ${deadAfter} later`;
        await recover(stage.target, callsFor(scenario, quiet));
        await judge(scenario, stage, fresh, where);
        rmSync(stage.home, { recursive: true });
        // Where the failure changes nothing, the run goes on to its end: those kills are tried elsewhere.
        if (!calls.died() || deadAfter > 30) break;
        survived.double++;
      }
    }
  },
);

test('a discard killed anywhere leaves the target alone and is finished by the next', async () => {
  const [scenario] = scenarios;
  if (scenario === undefined) throw new Error('no scenario');
  for (let at = 1; ; at++) {
    const stage = await setUp(scenario);
    await scenario.run(stage.target, callsFor(scenario, quiet));
    const fresh = digest(stage.target);
    const calls = callsFor(scenario, { at, kind: 'dead' });
    await outcome(createUndoTarget({ calls, refuseWhenUsed: nobodyUsesIt }).discard(stage.target));
    expect(digest(stage.target)).toBe(fresh);
    await createUndoTarget({ calls: callsFor(scenario, quiet), refuseWhenUsed: nobodyUsesIt }).discard(stage.target);
    expect(readdirSync(stage.home), `killed at ${at} (${calls.hit()})`).toEqual(['srv']);
    rmSync(stage.home, { recursive: true });
    if (calls.hit() === null) break;
    survived.single++;
  }
});

test('a target that did not exist is either still missing or complete', async () => {
  for (let at = 1; ; at++) {
    const home = join(base, String(++number));
    const target = join(home, 'a', 'srv');
    mkdirSync(home);
    const calls = faultyCalls({ at, kind: 'dead' });
    const restore = async (through: FileCalls): Promise<void> => {
      const staging = await createRestoreTargets({ calls: through, refuseWhenUsed: nobodyUsesIt }).prepare({
        target,
        id: 'x',
        replace: false,
        force: false,
        bytesNeeded: 1,
        entriesNeeded: 1,
        partial: false,
        time: swapTime,
      });
      makeOldServer(staging.dir);
      await staging.commit({ root: { mode: 0o751, uid: 0, gid: 0, mtimeNs: 1n }, carryOver: null });
    };
    await outcome(restore(calls));
    await recover(target, faultyCalls(quiet));
    const there = readdirSync(home, { recursive: true }).map(String);
    if (!there.includes('a/srv')) {
      expect(
        there.filter((name) => name !== 'a'),
        `killed at ${at} (${calls.hit()})`,
      ).toEqual([]);
      await restore(faultyCalls(quiet));
    }
    expect(digest(target)).toContain('/world/level.dat');
    expect(readdirSync(join(home, 'a'))).toEqual(['srv']);
    rmSync(home, { recursive: true });
    if (calls.hit() === null) break;
    survived.single++;
  }
});
