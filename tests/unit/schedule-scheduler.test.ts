import { describe, expect, test } from 'vitest';
import type { ScheduleSettings } from '../../main/contract/schedule-settings.ts';
import { jitterOf, nextDue, overdueFrom, type Standing } from '../../main/engine/schedule/due.ts';
import { occurrencesOf } from '../../main/engine/schedule/occurrences.ts';
import { ScheduledWorld } from '../support/scheduled-world.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const at = (text: string): number => Date.parse(text);

const nightly = occurrencesOf({ kind: 'daily', at: ['03:00'] }, 'UTC');
const standing = (more: Partial<Standing> = {}): Standing => ({
  since: at('2026-01-01T12:00:00Z'),
  lastSuccess: null,
  failures: null,
  ...more,
});

describe('due', () => {
  test('the first time after the schedule was made, then after each success', () => {
    expect(nextDue(standing(), nightly)).toBe(at('2026-01-02T03:00:00Z'));
    expect(nextDue(standing({ lastSuccess: at('2026-01-05T03:00:10Z') }), nightly)).toBe(at('2026-01-06T03:00:00Z'));
  });
  test('a failure that may pass is tried again after 10 minutes, then longer, at most 4 hours, and never later than the next time', () => {
    const failed = (count: number, when: string): number | null =>
      nextDue(standing({ failures: { count, at: at(when), mayPass: true } }), nightly);
    expect(failed(1, '2026-01-02T03:05:00Z')).toBe(at('2026-01-02T03:15:00Z'));
    expect(failed(2, '2026-01-02T03:20:00Z')).toBe(at('2026-01-02T03:40:00Z'));
    expect(failed(9, '2026-01-02T10:00:00Z')).toBe(at('2026-01-02T14:00:00Z'));
    expect(failed(9, '2026-01-03T01:00:00Z')).toBe(at('2026-01-03T03:00:00Z'));
  });
  test('a failure that a person must put right waits for the next time', () =>
    expect(nextDue(standing({ failures: { count: 1, at: at('2026-01-02T03:05:00Z'), mayPass: false } }), nightly)).toBe(
      at('2026-01-03T03:00:00Z'),
    ));
  test('overdue: two times have passed without success', () =>
    expect(overdueFrom({ since: 0, lastSuccess: at('2026-01-05T03:00:00Z') }, nightly)).toBe(at('2026-01-07T03:00:00Z')));
  test('jitter is the same each time, differs between servers, and is at most a tenth of the interval and ten minutes', () => {
    const hourly = occurrencesOf({ kind: 'every', hours: 1, minute: 0 }, 'UTC');
    const values = Array.from({ length: 200 }, (_, index) => jitterOf(`server-${index}`, hourly, at('2026-01-01T00:30:00Z')));
    expect(new Set(values).size).toBeGreaterThan(150);
    expect(Math.max(...values)).toBeLessThanOrEqual(6 * minute);
    expect(Math.max(...values.map((_, index) => jitterOf(`server-${index}`, nightly, 0)))).toBeLessThanOrEqual(10 * minute);
    expect(jitterOf('server-7', hourly, at('2027-06-01T00:30:00Z'))).toBe(values[7]);
  });
});

const one = (schedule: ScheduleSettings): ScheduledWorld['servers'] => [{ slug: 'survival', schedule, zone: 'UTC' }];
const times = (world: ScheduledWorld): string[] => world.runs.map((run) => `${new Date(run.at).toISOString().slice(0, 16)} ${run.reason}`);

test('a computer that was off for five days makes up for it once, after the start-up delay', async () => {
  const world = new ScheduledWorld(at('2026-01-10T09:00:00Z'), at('2026-01-11T06:00:00Z'), one({ kind: 'daily', at: ['03:00'] }));
  world.successes.set('survival', at('2026-01-05T03:00:00Z'));
  await world.live();
  expect(times(world)[0]).toBe('2026-01-10T09:01 catch-up');
  expect(world.runs).toHaveLength(2);
  expect(times(world)[1]).toMatch(/^2026-01-11T03:0\d schedule$/);
});

test('a run that takes longer than its interval is followed by one, not by all that fell due meanwhile', async () => {
  const world = new ScheduledWorld(at('2026-01-10T00:30:00Z'), at('2026-01-10T08:30:00Z'), one({ kind: 'every', hours: 1, minute: 0 }));
  let done: () => void = () => undefined;
  world.weather = () => {
    if (world.now >= at('2026-01-10T04:20:00Z')) done();
  };
  await world.live(() => (world.runs.length === 1 ? new Promise<boolean>((resolve) => (done = () => resolve(true))) : true));
  expect(times(world).map((text) => text.slice(11, 13))).toEqual(['01', '04', '05', '06', '07', '08']);
});

test('while paused nothing starts; afterwards one run makes up', async () => {
  const world = new ScheduledWorld(at('2026-01-10T00:00:00Z'), at('2026-01-13T02:00:00Z'), one({ kind: 'daily', at: ['03:00'] }));
  world.pausedUntil = at('2026-01-12T10:00:00Z');
  await world.live();
  expect(times(world)).toEqual(['2026-01-12T10:00 catch-up']);
});

test('a clock set back by three days does not stop the runs for three days, nor repeat one', async () => {
  const world = new ScheduledWorld(at('2026-01-10T00:00:00Z'), at('2026-01-12T06:00:00Z'), one({ kind: 'daily', at: ['03:00'] }));
  let set = false;
  world.weather = () => {
    if (set || world.now < at('2026-01-11T04:00:00Z')) return;
    set = true;
    world.now -= 3 * day;
  };
  await world.live();
  expect(times(world).map((text) => text.slice(0, 13))).toEqual([
    '2026-01-10T03',
    '2026-01-11T03',
    // Now it is the 8th.
    '2026-01-09T03',
    '2026-01-10T03',
    '2026-01-11T03',
    '2026-01-12T03',
  ]);
});

test('what is due next is told when it changes, and only then', async () => {
  const told: (number | null)[] = [];
  const world = new ScheduledWorld(at('2026-01-10T00:00:00Z'), at('2026-01-11T06:00:00Z'), one({ kind: 'daily', at: ['03:00'] }));
  world.onDue = (_, time) => told.push(time);
  await world.live();
  expect(told.map((time) => new Date(time ?? 0).toISOString().slice(0, 13))).toEqual(['2026-01-10T03', '2026-01-11T03', '2026-01-12T03']);
});

test('after a failure it is tried again soon, and the scheduler goes on', async () => {
  const world = new ScheduledWorld(at('2026-01-10T00:00:00Z'), at('2026-01-10T06:00:00Z'), one({ kind: 'every', hours: 1, minute: 0 }));
  await world.live((slug) => {
    world.failures.delete(slug);
    if (world.runs.length === 1) world.failures.set(slug, { count: 1, at: world.now, mayPass: true });
    return world.runs.length > 1;
  });
  expect(times(world).map((text) => text.slice(11, 13))).toEqual(['01', '01', '02', '03', '04', '05']);
});

test('a clock that was a year ahead when the service began, and is set right, keeps nothing from being made up for', async () => {
  const world = new ScheduledWorld(at('2027-01-01T12:00:00Z'), at('2026-01-04T12:00:00Z'), one({ kind: 'daily', at: ['03:00'] }));
  // The first sleep would end it: it is later than the end until the clock has been set.
  let wakes = 0;
  world.weather = () => {
    wakes += 1;
    if (wakes === 1) world.now -= 365 * day;
    // The computer sleeps over the first time that is due.
    if (wakes === 3) world.now += 20 * hour;
  };
  await world.live();
  expect(times(world).map((text) => text.replace(/:\d\d /, ' '))).toEqual([
    '2026-01-02T08 catch-up',
    '2026-01-03T03 schedule',
    '2026-01-04T03 schedule',
  ]);
});
