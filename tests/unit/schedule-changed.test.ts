import { expect, test } from 'vitest';
import type { ScheduleSettings } from '../../main/contract/schedule-settings.ts';
import { memoryStore, server, serviceWorld, type ServiceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

const hour = 3_600_000;
const day = 24 * hour;
const now = Date.UTC(2026, 10, 23, 22, 10);
const monthly: ScheduleSettings = { kind: 'cron', expression: '0 3 1 * *' };
const hourly: ScheduleSettings = { kind: 'every', hours: 1, minute: 0 };

/** A server whose schedule is changed as a command or an edit by hand does it. */
function changing(
  schedule: ScheduleSettings,
  store: ReturnType<typeof memoryStore>,
): ServiceWorld & { to: (other: ScheduleSettings) => void } {
  const folder = tempFolder();
  let servers = [server({ folder, schedule })];
  const world = serviceWorld({ folder, store, now, host: { servers: () => servers } });
  return Object.assign(world, {
    to(other: ScheduleSettings) {
      servers = [server({ folder, schedule: other })];
      world.service.settingsChanged();
    },
  });
}

const twoHoursOn = Date.UTC(2026, 10, 24, 0, 0);

test.each([
  ['that was backed up weeks ago', { lastSuccess: now - 20 * day }, 'ok'],
  ['that never was', {}, 'new'],
])(
  'a server %s is not overdue at once when it is to be backed up more often: two intervals are counted from the change',
  (_, facts, state) => {
    const store = memoryStore(now - 25 * day);
    store.changeFacts('survival', facts);
    const world = changing(monthly, store);
    const { service, clock } = world;
    expect(service.status('survival').state).toBe(state);
    world.to(hourly);
    expect([service.status('survival').state, service.overdueSince('survival')]).toEqual([state, twoHoursOn]);
    clock.jump(hour);
    // Another change that is none of the schedule does not put it off.
    service.settingsChanged();
    expect(service.overdueSince('survival')).toBe(twoHoursOn);
    clock.jump(hour);
    expect(service.status('survival').state).toBe('overdue');
  },
);

test('one that was changed by hand while nothing ran counts from the next start, and one from before this was known as ever', () => {
  const store = memoryStore(now - 25 * day);
  store.changeFacts('survival', { lastSuccess: now - 20 * day });
  expect(changing(hourly, store).service.status('survival').state).toBe('overdue');
  expect(changing(monthly, store).service.status('survival').state).toBe('ok');
  expect(changing(hourly, store).service.overdueSince('survival')).toBe(twoHoursOn);
});

test('a change that a clock dated which was days ahead puts nothing off', () => {
  const store = memoryStore(now - 25 * day);
  store.changeFacts('survival', { lastSuccess: now - 20 * day });
  const world = changing(monthly, store);
  expect(world.service.status('survival').state).toBe('ok');
  world.clock.jump(5 * day);
  world.to(hourly);
  world.clock.jump(-5 * day);
  expect(world.service.status('survival').state).toBe('overdue');
});
