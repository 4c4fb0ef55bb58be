import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { openStateFile } from '../../main/adapters/state/state-file.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Job } from '../../main/contract/jobs.ts';
import { movableClock, world as realEngine } from '../support/engine-on-memory.ts';
import { fakeClock, settle } from '../support/fake-clock.ts';
import { serviceWorld, type ServiceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

let folder = '';
beforeEach(() => {
  folder = tempFolder();
  writeFileSync(join(folder, 'world.dat'), 'blocks');
});

const minute = 60_000;
const never = new AbortController().signal;

async function backup(world: ServiceWorld): Promise<Job> {
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: true, takeOver: false }, never);
  const job = await ended;
  await settle();
  return job;
}

/** Settles once the server is told of with snapshots of this place in its history. */
function untilKnown({ service, store }: ServiceWorld, place: string): Promise<void> {
  const isKnown = (): boolean => store.jobs().some(({ rebuilt, places }) => rebuilt === true && places?.some(({ name }) => name === place));
  return new Promise((resolve) => {
    service.subscribe((event) => {
      if (event.event === 'server' && isKnown()) resolve();
    });
  });
}

test('a state that was deleted comes back from the snapshots of all places: history, last success, and what is due next', async () => {
  const time = movableClock();
  const [here, away] = [realEngine({ clock: time }), realEngine({ clock: time })];
  let isUp = true;
  const openDestination: ServiceWorld['host']['openDestination'] = (name) => {
    if (name === 'here') return Promise.resolve(here.destination);
    return isUp
      ? Promise.resolve({ ...away.destination, settings: { place: 'away' } })
      : Promise.reject(new Fault('unavailable', 'the line is down'));
  };
  const servers = [{ destinations: ['here', 'away'], schedule: { kind: 'cron' as const, expression: '0 0 1 1 *' } }];
  const first = serviceWorld({ folder, engine: here, servers, host: { openDestination } });
  const before: Job[] = [];
  for (let run = 0; run < 3; run += 1) {
    writeFileSync(join(folder, 'world.dat'), `blocks ${run}`);
    isUp = run < 2;
    // From three hours ago to now.
    time.offset = (run - 3) * 60 * minute;
    before.unshift(await backup(first));
  }
  expect(before.map(({ state }) => state)).toEqual(['failed', 'done', 'done']);

  // Another process, with nothing of its own; one of the places cannot be reached yet.
  const path = join(tempFolder(), 'state.json');
  const clock = fakeClock();
  const store = await openStateFile({ path, restingPath: `${path}.at-rest`, clock, onProblem: (message) => expect.fail(message) });
  const problems: string[] = [];
  const onProblem = (message: string): void => void problems.push(message);
  const now = Date.now();
  const second = serviceWorld({
    ...{ folder, engine: here, servers, now, store: Object.assign(store, { puts: [] }) },
    host: { openDestination, onProblem },
  });
  const known = untilKnown(second, 'here');
  const stop = new AbortController();
  const running = second.service.run(stop.signal);
  await known;
  const rebuilt = (): readonly Job[] => store.jobs().filter((job) => job.rebuilt === true);
  const idsHere = before.map(({ places }) => places?.find(({ name }) => name === 'here')?.snapshot);
  expect(rebuilt().map(({ snapshot }) => snapshot)).toEqual(idsHere);
  expect(rebuilt()).toHaveLength(3);
  expect(rebuilt()[0]).toMatchObject({ kind: 'backup', state: 'done', bytes: 8, files: 1, fault: null, places: [{ name: 'here' }] });
  const newest = rebuilt()[0]?.startedAt ?? 0;
  expect(Math.abs(newest - now)).toBeLessThan(70 * minute);
  const status = second.service.status('survival');
  expect(status).toMatchObject({ state: 'ok', lastSuccess: newest, bytes: 8 });
  expect(status.nextRun).toBeGreaterThan(newest);
  expect(problems).toEqual(['the history of Survival could not be rebuilt']);

  // It is asked again once it may be there, and what is known stays known.
  isUp = true;
  const more = untilKnown(second, 'away');
  await second.clock.untilSomebodySleeps();
  await second.clock.advance(31 * minute);
  await more;
  const inAway = rebuilt().flatMap(({ places }) => (places ?? []).filter(({ name }) => name === 'away'));
  expect(inAway.map(({ snapshot }) => snapshot)).toEqual(
    before.slice(1).map(({ places }) => places?.find(({ name }) => name === 'away')?.snapshot),
  );
  // Of what the places hold of one run, one backup.
  expect([problems.length, rebuilt().length]).toEqual([1, 3]);
  stop.abort();
  await running;
  await store.flush();
  const again = await openStateFile({ path, restingPath: `${path}.at-rest`, clock, onProblem: (message) => expect.fail(message) });
  expect(again.jobs()).toEqual(store.jobs());
});

test('what the places tell is put among what has run since, and nothing is there twice', async () => {
  const store = await openStateFile({
    path: join(tempFolder(), 'state.json'),
    restingPath: join(tempFolder(), 'at-rest.json'),
    clock: fakeClock(),
    onProblem: (message) => expect.fail(message),
  });
  const job = (id: string, queuedAt: number): Job => ({
    ...{ id, kind: 'backup', server: 'survival', destination: null, state: 'done', reason: 'person', queuedAt, startedAt: queuedAt },
    ...{
      endedAt: queuedAt,
      progress: null,
      summary: '',
      snapshot: null,
      unchanged: false,
      bytes: 0,
      storedBytes: 0,
      warnings: [],
      fault: null,
    },
  });
  store.putJob(job('b', 20));
  store.putJob(job('d', 40));
  store.putRebuilt('survival', [{ ...job('x', 5), rebuilt: true }]);
  store.putRebuilt('survival', [
    { ...job('c', 30), rebuilt: true },
    { ...job('a', 10), rebuilt: true },
  ]);
  expect(store.jobs().map(({ id }) => id)).toEqual(['d', 'c', 'b', 'a']);
  await store.flush();
});
