import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import type { Job } from '../../main/contract/jobs.ts';
import type { ScheduleSettings } from '../../main/contract/schedule-settings.ts';
import { serverSchema } from '../../main/contract/server-settings.ts';
import { dueChecks, factsAfter, tellingJob } from '../../main/engine/service/facts.ts';
import { noFacts, type ServiceHost } from '../../main/engine/service/ports.ts';
import { openManifest } from '../../main/engine/snapshots/manifest-store.ts';
import { loadVault } from '../../main/engine/snapshots/vault-store.ts';
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
const resting = { slug: 'survival', name: 'Survival', ...minecraft, removed: false } as const;

describe('a backup by hand', () => {
  test('ends as a job with its snapshot, and the server is ok', async () => {
    const world = serviceWorld({ folder });
    const ended = world.ended('backup');
    const { job } = await world.service.calls['backup.start'](
      { slug: 'survival', force: false, takeOver: false },
      new AbortController().signal,
    );
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
    await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
    const job = await ended;
    expect(world.told).toEqual(['one', 'two', 'pause', 'resume', 'fail success', 'last success']);
    expect([job.state, job.warnings.map(({ code }) => code)]).toEqual(['done', ['hook']]);
    const { backend, host, destination } = world.engine;
    const key = (await keysOf(backend)).find((name) => name.endsWith('.manifest')) ?? '';
    const vault = await loadVault(backend, { credentials: destination.credentials });
    const manifest = await openManifest(host.zstd, backend, vault, key, {});
    expect(manifest.header.hooks).toEqual([
      { when: 'before', command: 'one', result: 'success' },
      { when: 'before', command: 'two', result: 'success' },
      { when: 'at-rest', command: 'minecraft', result: 'success' },
    ]);
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
    await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
    const failed = await ended;
    expect(failed.state).toBe('failed');
    expect(world.told).toEqual(['fail', 'sorry failure']);
    const asked = { failed: true, limit: 10 };
    expect(await world.service.calls['jobs.list'](asked, new AbortController().signal)).toEqual([
      expect.objectContaining({ id: failed.id }),
    ]);
    await settle();
    expect(world.service.status('survival').state).toBe('failed');
  });

  test('a server goes on after a backup that failed, and after one whose pause failed', async () => {
    rmSync(folder, { recursive: true });
    const world = serviceWorld({ folder, servers: [minecraft] });
    const ended = world.ended('backup');
    await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
    expect((await ended).fault?.code).toBe('not-found');
    expect(world.told).toEqual(['pause', 'resume']);
    expect(world.store.resting()).toEqual([]);
  });

  test('one destination that fails does not keep the snapshot from the other; the job names it', async () => {
    const world = serviceWorld({ folder, servers: [{ destinations: ['here', 'away'] }] });
    const ended = world.ended('backup');
    await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
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
    await world.service.calls['backup.start']({ slug: 'survival', force: true, takeOver: false }, new AbortController().signal);
    const second = await world.service.calls['backup.start'](
      { slug: 'survival', force: true, takeOver: false },
      new AbortController().signal,
    );
    await settle();
    expect(world.events.filter(({ event, data }) => event === 'job' && data.state === 'running')).toHaveLength(1);
    expect(world.service.status('survival').waiting.map(({ id }) => id)).toEqual([second.job]);
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
    expect(await codeOf(world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, stop.signal))).toBe(
      'cancelled',
    );
  });

  test('a backup that a person began is followed by what is due as well, once it is done, and not again before its time', async () => {
    const world = serviceWorld({ folder, servers: [{ schedule: { kind: 'manual' } }] });
    const stop = new AbortController();
    const running = world.service.run(stop.signal);
    await world.clock.untilSomebodySleeps();
    const all = [world.ended('backup'), world.ended('verify'), world.ended('drill')] as const;
    // The second one goes before what follows on the first, and has it followed by nothing more.
    for (let run = 0; run < 2; run += 1)
      await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, stop.signal);
    for (const job of await Promise.all(all))
      expect(job).toMatchObject({ state: 'done', reason: job.kind === 'backup' ? 'person' : 'follow-up' });
    const jobs = world.events.flatMap(({ event, data }) => (event === 'job' ? [data] : []));
    const done = jobs.findIndex(({ kind, state }) => kind === 'backup' && state === 'done');
    expect(jobs.findIndex(({ kind }) => kind === 'verify')).toBeGreaterThan(done);
    expect(jobs.findIndex(({ kind }) => kind === 'drill')).toBeGreaterThan(done);
    await settle();
    expect(
      world.store
        .jobs()
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['backup', 'backup', 'drill', 'verify']);
    const { state, lastProven, lastVerified } = world.service.status('survival');
    expect([state, lastProven !== null, lastVerified !== null]).toEqual(['ok', true, true]);

    const kindsAfter = async (days: number): Promise<readonly string[]> => {
      const before = world.store.jobs().length;
      world.clock.jump(days * 1440 * minute);
      const ended = world.ended('backup');
      await world.service.calls['backup.start']({ slug: 'survival', force: true, takeOver: false }, stop.signal);
      await ended;
      await settle();
      while (world.store.jobs().some(({ endedAt }) => endedAt === null)) await settle();
      const kinds = world.store.jobs().map(({ kind }) => kind);
      return kinds.slice(0, kinds.length - before).sort();
    };
    expect(await kindsAfter(1)).toEqual(['backup']);
    expect(await kindsAfter(7)).toEqual(['backup', 'verify']);
    expect(await kindsAfter(30)).toEqual(['backup', 'drill', 'verify']);
    stop.abort();
    await running;
  });

  test('a run that a person cancels comes again at its next time, and not in half a minute', async () => {
    const begun = Promise.withResolvers<undefined>();
    const pause = (signal: AbortSignal): Promise<void> =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Fault('cancelled', 'cancelled')), { once: true });
        begun.resolve(undefined);
      });
    const world = serviceWorld({ folder, servers: [{ schedule: { kind: 'daily', at: ['23:00'] }, ...minecraft }], quiesce: { pause } });
    const stop = new AbortController();
    const running = world.service.run(stop.signal);
    const ended = world.ended('backup');
    await world.clock.advance(75 * minute);
    await begun.promise;
    const [job] = await world.service.calls['jobs.list']({ limit: 1 }, stop.signal);
    await world.service.calls['job.cancel']({ job: job?.id ?? '' }, stop.signal);
    expect(await ended).toMatchObject({ state: 'cancelled', reason: 'schedule' });
    expect(await world.service.calls['jobs.list']({ failed: true, limit: 1 }, stop.signal)).toEqual([]);
    await world.clock.advance(30 * minute);
    expect(world.events.filter(({ event, data }) => event === 'job' && data.state === 'cancelled')).toHaveLength(1);
    expect(new Date(world.service.status('survival').nextRun ?? 0).toISOString()).toMatch(/^2026-11-24T23:0/);
    stop.abort();
    await running;
  });

  test('an unchanged run is a success that keeps since when nothing has changed', async () => {
    const store = memoryStore(0);
    // Files as young as these count as changed once more.
    const later = { clockOffset: 2 * minute };
    const engine = realEngine({ host: { packer: threadPacker(later), scan: threadScan(later) } });
    const world = serviceWorld({ folder, store, engine });
    const run = async (): Promise<Job> => {
      const ended = world.ended('backup');
      await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
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
    store.changeFacts('survival', { lastSuccess: now - 86_400_000 });
    expect(world.service.status('survival').state).toBe('ok');
  });

  test('a success stamped by a clock that was years ahead counts from when that was seen, in the next process too, until it has come', async () => {
    const day = 24 * 60 * minute;
    const now = Date.UTC(2026, 10, 23, 22, 0);
    const store = memoryStore(now - 30 * day);
    store.changeFacts('survival', { lastSuccess: now + 4000 * day });
    const schedule: ScheduleSettings = { kind: 'daily', at: ['03:00'] };
    const first = serviceWorld({ folder, store, now, servers: [{ schedule }] });
    const overdueAt = Date.UTC(2026, 10, 25, 3, 0);
    expect([first.service.overdueSince('survival'), first.service.status('survival').state]).toEqual([overdueAt, 'ok']);

    const second = serviceWorld({ folder, store, now: overdueAt + minute, servers: [{ schedule }] });
    expect([second.service.overdueSince('survival'), second.service.status('survival').state]).toEqual([overdueAt, 'overdue']);
    // And the run that was missed while no process was there is made up for.
    const ended = second.ended('backup');
    const stop = new AbortController();
    const running = second.service.run(stop.signal);
    await second.clock.untilSomebodySleeps();
    await second.clock.advance(2 * minute);
    expect(await ended).toMatchObject({ reason: 'catch-up', state: 'done' });
    await settle();
    expect([store.facts('survival').lastSuccess, second.service.overdueSince('survival')]).toEqual([
      overdueAt + 2 * minute,
      overdueAt + 2 * day,
    ]);
    expect(store.facts('survival').doubted).toBeNull();
    stop.abort();
    await running;

    // A clock that was behind for a while when the service began says nothing against a success.
    store.changeFacts('survival', { lastSuccess: now });
    const behind = serviceWorld({ folder, store, now: now - 9000 * day, servers: [{ schedule }] });
    behind.service.overdueSince('survival');
    behind.clock.jump(9000 * day + minute);
    expect(behind.service.overdueSince('survival')).toBe(overdueAt);
  });
});

test('what a killed process left: its job is marked, and the server that it had brought to rest goes on', async () => {
  const store = memoryStore(0);
  await store.setResting([resting]);
  store.putJob({
    ...{ id: 'old', kind: 'backup', server: 'survival', destination: null, reason: 'schedule', state: 'running' },
    ...{ queuedAt: 1, startedAt: 1, endedAt: null, progress: null, summary: '', snapshot: null, unchanged: false },
    ...{ bytes: 0, storedBytes: 0, warnings: [], fault: null },
  });
  const world = serviceWorld({ folder, store, servers: [minecraft] });
  const stop = new AbortController();
  const running = world.service.run(stop.signal);
  expect(store.jobs()[0]).toMatchObject({ id: 'old', state: 'interrupted' });
  stop.abort();
  await running;
  expect(world.told).toEqual(['resume']);
  expect(store.resting()).toEqual([]);
});

test('old snapshots that cannot be removed are a warning of a backup that is there', async () => {
  const engine = realEngine();
  const prune = (): Promise<never> => Promise.reject(new Fault('permission-denied', 'nothing may be removed there'));
  const world = serviceWorld({ folder, engine, servers: [{ keep: { last: 1 } }], host: { engine: { ...engine.engine, prune } } });
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  expect(await ended).toMatchObject({
    state: 'done',
    warnings: [{ code: 'prune', message: expect.stringContaining('may be removed') as string }],
  });
  await settle();
  expect(world.service.status('survival')).toMatchObject({ state: 'ok', lastSuccess: world.clock.now() });
});

test('a server that could not be told to go on is told again, and a backup that comes meanwhile waits for it', async () => {
  const told: string[] = [];
  let reachable = false;
  const answer = Promise.withResolvers<void>();
  const world = serviceWorld({
    folder,
    servers: [minecraft],
    quiesce: {
      pause: () => {
        told.push('pause');
        return Promise.resolve();
      },
      resume: async () => {
        if (!reachable) throw new Fault('unavailable', 'the console does not answer');
        if (told.length === 1) await answer.promise;
        told.push('resume');
      },
    },
  });
  const first = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  expect((await first).warnings).toMatchObject([{ code: 'quiesce-resume' }]);
  expect(world.store.resting()).toEqual([resting]);
  await settle();
  reachable = true;
  const letting = world.service.letGoOn();
  const second = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: true, takeOver: false }, new AbortController().signal);
  await settle();
  expect(told).toEqual(['pause']);
  answer.resolve();
  await letting;
  expect(await second).toMatchObject({ state: 'done', warnings: [] });
  expect([told, world.store.resting()]).toEqual([['pause', 'resume', 'pause', 'resume'], []]);
});

test('a resume that fails leaves the mark for the next start', async () => {
  const store = memoryStore(0);
  await store.setResting([resting]);
  const world = serviceWorld({
    folder,
    store,
    servers: [minecraft],
    quiesce: { resume: () => Promise.reject(new Fault('unavailable', 'refused')) },
  });
  const stop = new AbortController();
  const running = world.service.run(stop.signal);
  await settle();
  expect(store.resting()).toEqual([resting]);
  const why = 'It could not be told to go on: refused';
  expect(world.service.status('survival')).toMatchObject({ state: 'failed', why, next: expect.stringContaining('every minute') as string });
  expect(world.service.stuck('survival')).toBe(why);
  await store.setResting([]);
  expect([world.service.status('survival').state, world.service.stuck('survival')]).toEqual(['new', null]);
  stop.abort();
  await running;
});

test('what a killed restore left is finished before anything is started on it again; a console is told all the same', async () => {
  const store = memoryStore(0);
  const unit = { quiesce: { kind: 'systemd', unit: 'a.service', user: false } } as const;
  const game = { ...minecraft, name: 'Game', slug: 'game' };
  await store.setResting([
    { ...resting, ...unit },
    { ...resting, ...game },
  ]);
  let isWell = false;
  const told: string[] = [];
  const quiesce: ServiceHost['quiesce'] = ({ slug }) =>
    Promise.resolve({ pause: () => Promise.resolve(), resume: () => Promise.resolve(void told.push(`resume ${slug}`)) });
  const recoverFolder = (of: string): Promise<readonly string[]> => {
    told.push(`recover ${of}`);
    return isWell ? Promise.resolve(['it is complete now']) : Promise.reject(new Fault('permission-denied', 'not yours'));
  };
  const world = serviceWorld({ folder, store, servers: [unit, { ...game, folder: '/game' }], host: { quiesce, recoverFolder } });
  const stop = new AbortController();
  const running = world.service.run(stop.signal);
  await settle();
  expect(told.splice(0)).toEqual([`recover ${folder}`, 'recover /game', 'resume game']);
  expect(world.service.status('survival').why).toContain('not yours');
  isWell = true;
  await world.service.letGoOn();
  expect([told, store.resting()]).toEqual([[`recover ${folder}`, 'resume survival'], []]);
  stop.abort();
  await running;
});

test('one that runs while it is overdue says since when, and what to do', async () => {
  const schedule: ScheduleSettings = { kind: 'daily', at: ['04:00'] };
  const atRest = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const pause = async (): Promise<void> => {
    atRest.resolve();
    await goOn.promise;
  };
  const world = serviceWorld({ folder, servers: [{ schedule, ...minecraft }], quiesce: { pause } });
  world.store.changeFacts('survival', { since: 0 });
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  await atRest.promise;
  expect(world.service.status('survival')).toMatchObject({
    ...{ state: 'running', why: 'No backup has ended well yet; one is running.' },
    next: expect.stringContaining('cancel it') as string,
  });
  goOn.resolve();
  await ended;
});

test('a restore over a server that nothing can stop says so, and what to do', async () => {
  const world = serviceWorld({ folder, servers: [minecraft] });
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  await ended;
  const request = { slug: 'survival', destination: 'here', target: folder, include: [], replace: true, force: true };
  const restored = world.ended('restore');
  await world.service.calls['restore.start']({ ...request, snapshot: 'latest' }, new AbortController().signal);
  const { state, warnings } = await restored;
  expect([state, warnings.filter(({ code }) => code === 'quiesce').map(({ message }) => message)]).toEqual([
    'done',
    [expect.stringContaining('Survival was not stopped')],
  ]);
});

describe('what is looked at by the calendar', () => {
  const day = 24 * 60 * minute;
  const two = { destinations: ['a', 'b'], verify: 'weekly', drill: 'monthly' } as const;
  const settings = serverSchema.parse({ name: 'S', slug: 's', folder: '/srv', zone: 'UTC', ...two });
  const now = Date.UTC(2026, 10, 27);
  const facts = { since: 0, ...noFacts };
  const ended = (kind: Job['kind'], destination: string, state: Job['state'], at: number): Job =>
    ({ kind, destination, state, server: 's', startedAt: at, queuedAt: at, endedAt: at, fault: null }) as Job;

  test('each destination is verified by itself, and the server is verified once all are', () => {
    expect(dueChecks(settings, facts, now)).toEqual({ verify: ['a', 'b'], drill: 'a' });
    const one = factsAfter(facts, ended('verify', 'a', 'done', now), two.destinations);
    expect([one.lastVerified, dueChecks(settings, one, now + day).verify]).toEqual([null, ['b']]);
    const both = factsAfter(one, ended('verify', 'b', 'done', now + day), two.destinations);
    expect([both.lastVerified, dueChecks(settings, both, now + 2 * day).verify]).toEqual([now, []]);
  });

  test('what has failed is tried again the next day, not with every run', () => {
    const failed = factsAfter(facts, ended('verify', 'a', 'failed', now), two.destinations);
    expect(dueChecks(settings, failed, now + 60 * minute).verify).toEqual(['b']);
    expect(dueChecks(settings, failed, now + day).verify).toEqual(['a', 'b']);
  });

  test('drills take turns', () => {
    const first = factsAfter(facts, ended('drill', 'a', 'done', now), two.destinations);
    expect(dueChecks(settings, first, now + 20 * day).drill).toBeNull();
    expect(dueChecks(settings, first, now + 31 * day).drill).toBe('b');
    const second = factsAfter(first, ended('drill', 'b', 'failed', now + 31 * day), two.destinations);
    expect(dueChecks(settings, second, now + 31 * day + 60 * minute).drill).toBeNull();
    expect(dueChecks(settings, second, now + 32 * day).drill).toBe('a');
  });

  test('a clock that was set back does not put anything off', () => {
    const far = factsAfter(facts, ended('drill', 'a', 'done', now + 4000 * day), two.destinations);
    expect(dueChecks(settings, far, now).drill).toBe('b');
  });

  test('one place that is whole does not hide another that is not', () => {
    const jobs = [ended('verify', 'b', 'done', now), ended('verify', 'a', 'failed', now), ended('backup', null as never, 'done', now)];
    expect(tellingJob(jobs, settings)).toMatchObject({ destination: 'a', state: 'failed' });
    expect(tellingJob([ended('verify', 'a', 'done', now + 1), ...jobs], settings)).toMatchObject({ state: 'done' });
    const part: Job = { ...ended('verify', 'a', 'done', now + 1), partial: true };
    expect(tellingJob([part, ...jobs], settings)).toMatchObject({ state: 'failed' });
  });
});

test.each<readonly [string, (link: string) => string]>([
  ['a link', (link) => link],
  ['a slash at its end', () => `${folder}/`],
  ['a way round', () => `${folder}/../${basename(folder)}`],
])('a restore over the folder of a server stops and starts it, also when the folder is named by %s', async (_, named) => {
  const told: string[] = [];
  const say = (what: string) => (): Promise<void> => Promise.resolve(void told.push(what));
  const link = join(tempFolder(), 'link');
  symlinkSync(folder, link);
  const world = serviceWorld({
    folder,
    servers: [minecraft],
    quiesce: { stop: () => say('stop')().then(() => true), start: say('start') },
  });
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  await ended;
  const request = { slug: 'survival', destination: 'here', target: named(link), include: [], replace: true, force: true };
  const restored = world.ended('restore');
  await world.service.calls['restore.start']({ ...request, snapshot: 'latest' }, new AbortController().signal);
  expect([(await restored).state, told]).toEqual(['done', ['stop', 'start']]);
});

const inPlace = { slug: 'survival', destination: 'here', include: [], replace: true, force: true, snapshot: 'latest' };

test('a restore over a server that another configuration has at rest refuses, and stops nobody', async () => {
  const calls: string[] = [];
  let isHeld = false;
  const world = serviceWorld({
    ...{ folder, servers: [minecraft], quiesce: { stop: () => Promise.resolve(calls.push('stop') > 0) } },
    host: {
      holdRest: (of) => {
        calls.push(`hold ${of}`);
        if (isHeld) return Promise.reject(new Fault('locked', 'it is at rest for another run'));
        return Promise.resolve({ release: () => Promise.resolve(void calls.push('release')) });
      },
    },
  });
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  await ended;
  expect(calls.splice(0)).toEqual([`hold ${folder}`, 'release']);
  isHeld = true;
  const refused = world.ended('restore');
  await world.service.calls['restore.start']({ ...inPlace, target: folder }, new AbortController().signal);
  expect(await refused).toMatchObject({ state: 'failed', fault: { code: 'locked' } });
  expect([calls.splice(0), world.store.resting()]).toEqual([[`hold ${folder}`], []]);
  isHeld = false;
  const restored = world.ended('restore');
  await world.service.calls['restore.start']({ ...inPlace, target: folder }, new AbortController().signal);
  expect(await restored).toMatchObject({ state: 'done' });
  expect(calls).toEqual([`hold ${folder}`, 'stop', 'release']);
});

test.each<readonly [string, () => Promise<boolean>, RegExp | null]>([
  ['was stopped', () => Promise.resolve(true), /was stopped, and cannot be started from here: start it now/],
  ['was off already', () => Promise.resolve(false), null],
  ['refuses to stop', () => Promise.reject(new Fault('unauthenticated', 'the password is wrong')), null],
  [
    'was told to stop and has not ended',
    () => Promise.reject(new Fault('timeout', 'it did not end', { context: { told: 'stop' } })),
    /was told to stop, may end yet, and cannot be started from here/,
  ],
])('a game that %s, and cannot be started from here: what is said after a restore', async (_, stop, says) => {
  const world = serviceWorld({ folder, servers: [minecraft], quiesce: { stop } });
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  await ended;
  const restored = world.ended('restore');
  await world.service.calls['restore.start']({ ...inPlace, target: folder }, new AbortController().signal);
  const { summary, warnings } = await restored;
  const said = [summary, ...warnings.map(({ message }) => message)].join('\n');
  if (says === null) expect(said).not.toMatch(/start it|was stopped/);
  else expect(said).toMatch(says);
  expect(world.store.resting()).toEqual([]);
});

test('a server that was stopped on purpose is neither stopped nor started', async () => {
  const world = serviceWorld({
    folder,
    servers: [minecraft],
    quiesce: { isRunning: () => Promise.resolve(false), stop: () => Promise.reject(new Error('no')) },
  });
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  expect(await ended).toMatchObject({ state: 'done' });
  const request = { slug: 'survival', destination: 'here', target: folder, include: [], replace: true, force: true };
  const restored = world.ended('restore');
  await world.service.calls['restore.start']({ ...request, snapshot: 'latest' }, new AbortController().signal);
  expect(await restored).toMatchObject({ state: 'done' });
  expect(world.told).toEqual([]);
});

test('a restore of what is not there stops nobody', async () => {
  const stop = (): Promise<never> => Promise.reject(new Error('it was stopped'));
  const world = serviceWorld({ folder, servers: [minecraft], quiesce: { stop } });
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  await ended;
  const request = { slug: 'survival', destination: 'here', target: folder, include: [], replace: true, force: true };
  const restored = world.ended('restore');
  await world.service.calls['restore.start']({ ...request, snapshot: '20200101T000000Z-aaaaaa' }, new AbortController().signal);
  expect(await restored).toMatchObject({ state: 'failed', fault: { code: 'not-found' } });
  expect(world.store.resting()).toEqual([]);
});
