import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import type { Job } from '../../main/contract/jobs.ts';
import { noFacts } from '../../main/engine/service/ports.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { threadPacker } from '../../main/adapters/compute/pack/packer.ts';
import { threadScan } from '../../main/adapters/compute/scan/scanner.ts';
import { keysOf, world as realEngine } from '../support/engine-on-memory.ts';
import { settle } from '../support/fake-clock.ts';
import { memoryStore, serviceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

let folder = '';
beforeEach(() => {
  folder = tempFolder();
  writeFileSync(join(folder, 'world.dat'), 'blocks');
});

const minute = 60_000;
const minecraft = {
  quiesce: { kind: 'minecraft', rcon: { host: '127.0.0.1', port: 1, timeoutSeconds: 1 }, warnPlayersSeconds: 0 },
} as const;

describe('a backup by hand', () => {
  test('ends as a job with its snapshot, and the server is ok', async () => {
    const world = serviceWorld({ folder });
    const ended = world.ended('backup');
    const { job } = await world.service.calls['backup.start']({ slug: 'survival', force: false }, new AbortController().signal);
    expect(await ended).toMatchObject({ id: job, state: 'done', unchanged: false, bytes: 6, fault: null });
    await settle();
    expect(world.service.status('survival')).toMatchObject({ state: 'ok', lastSuccess: world.clock.now(), bytes: 6 });
    const rows = await world.service.calls['snapshots.list']({ slug: 'survival', destination: 'here' }, new AbortController().signal);
    expect(rows).toHaveLength(1);
  });

  test('hooks run in their order, are told the result, and what runs behind never fails a backup', async () => {
    const command = (...argv: string[]): { argv: string[]; timeoutSeconds: number } => ({ argv, timeoutSeconds: 5 });
    const hooks = {
      before: [command('one'), command('two')],
      afterSuccess: [command('fail')],
      afterFailure: [command('no')],
      always: [command('last')],
    };
    const world = serviceWorld({ folder, servers: [{ hooks, ...minecraft }] });
    const ended = world.ended('backup');
    await world.service.calls['backup.start']({ slug: 'survival', force: false }, new AbortController().signal);
    const job = await ended;
    expect(world.told).toEqual(['one', 'two', 'pause', 'resume', 'fail success', 'last success']);
    expect([job.state, job.warnings.map(({ code }) => code)]).toEqual(['done', ['hook']]);
  });

  test('a failing hook before it stops it, and the server is not even brought to rest', async () => {
    const hooks = {
      before: [{ argv: ['fail'], timeoutSeconds: 5 }],
      afterSuccess: [],
      afterFailure: [{ argv: ['sorry'], timeoutSeconds: 5 }],
      always: [],
    };
    const world = serviceWorld({ folder, servers: [{ hooks, ...minecraft }] });
    const ended = world.ended('backup');
    await world.service.calls['backup.start']({ slug: 'survival', force: false }, new AbortController().signal);
    expect((await ended).state).toBe('failed');
    expect(world.told).toEqual(['fail', 'sorry failure']);
    await settle();
    expect(world.service.status('survival').state).toBe('failed');
  });

  test('a server goes on after a backup that failed, and after one whose pause failed', async () => {
    rmSync(folder, { recursive: true });
    const world = serviceWorld({ folder, servers: [minecraft] });
    const ended = world.ended('backup');
    await world.service.calls['backup.start']({ slug: 'survival', force: false }, new AbortController().signal);
    expect((await ended).fault?.code).toBe('not-found');
    expect(world.told).toEqual(['pause', 'resume']);
    expect(world.store.facts('survival').quiesced).toBe(false);
  });

  test('one destination that fails does not keep the snapshot from the other; the job names it', async () => {
    const world = serviceWorld({ folder, servers: [{ destinations: ['here', 'away'] }] });
    const ended = world.ended('backup');
    await world.service.calls['backup.start']({ slug: 'survival', force: false }, new AbortController().signal);
    expect((await ended).fault).toMatchObject({ code: 'sign-in-needed', context: { destination: 'away' } });
    await settle();
    expect((await keysOf(world.engine.backend)).filter((key) => key.endsWith('.manifest'))).toHaveLength(1);
    expect(world.service.status('survival').state).toBe('sign-in-needed');
  });

  test('jobs of one server run one after the other; a waiting one can be cancelled at once', async () => {
    let go: () => void = () => undefined;
    const world = serviceWorld({
      folder,
      servers: [minecraft],
      quiesce: { pause: () => new Promise((resolve) => (go = resolve)) },
    });
    const first = world.ended('backup');
    await world.service.calls['backup.start']({ slug: 'survival', force: true }, new AbortController().signal);
    const second = await world.service.calls['backup.start']({ slug: 'survival', force: true }, new AbortController().signal);
    await settle();
    expect(world.events.filter(({ event, data }) => event === 'job' && data.state === 'running')).toHaveLength(1);
    await world.service.calls['job.cancel'](second, new AbortController().signal);
    expect(await first).toMatchObject({ id: second.job, state: 'cancelled' });
    const other = world.ended('backup');
    go();
    expect((await other).state).toBe('done');
  });
});

describe('the schedule', () => {
  test('what is due is backed up, then verified and brought back for trial, once', async () => {
    const world = serviceWorld({ folder, servers: [{ schedule: { kind: 'daily', at: ['23:00'] } }] });
    const stop = new AbortController();
    const running = world.service.run(stop.signal);
    const [backup, verify, drill] = [world.ended('backup'), world.ended('verify'), world.ended('drill')];
    await world.clock.advance(75 * minute);
    expect(await backup).toMatchObject({ state: 'done', reason: 'schedule' });
    expect(await verify).toMatchObject({ state: 'done', reason: 'follow-up' });
    expect(await drill).toMatchObject({ state: 'done', reason: 'follow-up' });
    await world.clock.advance(minute);
    const status = world.service.status('survival');
    expect([status.state, status.lastProven !== null, status.lastVerified !== null]).toEqual(['ok', true, true]);
    expect(new Date(status.nextRun ?? 0).toISOString()).toMatch(/^2026-11-24T23:0/);
    stop.abort();
    await running;
    expect(await codeOf(world.service.calls['backup.start']({ slug: 'survival', force: false }, stop.signal))).toBe('cancelled');
  });

  test('an unchanged run is a success that keeps since when nothing has changed', async () => {
    const store = memoryStore(0);
    // Files as young as these count as changed once more.
    const later = { clockOffset: 2 * minute };
    const engine = realEngine({ host: { packer: threadPacker(later), scan: threadScan(later) } });
    const world = serviceWorld({ folder, store, engine });
    const run = async (): Promise<Job> => {
      const ended = world.ended('backup');
      await world.service.calls['backup.start']({ slug: 'survival', force: false }, new AbortController().signal);
      const job = await ended;
      await settle();
      return job;
    };
    await run();
    const since = store.facts('survival').unchangedSince;
    await world.clock.advance(10 * minute);
    expect(await run()).toMatchObject({ state: 'done', unchanged: true });
    expect(store.facts('survival')).toMatchObject({ lastSuccess: (since ?? 0) + 10 * minute, unchangedSince: since });
  });

  test('no success for two intervals is overdue, whether anything ran or not', () => {
    const now = Date.UTC(2026, 10, 23, 22, 0);
    const store = memoryStore(now - 3 * 86_400_000);
    const world = serviceWorld({ folder, store, now, servers: [{ schedule: { kind: 'daily', at: ['03:00'] } }] });
    expect(world.service.status('survival').state).toBe('overdue');
    store.putFacts('survival', { ...store.facts('survival'), lastSuccess: now - 86_400_000 });
    expect(world.service.status('survival').state).toBe('ok');
  });
});

test('what a killed process left: its job is marked, and the server that it had brought to rest goes on', async () => {
  const store = memoryStore(0);
  store.putFacts('survival', { since: 0, ...noFacts, quiesced: true });
  store.putJob({
    ...{ id: 'old', kind: 'backup', server: 'survival', destination: null, reason: 'schedule', state: 'running' },
    ...{ queuedAt: 1, startedAt: 1, endedAt: null, progress: null, summary: '', snapshot: null, unchanged: false },
    ...{ bytes: 0, storedBytes: 0, warnings: [], fault: null },
  });
  const world = serviceWorld({ folder, store, servers: [minecraft] });
  const stop = new AbortController();
  const running = world.service.run(stop.signal);
  await world.clock.untilSomebodySleeps();
  expect(world.told).toEqual(['resume']);
  expect(store.facts('survival').quiesced).toBe(false);
  expect(store.jobs()[0]).toMatchObject({ id: 'old', state: 'interrupted' });
  stop.abort();
  await running;
});

test('a resume that fails leaves the mark for the next start', async () => {
  const store = memoryStore(0);
  store.putFacts('survival', { since: 0, ...noFacts, quiesced: true });
  const world = serviceWorld({
    folder,
    store,
    servers: [minecraft],
    quiesce: { resume: () => Promise.reject(new Fault('unavailable', 'refused')) },
  });
  const stop = new AbortController();
  const running = world.service.run(stop.signal);
  await world.clock.untilSomebodySleeps();
  expect(store.facts('survival').quiesced).toBe(true);
  stop.abort();
  await running;
});
