import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Monitor, monitorWords } from '../../main/adapters/compute/monitor.ts';
import { runThreads } from '../../main/adapters/compute/threads.ts';
import { world } from '../support/engine-on-memory.ts';
import { buildEndlessPath } from '../support/trees.ts';

describe('threads', () => {
  let base: string;
  let folder: string;
  /** Those that have been started so far. */
  let started: Worker[];
  const count = (worker: Worker): void => void started.push(worker);

  beforeEach(() => {
    started = [];
    process.on('worker', count);
    // A thread waits a second for its next task: none passes here by itself, however busy this machine is.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    base = mkdtempSync(join(tmpdir(), 'holdfast-threads-'));
    folder = join(base, 'folder');
    mkdirSync(folder);
    writeFileSync(join(folder, 'level.dat'), 'world');
  });
  afterEach(() => {
    vi.advanceTimersByTime(1000);
    vi.useRealTimers();
    process.off('worker', count);
    rmSync(base, { recursive: true, force: true });
  });

  const ends = (workers: readonly Worker[]): Promise<unknown> =>
    Promise.all(workers.map((worker) => new Promise((settle) => worker.once('exit', settle))));

  test('are used again by the next job, which does the same; after a second without one they end', async () => {
    const one = world();
    await one.backup(folder);
    const first = [...started];
    expect(first.length).toBeGreaterThan(2);
    await one.backup(folder, { force: true });
    expect((await one.restore(join(base, 'back'))).files).toBe(1);
    expect(started).toEqual(first);
    const ended = ends(first);
    vi.advanceTimersByTime(1000);
    await ended;
    await one.backup(folder, { force: true });
    expect(started.length).toBe(2 * first.length);
  });

  test('that have ended while they had nothing to do are not waited for', async () => {
    const one = world();
    await one.backup(folder);
    const first = [...started];
    await Promise.all(first.map((worker) => worker.terminate()));
    expect(await one.backup(folder, { force: true })).toMatchObject({ outcome: 'written' });
    expect(started.length).toBe(2 * first.length);
  });

  test.skipIf(process.platform !== 'linux')('hold nothing open of what they have done, deep folders included', async () => {
    const one = world();
    buildEndlessPath(folder, 30);
    await one.backup(folder);
    await one.restore(join(base, 'back'));
    const open = readdirSync('/proc/self/fd').flatMap((handle) => {
      try {
        return [readlinkSync(`/proc/self/fd/${handle}`)];
      } catch (error) {
        // The one that this listing itself had open.
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
        throw error;
      }
    });
    expect(open.filter((path) => path.startsWith(base))).toEqual([]);
    execFileSync('rm', ['-rf', base]);
  });

  test('that have worked long end with their task', async () => {
    const one = world();
    writeFileSync(join(folder, 'region'), randomBytes(6 * 2 ** 20));
    // The slowest level takes seconds for that, in whichever threads compress.
    await one.backup(folder, { level: 19 });
    const before = started.length;
    await one.backup(folder, { force: true });
    expect(started.length).toBeGreaterThan(before);
  });

  test('whose task has failed end, and the fault is told', async () => {
    const scan = (): Promise<void> => {
      const control = new SharedArrayBuffer(monitorWords * 4);
      const about = {
        control,
        manifest: { handle: -1, size: 10, name: 'none' },
        root: Buffer.from(folder),
        excludes: [],
        ignoreInode: false,
        clockOffset: 0,
      };
      return runThreads([{ task: 'scan', about: about as never }], new Monitor(new Int32Array(control)), () => undefined);
    };
    await expect(scan()).rejects.toMatchObject({ code: 'unexpected', operation: 'scan' });
    await expect(scan()).rejects.toMatchObject({ code: 'unexpected', operation: 'scan' });
    expect(started.length).toBe(2);
  });
});
