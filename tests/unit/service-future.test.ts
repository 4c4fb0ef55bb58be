import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { historyFromDestinations } from '../../main/engine/service/rebuild.ts';
import { placeCalls } from '../../main/engine/service/place-calls.ts';
import { memorySettings } from '../support/memory-settings.ts';
import { server, serviceWorld, type ServiceWorld } from '../support/service-world.ts';
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
