import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createRestoreTargets } from '../../main/adapters/files/restore-targets.ts';
import { createUndoTarget } from '../../main/adapters/files/undo.ts';
import { leftovers, nobodyUsesIt, scenarios, swapTime } from '../support/swap-scenarios.ts';
import { treeDigest } from '../support/tree-digest.ts';

const driver = join(import.meta.dirname, '../support/swap-driver.ts');
const base = mkdtempSync(join(tmpdir(), 'holdfast-swap-process-'));
let killed = 0;
let number = 0;

afterAll(() => {
  rmSync(base, { recursive: true, force: true });
  console.log(`swap: ${killed} real processes killed, every target recovered`);
});

// Whether this process may trace, and not only whether strace is installed: containers often forbid it.
const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
const canMount = spawnSync('unshare', ['-Urm', 'true']).status === 0;

function digest(target: string): string {
  return treeDigest(target, (name) => name.startsWith('.holdfast-'));
}

async function newStage(scenario: (typeof scenarios)[number]): Promise<{ home: string; target: string; old: string }> {
  const home = join(base, String(++number));
  const target = join(home, 'srv');
  mkdirSync(home);
  const { nodeFileCalls } = await import('../../main/adapters/files/file-calls.ts');
  await scenario.setUp(target, nodeFileCalls);
  return { home, target, old: digest(target) };
}

/** Old or new after recovery by a process that knows nothing of the first; undo gives old. */
async function judge(stage: { home: string; target: string; old: string }, fresh: string, where: string): Promise<void> {
  await createRestoreTargets().recover(stage.target);
  const now = digest(stage.target);
  expect([stage.old, fresh], where).toContain(now);
  expect(leftovers(stage.home, stage.target), where).toEqual([]);
  const undo = createUndoTarget({ refuseWhenUsed: nobodyUsesIt });
  if (now === fresh) await undo.undo(stage.target, { force: false, time: swapTime + 2 });
  expect(digest(stage.target), where).toBe(stage.old);
}

async function freshOf(scenario: (typeof scenarios)[number]): Promise<string> {
  const stage = await newStage(scenario);
  const { nodeFileCalls } = await import('../../main/adapters/files/file-calls.ts');
  await scenario.run(stage.target, nodeFileCalls);
  return digest(stage.target);
}

describe.skipIf(!canTrace)('killed by strace at the entry of a system call (skipped where strace is missing or may not trace)', () => {
  const kinds = [
    ['whole swap with carry-over', 'rename,renameat,renameat2'],
    ['whole swap with carry-over', 'link,linkat,fsync'],
    ['partial swap', 'rename,renameat,renameat2'],
    ['undo of a whole swap', 'rename,renameat,renameat2,unlink,unlinkat'],
  ] as const;
  test.each(kinds)('%s, each %s', { timeout: 600_000 }, async (name, calls) => {
    const scenario = scenarios.find((one) => one.name === name);
    if (scenario === undefined) throw new Error(`no scenario ${name}`);
    const fresh = await freshOf(scenario);
    let points = 0;
    for (let when = 1; ; when++) {
      const stage = await newStage(scenario);
      // strace counts for each thread by itself; with one thread for all file calls the count is the program's own order.
      const run = spawnSync(
        'strace',
        ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${calls}:signal=SIGKILL:when=${when}`].concat([
          '-E',
          'UV_THREADPOOL_SIZE=1',
          process.execPath,
          driver,
          `run:${name}`,
          stage.target,
        ]),
        { encoding: 'utf8' },
      );
      const dead = run.signal === 'SIGKILL' || run.status === 137;
      if (!dead) expect(run.stderr + String(run.status)).toBe('0');
      await judge(stage, fresh, `${calls} ${when}`);
      rmSync(stage.home, { recursive: true });
      if (!dead) break;
      points++;
      killed++;
    }
    expect(points).toBeGreaterThan(3);
  });
});

test('a process that kills itself at a call of a swap leaves what the make-believe kill leaves', { timeout: 600_000 }, async () => {
  const name = 'whole swap';
  const scenario = scenarios.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  const fresh = await freshOf(scenario);
  for (let at = 2; ; at += 4) {
    const stage = await newStage(scenario);
    const run = spawnSync(process.execPath, [driver, `run:${name}`, stage.target], {
      env: { ...process.env, HOLDFAST_KILL_AT: String(at) },
      encoding: 'utf8',
    });
    if (run.signal !== 'SIGKILL') expect(run.stderr).toBe('');
    await judge(stage, fresh, `call ${at}`);
    if (run.signal !== 'SIGKILL') break;
    killed++;
  }
});

describe.skipIf(!canMount)('the target is a mount point (skipped where user namespaces are forbidden)', () => {
  /** Runs driver steps in a namespace of its own, one process a line, with a tmpfs at the target. Returns the lines printed. */
  function inMount(lines: readonly string[], target: string): { digest: string; inside: string[] }[] {
    const script = ['set -e', `mount -t tmpfs -o mode=0755 none '${target}'`, ...lines].join('\n');
    const run = spawnSync('unshare', ['-Urm', 'sh', '-c', script], { encoding: 'utf8' });
    expect(`${run.stderr}${run.status}`.replace(/^Killed\n/gm, '')).toBe('0');
    return run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { digest: string; inside: string[] });
  }
  const name = 'whole swap with carry-over';
  const node = (target: string, ...steps: string[]): string =>
    `'${process.execPath}' '${driver}' ${steps.map((step) => `'${step}'`).join(' ')} '${target}'`;

  test('its children are swapped, and come back', () => {
    const target = join(base, 'mounted');
    mkdirSync(target);
    const [old, fresh, back] = inMount([node(target, `setup:${name}`, 'show', `run:${name}`, 'show', 'undo', 'show')], target);
    expect(fresh?.digest).toContain('/plugins/closed/p.jar');
    expect(fresh?.digest).toContain('/logs/old/1.log');
    expect(fresh?.inside).toEqual(expect.arrayContaining(['.holdfast-before-20261124T020000Z', '.holdfast-undo-20261124T020000Z']));
    expect(back?.digest).toBe(old?.digest);
    expect(readdirSync(base).filter((entry) => entry.includes('mounted'))).toEqual(['mounted']);
  });

  test('killed at calls all over the swap, it is all old or all new', { timeout: 600_000 }, () => {
    const target = join(base, 'mounted-killed');
    mkdirSync(target);
    const [reference] = inMount([node(target, `setup:${name}`, `run:${name}`, 'show')], target);
    for (let at = 11; at < 90; at += 13) {
      const [old, now] = inMount(
        [
          node(target, `setup:${name}`, 'show'),
          `HOLDFAST_KILL_AT=${at} ${node(target, `run:${name}`)} || true`,
          node(target, 'recover', 'show'),
        ],
        target,
      );
      expect([old?.digest, reference?.digest]).toContain(now?.digest);
      expect(now?.inside.filter((entry) => /journal|restore/.test(entry))).toEqual([]);
      killed++;
    }
  });
});
