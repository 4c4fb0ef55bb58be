import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { lookAfterServers } from '../../main/compose/service/look-after.ts';
import type { Notifier } from '../../main/engine/service/notifier.ts';
import { settle } from '../support/fake-clock.ts';
import { serviceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

let folder = '';
beforeEach(() => {
  folder = tempFolder();
  writeFileSync(join(folder, 'world.dat'), 'blocks');
});

const minute = 60_000;
const hour = 60 * minute;
const never = new AbortController().signal;

test('a backup that runs past the time of the next one is late, says so by itself, and is followed by one run, not by all that fell due', async () => {
  const goOn = Promise.withResolvers<void>();
  const pauses: number[] = [];
  const world = serviceWorld({
    folder,
    servers: [{ schedule: { kind: 'every', hours: 1, minute: 0 }, quiesce: { kind: 'systemd', unit: 'a.service', user: false } }],
    quiesce: {
      pause: () => {
        pauses.push(world.clock.now());
        return pauses.length === 1 ? goOn.promise : Promise.resolve();
      },
    },
  });
  // The last one ended just now: it is not overdue before two hours have passed.
  world.store.changeFacts('survival', { lastSuccess: world.clock.now() });
  const { clock, service, store } = world;
  const stop = new AbortController();
  const problem = (message: string): void => expect.fail(message);
  const notifier = { look: () => undefined } as unknown as Notifier;
  const running = Promise.all([
    service.run(stop.signal),
    lookAfterServers({ clock, store, service, notifier, onProblem: problem }, stop.signal),
  ]);
  const states = (): string[] => world.events.flatMap(({ event, data }) => (event === 'server' ? [data.state] : []));
  await clock.advance(hour + 30 * minute);
  expect([pauses.length, states().at(-1)]).toEqual([1, 'running']);
  // 23:00 and what is due at midnight, give or take its ten minutes.
  await clock.advance(31 * minute);
  expect([pauses.length, states().at(-1)]).toEqual([1, 'late']);
  expect(service.status('survival')).toMatchObject({
    state: 'late',
    running: { kind: 'backup' },
    why: expect.stringContaining('past') as string,
  });
  await clock.advance(5 * hour);
  expect([pauses.length, service.status('survival').waiting]).toEqual([1, []]);

  const [first, second] = [world.ended('backup'), world.ended('drill')];
  goOn.resolve();
  expect((await first).state).toBe('done');
  await second;
  const next = world.ended('backup');
  await clock.advance(minute);
  expect((await next).state).toBe('done');
  await settle();
  await clock.advance(30 * minute);
  expect(pauses).toHaveLength(2);
  stop.abort();
  await running;
});

test('what comes next is there at once, also of a server that was added while the service runs', async () => {
  const world = serviceWorld({ folder, servers: [{ schedule: { kind: 'daily', at: ['23:00'] } }] });
  expect(world.service.status('survival').nextRun).toBeNull();
  const stop = new AbortController();
  const running = world.service.run(stop.signal);
  await world.clock.untilSomebodySleeps();
  const ended = world.ended('backup');
  await world.clock.advance(75 * minute);
  await ended;
  await settle();
  // The schedule looks again in half a minute.
  expect(new Date(world.service.status('survival').nextRun ?? 0).toISOString()).toMatch(/^2026-11-24T23:0/);
  await world.service.calls['server.pause']({ slug: 'survival', until: Date.UTC(2026, 10, 30) }, never);
  expect(world.service.status('survival').nextRun).toBe(Date.UTC(2026, 10, 30));
  stop.abort();
  await running;
});
