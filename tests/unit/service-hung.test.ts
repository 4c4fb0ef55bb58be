import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { systemRandom } from '../../main/adapters/system/random.ts';
import { lookAfterServers } from '../../main/compose/service/look-after.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Progress } from '../../main/contract/reports.ts';
import type { ScheduleSettings } from '../../main/contract/schedule-settings.ts';
import type { Notifier } from '../../main/engine/service/notifier.ts';
import { jobQueue, type JobOutcome, type JobRun } from '../../main/engine/service/job-queue.ts';
import { fakeClock, settle } from '../support/fake-clock.ts';
import { memoryStore, serviceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

let folder = '';
beforeEach(() => {
  folder = tempFolder();
  writeFileSync(join(folder, 'world.dat'), 'blocks');
});

const minute = 60_000;
const never = new AbortController().signal;
const hangs = (): Promise<never> => new Promise<never>(() => undefined);
const nightly: ScheduleSettings = { kind: 'daily', at: ['23:00'] };
const how = { force: false, takeOver: false };

test('a folder on a drive that does not answer holds up its own server at the start, and no other', async () => {
  const dead = { name: 'Dead', slug: 'dead', folder: '/dead', schedule: nightly };
  const recoverFolder = (of: string): Promise<readonly string[]> => (of === '/dead' ? hangs() : Promise.resolve([]));
  const world = serviceWorld({ folder, servers: [dead, { schedule: nightly }], host: { recoverFolder } });
  const running = world.service.run(never);
  const ended = world.ended('backup');
  await world.clock.advance(75 * minute);
  expect(await ended).toMatchObject({ server: 'survival', state: 'done', reason: 'schedule' });
  // Its own waits, takes nothing from others, and can be called off.
  const [waiting] = world.service.status('dead').waiting;
  expect(waiting).toMatchObject({ kind: 'backup', state: 'waiting' });
  const cancelled = world.ended('backup');
  await world.service.calls['job.cancel']({ job: waiting?.id ?? '' }, never);
  expect(await cancelled).toMatchObject({ server: 'dead', state: 'cancelled' });
  void running;
});

test('two jobs that hang hold up others no longer once they are cancelled, and their own servers for as long as they hang', async () => {
  const quiesce = { kind: 'systemd', unit: 'a.service', user: false } as const;
  const named = (name: string, more = {}): object => ({ name, slug: name.toLowerCase(), ...more });
  const world = serviceWorld({
    ...{ folder, servers: [named('One', { quiesce }), named('Two', { quiesce }), named('Survival')] },
    quiesce: { pause: hangs },
  });
  const { calls } = world.service;
  const start = async (slug: string): Promise<string> => (await calls['backup.start']({ slug, ...how }, never)).job;
  const hung = [await start('one'), await start('two')];
  await start('survival');
  await settle();
  expect(world.service.running()).toEqual(['one', 'two']);
  const again = await start('one');
  const ended = world.ended('backup');
  await calls['job.cancel']({ job: hung[0] ?? '' }, never);
  expect(await ended).toMatchObject({ server: 'survival', state: 'done' });
  expect(world.service.status('one').waiting.map(({ id }) => id)).toEqual([again]);
});

test('two jobs that hang and that nobody cancels hold up others for an hour at most', async () => {
  const quiesce = { kind: 'systemd', unit: 'a.service', user: false } as const;
  const named = (name: string, more = {}): object => ({ name, slug: name.toLowerCase(), verify: 'never', drill: 'never', ...more });
  const world = serviceWorld({
    ...{ folder, servers: [named('One', { quiesce }), named('Two', { quiesce }), named('Survival', { schedule: nightly })] },
    quiesce: { pause: hangs },
  });
  const stop = new AbortController();
  void world.service.run(stop.signal);
  const { calls } = world.service;
  for (const slug of ['one', 'two']) await calls['backup.start']({ slug, ...how }, never);
  await world.clock.advance(75 * minute);
  const ended = world.ended('backup');
  await settle();
  expect(await ended).toMatchObject({ server: 'survival', state: 'done', reason: 'schedule' });
  expect(world.service.running()).toEqual(['one', 'two']);
  stop.abort();
});

test('a job that goes on, however slowly, counts as one; one that tells the same again and again does not', async () => {
  const clock = fakeClock();
  const queue = jobQueue({ clock, random: systemRandom, store: memoryStore(0), atOnce: 2, onJob: () => undefined });
  const runs: JobRun[] = [];
  const begin = (server: string): void => {
    const work = (run: JobRun): Promise<JobOutcome> => (runs.push(run), hangs());
    queue.add({ kind: 'backup', server, destination: null, reason: 'schedule', work });
  };
  for (const server of ['fast', 'stuck', 'third', 'fourth']) begin(server);
  const progress = (files: number): Progress => ({ phase: 'pack', files, bytes: 0, totalFiles: null, totalBytes: null, storedBytes: 0 });
  const running = (): readonly string[] => queue.active().flatMap(({ server, state }) => (state === 'running' ? [server] : []));
  await settle();
  expect(running()).toEqual(['fast', 'stuck']);
  for (let round = 0; round < 6; round += 1) {
    for (const moving of [runs[0], runs[2]]) moving?.onProgress(progress(round));
    runs[1]?.onProgress(progress(7));
    await clock.advance(20 * minute);
    if (round === 0) expect(running()).toEqual(['fast', 'stuck']);
  }
  expect(running()).toEqual(['fast', 'stuck', 'third']);
});

test('what is overdue is told also while a server cannot be told to go on, and its console never answers', async () => {
  const store = memoryStore(0);
  const console = { kind: 'minecraft', rcon: { host: '127.0.0.1', port: 1, timeoutSeconds: 1 }, warnPlayersSeconds: 0 } as const;
  await store.setResting([
    { slug: 'survival', name: 'Survival', quiesce: console, removed: false },
    { slug: 'creative', name: 'Creative', quiesce: console, removed: false },
  ]);
  const told: string[] = [];
  const world = serviceWorld({
    ...{ folder, store, servers: [{ quiesce: console }, { name: 'Creative', slug: 'creative', quiesce: console }] },
    host: {
      quiesce: ({ slug }) =>
        Promise.resolve({
          pause: () => Promise.resolve(),
          resume: () => (told.push(slug) === 1 ? hangs() : Promise.resolve()),
        }),
    },
  });
  const { clock, service } = world;
  const looks: number[] = [];
  const notifier = { look: () => looks.push(clock.now()) } as unknown as Notifier;
  const stop = new AbortController();
  const looking = lookAfterServers({ clock, store, service, notifier, onProblem: (message) => expect.fail(message) }, stop.signal);
  await clock.advance(4 * minute);
  expect(looks).toHaveLength(3);
  // The one that hangs is not told a second time in vain, and the other has gone on.
  expect([told, store.resting().map(({ slug }) => slug)]).toEqual([['survival', 'creative'], ['survival']]);
  stop.abort();
  await looking;
});

test('a server that was left at rest goes on while a verification of it is under way', async () => {
  const store = memoryStore(0);
  const quiesce = { kind: 'systemd', unit: 'a.service', user: false } as const;
  let resumes = 0;
  const world = serviceWorld({
    ...{ folder, store, servers: [{ quiesce }] },
    quiesce: { resume: () => Promise.resolve(void (resumes += 1)) },
    host: { openDestination: hangs },
  });
  await world.service.calls['verify.start']({ slug: 'survival', destination: 'here', snapshot: 'latest', quick: true }, never);
  await settle();
  expect(world.service.running()).toEqual(['survival']);
  await store.setResting([{ slug: 'survival', name: 'Survival', quiesce, removed: false }]);
  await world.service.letGoOn();
  expect([resumes, store.resting()]).toEqual([1, []]);
});

test('a command by itself does not wait for ever for what a killed process left', async () => {
  const store = memoryStore(0);
  await store.setResting([{ slug: 'gone', name: 'Gone', quiesce: { kind: 'systemd', unit: 'a.service', user: false }, removed: true }]);
  const world = serviceWorld({ folder, store, quiesce: { resume: hangs } });
  const taken = world.service.takeUp();
  await world.clock.untilSomebodySleeps();
  await world.clock.advance(minute);
  await taken;
});

test('a run of the schedule that waited while a person had a backup made does nothing, and says so', async () => {
  const pauses: string[] = [];
  const verifying = Promise.withResolvers<void>();
  const quiesce = { kind: 'systemd', unit: 'a.service', user: false } as const;
  const world = serviceWorld({
    ...{ folder, servers: [{ quiesce, schedule: nightly }] },
    quiesce: { pause: () => Promise.resolve(void pauses.push('pause')) },
  });
  const { service, clock, engine, host } = world;
  const destinations = [engine.destination];
  let isLong = true;
  Object.assign(host, {
    openDestination: async () => {
      if (isLong) await verifying.promise;
      return destinations[0];
    },
  });
  const running = service.run(never);
  await clock.untilSomebodySleeps();
  const verify = world.ended('verify');
  await service.calls['verify.start']({ slug: 'survival', destination: 'here', snapshot: 'latest', quick: true }, never);
  // 23:00 comes while the verification goes on.
  await clock.advance(75 * minute);
  expect(service.status('survival').waiting).toMatchObject([{ reason: 'schedule' }]);
  const [first, second] = [world.ended('backup'), world.ended('backup')];
  await service.calls['backup.start']({ slug: 'survival', ...how }, never);
  isLong = false;
  verifying.resolve();
  await verify;
  expect(await first).toMatchObject({ reason: 'person', state: 'done' });
  expect(await second).toMatchObject({ reason: 'schedule', state: 'done', skipped: true, snapshot: null });
  expect(pauses).toEqual(['pause']);
  await settle();
  expect(service.status('survival')).toMatchObject({ last: { reason: 'person' }, nextRun: expect.any(Number) as number });
  await clock.advance(5 * minute);
  expect(world.store.jobs().filter(({ kind }) => kind === 'backup')).toHaveLength(2);
  void running;
});

test('one whose place has failed meanwhile is no such run', async () => {
  let isUp = true;
  const world = serviceWorld({ folder, servers: [{ schedule: nightly }] });
  const { service, clock, host, engine } = world;
  Object.assign(host, {
    openDestination: () => (isUp ? Promise.resolve(engine.destination) : Promise.reject(new Fault('unavailable', 'down'))),
  });
  const running = service.run(never);
  await clock.untilSomebodySleeps();
  isUp = false;
  const failed = world.ended('backup');
  await clock.advance(75 * minute);
  expect(await failed).toMatchObject({ state: 'failed', reason: 'schedule' });
  isUp = true;
  const ended = world.ended('backup');
  await clock.advance(15 * minute);
  expect(await ended).toMatchObject({ state: 'done', fault: null });
  expect((await ended).skipped).toBeUndefined();
  void running;
});
