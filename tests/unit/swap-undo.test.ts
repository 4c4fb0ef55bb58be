import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRestoreTargets } from '../../main/adapters/files/restore-targets.ts';
import { createUndoTarget } from '../../main/adapters/files/undo.ts';
import type { Fault } from '../../main/contract/faults.ts';
import { runWith } from '../support/cli-host.ts';
import { watchedCalls } from '../support/swap-faults.ts';
import { excluded, makeNewServer, makeOldServer, makePart, nobodyUsesIt, request, swapTime } from '../support/swap-scenarios.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { treeDigest } from '../support/tree-digest.ts';

const targets = createRestoreTargets({ refuseWhenUsed: nobodyUsesIt });
const undo = createUndoTarget({ refuseWhenUsed: nobodyUsesIt });
const later = { force: false, time: swapTime + 60_000 };

async function restored(partial = false): Promise<{ home: string; target: string; old: string; fresh: string }> {
  const home = tempFolder();
  const target = join(home, 'srv');
  makeOldServer(target);
  const old = treeDigest(target);
  const staging = await targets.prepare(request(target, { partial }));
  (partial ? makePart : makeNewServer)(staging.dir);
  await staging.commit({ root: null, carryOver: excluded });
  return { home, target, old, fresh: treeDigest(target) };
}

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work;
  } catch (error) {
    return error as Fault;
  }
  throw new Error('it was not refused');
}

describe.each([false, true])('undo (of a partial restore: %s)', (partial) => {
  test('brings the former content back, and a second undo the restored one', async () => {
    const { target, old, fresh } = await restored(partial);
    const first = await undo.undo(target, later);
    expect(treeDigest(target)).toBe(old);
    expect(first).toEqual({ restored: `${target}.before-20261124T020000Z`, before: `${target}.before-20261124T020100Z`, notes: [] });
    expect(existsSync(first.restored)).toBe(false);
    await undo.undo(target, later);
    expect(treeDigest(target)).toBe(fresh);
    await undo.undo(target, later);
    expect(treeDigest(target)).toBe(old);
    expect(await undo.list(target)).toHaveLength(1);
  });

  test('is stopped until it has begun in earnest, and nothing has changed then; after that it goes through', async () => {
    const { home, target, old, fresh } = await restored(partial);
    const names = readdirSync(home).sort();
    for (const way of ['undo', 'discard'] as const) {
      const stop = new AbortController();
      stop.abort();
      const onNoReturn = (): void => expect.unreachable('it was stopped before');
      const fault = await faultOf(undo[way](target, { ...later, signal: stop.signal, onNoReturn }));
      expect(fault.code).toBe('cancelled');
      expect([treeDigest(target), readdirSync(home).sort()]).toEqual([fresh, names]);
    }
    const stop = new AbortController();
    await undo.undo(target, { ...later, signal: stop.signal, onNoReturn: () => stop.abort() });
    expect(treeDigest(target)).toBe(old);
    const late = new AbortController();
    expect(await undo.discard(target, { signal: late.signal, onNoReturn: () => late.abort() })).toHaveLength(1);
    expect(await undo.list(target)).toEqual([]);
  });

  test('discard deletes it and nothing else, and then there is nothing to undo', async () => {
    const { home, target, fresh } = await restored(partial);
    const gone = await undo.discard(target);
    expect(gone.map((kept) => [kept.before, kept.partial])).toEqual([[`${target}.before-20261124T020000Z`, partial]]);
    expect(readdirSync(home)).toEqual(['srv']);
    expect(treeDigest(target)).toBe(fresh);
    expect(await faultOf(undo.undo(target, later))).toMatchObject({
      code: 'not-found',
      context: { next: expect.stringContaining('undo --target FOLDER --list') as string },
    });
    expect(await undo.discard(target)).toEqual([]);
  });
});

test.each([false, true])('is listed beside a restore and by several at once (partial: %s), and keeps no restore out', async (partial) => {
  const { target } = await restored(partial);
  const kept = await undo.list(target);
  expect(kept).toHaveLength(1);
  const staging = await targets.prepare(request(target, { partial, time: swapTime + 60_000 }));
  expect(await Promise.all([undo.list(target), undo.list(target)])).toEqual([kept, kept]);
  const shell = await runWith(['undo', '--target', target, '--list', '--json'], { targets: { restore: targets, undo } });
  expect([shell.exitCode, (JSON.parse(shell.stdout) as unknown[]).length]).toEqual([0, 1]);
  for (const way of [[], ['--discard']]) {
    expect((await runWith(['undo', '--target', target, ...way], { targets: { restore: targets, undo } })).stderr).toContain(
      'another restore',
    );
  }
  await staging.abort();
});

test.each([false, true])(
  'the list tells of no former content that is half exchanged, at any step of an undo (partial: %s)',
  async (partial) => {
    const { target } = await restored(partial);
    const tell = async (): Promise<string> => (await undo.list(target)).map(({ before }) => `${before} ${treeDigest(before)}`).join();
    const first = await tell();
    const told: unknown[] = [];
    // A refusal is told too: an undo may go on without what has failed.
    const look = async (): Promise<void> => void told.push(await tell().catch((error: unknown) => error));
    await createUndoTarget({ refuseWhenUsed: nobodyUsesIt, calls: watchedCalls(look) }).undo(target, later);
    expect([...new Set(told)]).toEqual([first, '', await tell()]);
  },
);

test('the list is newest first by order and not by clock, with the space and the number of files', async () => {
  const { target } = await restored();
  // The clock went back by a year.
  const staging = await targets.prepare(request(target, { time: swapTime - 365 * 86_400_000 }));
  writeFileSync(join(staging.dir, 'third'), '');
  await staging.commit({ root: null, carryOver: null });
  writeFileSync(`${target}.before-20261124T020000Z/big`, Buffer.alloc(3_000_000, 1));
  const rows = await undo.list(target);
  expect(rows.map((row) => row.before)).toEqual([`${target}.before-20251124T020000Z`, `${target}.before-20261124T020000Z`]);
  expect(rows.map((row) => row.time)).toEqual([swapTime - 365 * 86_400_000, swapTime]);
  expect(rows[1]?.bytes).toBeGreaterThan(3_000_000);
  expect(rows[1]?.bytes).toBeLessThan(3_200_000);
  // The old server's ten files and links, a second name of one of them, and the big one.
  expect(rows[1]?.files).toBe(12);
});

test('an undo loses nothing that was written after the restore', async () => {
  const { target, old } = await restored();
  writeFileSync(join(target, 'played'), 'two hours');
  const { before } = await undo.undo(target, later);
  expect(treeDigest(target)).toBe(old);
  expect(readFileSync(join(before ?? '', 'played'), 'utf8')).toBe('two hours');
});

test('what was carried over and changed since in place is the same file on both sides', async () => {
  const { target } = await restored();
  appendFileSync(join(target, 'logs/latest.log'), ' and more');
  await undo.undo(target, later);
  expect(readFileSync(join(target, 'logs/latest.log'), 'utf8')).toBe('log and more');
});

test('undoing a part whose folder has gone since makes the folder again', async () => {
  const { target } = await restored(true);
  rmSync(join(target, 'world'), { recursive: true });
  await undo.undo(target, later);
  expect(readFileSync(join(target, 'world/region/r.0.0'), 'utf8')).toBe('old region');
});

test('a target that was deleted after the restore comes back as it was before', async () => {
  const { target, old } = await restored();
  rmSync(target, { recursive: true });
  expect((await undo.undo(target, later)).before).toBeNull();
  expect(treeDigest(target)).toBe(old);
});

test('a former content that was deleted by hand counts no more', async () => {
  const { home, target } = await restored();
  rmSync(`${target}.before-20261124T020000Z`, { recursive: true });
  expect(await undo.list(target)).toEqual([]);
  expect((await faultOf(undo.undo(target, later))).code).toBe('not-found');
  await undo.discard(target);
  expect(readdirSync(home)).toEqual(['srv']);
});

test('folders of others whose names look like ours are neither listed nor deleted', async () => {
  const { home, target } = await restored();
  for (const name of ['srv.before-20200101T000000Z', 'srv.before-x', 'srv2.before-20261124T020000Z']) mkdirSync(join(home, name));
  await undo.discard(target);
  expect(readdirSync(home).sort()).toEqual(['srv', 'srv.before-20200101T000000Z', 'srv.before-x', 'srv2.before-20261124T020000Z']);
});

test('a target in use is not undone without force', async () => {
  const { target, fresh } = await restored();
  const busy = createUndoTarget();
  const child = spawn('sh', ['-c', 'echo; exec sleep 1000'], { cwd: target, stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await new Promise((done) => child.stdout.once('data', done));
    expect((await faultOf(busy.undo(target, later))).code).toBe('locked');
    expect(treeDigest(target)).toBe(fresh);
    await busy.undo(target, { ...later, force: true });
    expect(treeDigest(target)).not.toBe(fresh);
  } finally {
    child.kill('SIGKILL');
  }
});
