import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ScheduleSettings } from '../../main/contract/schedule-settings.ts';
import type { ServerSettings } from '../../main/contract/server-settings.ts';
import { historyFromDestinations } from '../../main/engine/service/rebuild.ts';
import { placeCalls } from '../../main/engine/service/place-calls.ts';
import { memorySettings } from '../support/memory-settings.ts';
import { ScheduledWorld } from '../support/scheduled-world.ts';
import { memoryStore, server, serviceWorld, type ServiceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

const never = new AbortController().signal;
const future = Date.UTC(2099, 0, 1);
const place = { slug: 'survival', destination: 'here' };

/** A server that was backed up, once for each of these dates, in this order. */
async function backedUp(dates: readonly number[]): Promise<{ readonly world: ServiceWorld; readonly ids: readonly string[] }> {
  const folder = tempFolder();
  const world = serviceWorld({ folder, now: Date.now() });
  const ids: string[] = [];
  for (const time of dates) {
    writeFileSync(join(folder, 'world.dat'), `blocks of ${ids.length}`);
    ids.push((await world.engine.backup(folder, { server: 'Survival', time })).id);
  }
  return { world, ids };
}

test.each([
  ['that something was written after', [future, Date.now()], 1],
  ['that was written last', [Date.now() - 60_000, future], 1],
  ['alone', [future], 0],
])('with a snapshot of 2099 %s, the newest one is the last one written: on the page, and for another computer', async (_, dates, last) => {
  const { world, ids } = await backedUp(dates);
  const { calls } = world.service;
  const id = ids[last];
  expect(await calls['snapshot.newest'](place, never)).toMatchObject({ id, newest: true });
  const rows = await calls['snapshots.list'](place, never);
  expect(rows.filter(({ newest }) => newest).map((row) => row.id)).toEqual([id]);
  const { host } = memorySettings({ destinations: { here: { name: 'here', settings: { provider: 'folder', path: tempFolder() } } } });
  const other = placeCalls(
    host,
    world.engine.engine,
    (name) => world.host.openDestination(name),
    () => undefined,
  );
  expect(await other['destination.servers']({ name: 'here' }, never)).toMatchObject([{ name: 'Survival', newest: { id } }]);
});

test('a history that is rebuilt has no success in the future where there is one of the past', async () => {
  const now = Math.floor(Date.now() / 1000) * 1000;
  const { world } = await backedUp([now - 60_000, now, future]);
  const settings = server({ folder: tempFolder() });
  const { facts, jobs } = await historyFromDestinations(world.host, settings, new Map(), never);
  expect(facts).toMatchObject({ lastSuccess: now, places: { here: now }, unchangedSince: now });
  expect(jobs.map(({ queuedAt }) => queuedAt)).toEqual([future, now, now - 60_000]);
});

test('a history of nothing but the future is that', async () => {
  const { world } = await backedUp([future]);
  const { facts } = await historyFromDestinations(world.host, server({ folder: tempFolder() }), new Map(), never);
  expect(facts).toMatchObject({ lastSuccess: future, places: { here: future } });
});

test('a pause of an hour that was asked for while the clock was a year ahead ends an hour after the clock was set right', async () => {
  const hour = 3_600_000;
  const { service, clock } = serviceWorld({ folder: tempFolder(), servers: [{ schedule: { kind: 'daily', at: ['04:00'] } }] });
  await service.calls['server.pause']({ slug: 'survival', until: clock.now() + hour }, never);
  clock.jump(-365 * 24 * hour);
  // As it is looked at each minute.
  service.overdueSince('survival');
  expect(service.status('survival')).toMatchObject({ state: 'paused', pausedUntil: clock.now() + hour });
  clock.jump(hour / 2);
  service.overdueSince('survival');
  expect(service.status('survival').pausedUntil).toBe(clock.now() + hour / 2);
  clock.jump(hour / 2 + 1);
  expect(service.status('survival')).toMatchObject({ state: 'new', pausedUntil: null });
  // One until it is resumed stays so.
  await service.calls['server.pause']({ slug: 'survival', until: 0 }, never);
  clock.jump(-365 * 24 * hour);
  service.overdueSince('survival');
  expect(service.status('survival')).toMatchObject({ state: 'paused', pausedUntil: 0 });
});

const hour = 3_600_000;
const nightly: Partial<ServerSettings> & { readonly schedule: ScheduleSettings } = {
  ...{ schedule: { kind: 'daily', at: ['03:00'] }, verify: 'never', drill: 'never' },
};
const evening = Date.UTC(2026, 10, 23, 22, 0);

/** A nightly server whose last run was made by a clock that was five hours ahead: at 22:00, dated 03:00. */
function ahead(): { readonly folder: string; readonly store: ReturnType<typeof memoryStore> } {
  const folder = tempFolder();
  writeFileSync(join(folder, 'world.dat'), 'blocks');
  const store = memoryStore(evening - 30 * 24 * hour);
  const stamp = evening + 5 * hour + 60_000;
  store.changeFacts('survival', { lastSuccess: stamp, places: { here: stamp } });
  return { folder, store };
}

/** Until no job runs, which is at once where none was begun. */
async function idle({ service }: ServiceWorld): Promise<void> {
  while (service.running().length > 0) await new Promise((go) => setImmediate(go));
}

test.each([
  ['while the service runs on', 'on'],
  ['while the computer sleeps over it', 'asleep'],
  ['while another process begins just before it', 'restarted'],
  ['while the computer is off', 'off'],
])('a clock that was five hours ahead at a run and was set right skips no night: %s', async (_, how) => {
  const { folder, store } = ahead();
  const stop = new AbortController();
  const first = serviceWorld({ folder, store, now: evening, servers: [nightly] });
  const begun = first.service.run(stop.signal);
  await first.clock.untilSomebodySleeps();
  await first.clock.advance(10 * 60_000);
  if (how === 'on') await first.clock.advance(5 * hour + 10 * 60_000);
  else if (how === 'asleep') {
    first.clock.jump(10 * hour);
    await first.clock.advance(2 * 60_000);
  } else {
    stop.abort();
    await begun;
    const again = serviceWorld({
      folder,
      store,
      now: evening + (how === 'off' ? 10 : 4.5) * hour,
      servers: [nightly],
      engine: first.engine,
    });
    const end = new AbortController();
    const running = again.service.run(end.signal);
    await again.clock.untilSomebodySleeps();
    await again.clock.advance(hour);
    await idle(again);
    end.abort();
    await running;
  }
  await idle(first);
  stop.abort();
  await begun;
  expect(store.jobs()).toMatchObject([
    { kind: 'backup', state: 'done', reason: how === 'on' || how === 'restarted' ? 'schedule' : 'catch-up' },
  ]);
  expect(store.facts('survival').doubted).toBeNull();
});

test('anything that changes in the hour before it changes nothing of that', async () => {
  const { folder, store } = ahead();
  const { service, clock } = serviceWorld({ folder, store, now: evening, servers: [nightly] });
  const stop = new AbortController();
  const running = service.run(stop.signal);
  await clock.untilSomebodySleeps();
  await clock.advance(4.5 * hour);
  service.settingsChanged();
  expect(service.status('survival').nextRun).toBeLessThan(evening + 5.2 * hour);
  await clock.advance(hour);
  stop.abort();
  await running;
  expect(store.jobs()).toHaveLength(1);
});

test('a computer that shows 1970 until the network tells the time runs nothing twice for it', async () => {
  const { folder, store } = ahead();
  const lastSuccess = evening - hour;
  store.changeFacts('survival', { lastSuccess, places: { here: lastSuccess } });
  const { service, clock } = serviceWorld({ folder, store, now: 60_000, servers: [nightly] });
  const stop = new AbortController();
  const running = service.run(stop.signal);
  await clock.untilSomebodySleeps();
  expect(store.facts('survival').doubted).toMatchObject({ stamp: lastSuccess });
  clock.jump(evening);
  await clock.advance(5 * 60_000);
  stop.abort();
  await running;
  expect([store.jobs(), service.status('survival').state, store.facts('survival').doubted]).toEqual([[], 'ok', null]);
});

test('a failure that was stamped by a clock that was hours ahead puts off no night either', async () => {
  const world = new ScheduledWorld(evening, evening + 12 * hour, [{ slug: 'survival', schedule: nightly.schedule, zone: 'UTC' }]);
  world.successes.set('survival', evening - 19 * hour);
  world.failures.set('survival', { count: 1, at: evening + 5 * hour + 60_000, mayPass: false });
  // Looked at anew each time, as after each change of anything.
  world.weather = () => world.forget();
  await world.live(() => {
    world.failures.delete('survival');
    return true;
  });
  expect(world.runs.map(({ at }) => new Date(at).toISOString().slice(0, 13))).toEqual(['2026-11-24T03']);
});
