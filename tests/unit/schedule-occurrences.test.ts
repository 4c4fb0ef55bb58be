import { describe, expect, test } from 'vitest';
import type { ScheduleSettings } from '../../main/contract/schedule-settings.ts';
import { nextOccurrences, occurrencesOf } from '../../main/engine/schedule/occurrences.ts';
import { codeOf } from '../conformance/suite-support.ts';

const from = (text: string): number => Date.parse(text);

/** The next `count` after `time`, as ISO to the minute. */
function next(schedule: ScheduleSettings, zone: string, time: string, count: number): string[] {
  return nextOccurrences(occurrencesOf(schedule, zone), from(time), count).map((at) => new Date(at).toISOString().slice(0, 16));
}

const daily = (...at: string[]): ScheduleSettings => ({ kind: 'daily', at });

describe('on ordinary days', () => {
  test('manual never', () => expect(next({ kind: 'manual' }, 'UTC', '2026-01-01T00:00:00Z', 3)).toEqual([]));
  test('daily at several times, by the clock of the zone', () =>
    expect(next(daily('22:00', '03:30'), 'Europe/Berlin', '2026-01-10T02:30:00Z', 3)).toEqual([
      '2026-01-10T21:00',
      '2026-01-11T02:30',
      '2026-01-11T21:00',
    ]));
  test('every six hours from midnight', () =>
    expect(next({ kind: 'every', hours: 6, minute: 15 }, 'Asia/Kolkata', '2026-01-10T00:00:00Z', 3)).toEqual([
      '2026-01-10T00:45',
      '2026-01-10T06:45',
      '2026-01-10T12:45',
    ]));
  test('weekly on two days, Sunday being one', () =>
    expect(next({ kind: 'weekly', on: ['sun', 'wed'], at: '04:00' }, 'UTC', '2026-11-27T00:00:00Z', 3)).toEqual([
      '2026-11-29T04:00',
      '2026-12-02T04:00',
      '2026-12-06T04:00',
    ]));
  test('an occurrence is later than the time asked for, not at it', () =>
    expect(next(daily('03:00'), 'UTC', '2026-01-10T03:00:00Z', 1)).toEqual(['2026-01-11T03:00']));
});

describe('when clocks go forward (Berlin, 29 March 2026, 2:00 to 3:00)', () => {
  const zone = 'Europe/Berlin';
  test('a time in the gap runs once, later by the gap', () =>
    expect(next(daily('02:30'), zone, '2026-03-28T12:00:00Z', 2)).toEqual(['2026-03-29T01:30', '2026-03-30T00:30']));
  test('two times in the gap run once each, and in order with those behind it', () =>
    expect(next({ kind: 'cron', expression: '15,45 2,3 * * *' }, zone, '2026-03-28T12:00:00Z', 4)).toEqual([
      // 3:15 and 3:45 come once, although 2:15 and 2:45 have moved there too.
      '2026-03-29T01:15',
      '2026-03-29T01:45',
      '2026-03-30T00:15',
      '2026-03-30T00:45',
    ]));
  test('a moved time behind an unmoved one is not lost', () =>
    expect(next({ kind: 'cron', expression: '5,50 2,3 * * *' }, zone, '2026-03-29T01:05:00Z', 1)).toEqual(['2026-03-29T01:50']));
  test('each real hour', () =>
    expect(next({ kind: 'every', hours: 1, minute: 0 }, zone, '2026-03-29T00:30:00Z', 2)).toEqual([
      '2026-03-29T01:00',
      '2026-03-29T02:00',
    ]));
  test('midnight that does not exist (Havana, 8 March 2026)', () =>
    expect(next(daily('00:00'), 'America/Havana', '2026-03-07T12:00:00Z', 2)).toEqual(['2026-03-08T05:00', '2026-03-09T04:00']));
});

describe('when clocks go back (Berlin, 25 October 2026, 3:00 to 2:00)', () => {
  const zone = 'Europe/Berlin';
  test('a time that comes twice runs at its first coming only', () =>
    expect(next(daily('02:30'), zone, '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30', '2026-10-26T01:30']));
  test('asked between the two comings, it is not due again', () =>
    expect(next(daily('02:30'), zone, '2026-10-25T00:45:00Z', 1)).toEqual(['2026-10-26T01:30']));
  test('each real hour, the one that comes twice twice', () =>
    expect(next({ kind: 'cron', expression: '0 * * * *' }, zone, '2026-10-24T23:30:00Z', 3)).toEqual([
      '2026-10-25T00:00',
      '2026-10-25T01:00',
      '2026-10-25T02:00',
    ]));
});

const hourly = (minute: number): ScheduleSettings => ({ kind: 'every', hours: 1, minute });
const cron = (expression: string): ScheduleSettings => ({ kind: 'cron', expression });

describe.each([
  // Lord Howe moves by half an hour: from 2:00 (15:30 UTC) on 4 October 2026 to 2:30, and back from 2:00 (15:00 UTC) on 5 April to 1:30.
  ['Australia/Lord_Howe', '2026-10-03T14:00', hourly(15), ['14:45', '15:45', '16:15', '17:15']],
  ['Australia/Lord_Howe', '2026-10-03T14:00', hourly(0), ['14:30', '15:30', '16:00', '17:00']],
  ['Australia/Lord_Howe', '2026-10-03T14:00', hourly(45), ['14:15', '15:15', '15:45', '16:45']],
  ['Australia/Lord_Howe', '2026-04-04T13:30', hourly(15), ['14:15', '15:45', '16:45', '17:45']],
  ['Australia/Lord_Howe', '2026-04-04T13:30', hourly(45), ['13:45', '14:45', '15:15', '16:15']],
  ['Europe/Berlin', '2026-03-28T23:45', hourly(30), ['00:30', '01:30', '02:30', '03:30']],
  ['Europe/Berlin', '2026-10-24T23:30', hourly(30), ['00:30', '01:30', '02:30', '03:30']],
  ...['*', '*/1', '0-23', '0-23/1'].flatMap((hours) => [
    ['Europe/Berlin', '2026-10-24T23:30', cron(`0 ${hours} * * *`), ['00:00', '01:00', '02:00', '03:00']] as const,
    ['Europe/Berlin', '2026-03-28T23:30', cron(`0 ${hours} * * *`), ['00:00', '01:00', '02:00', '03:00']] as const,
  ]),
] as const)('in %s, from %s, %j', (zone, time, schedule, times) => {
  test(`comes at ${times.join(', ')}`, () => expect(next(schedule, zone, `${time}:00Z`, 4).map((at) => at.slice(11))).toEqual([...times]));
});

test('over 2,000 days in six zones, a daily time comes once on each day', () => {
  for (const zone of [
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'America/Havana',
    'Asia/Kathmandu',
    'Africa/Casablanca',
  ]) {
    for (const at of ['00:15', '02:10', '02:59']) {
      const found = nextOccurrences(occurrencesOf(daily(at), zone), from('2026-01-01T12:00:00Z'), 2000);
      const days = found.map((time) => new Date(time).toLocaleDateString('sv', { timeZone: zone }));
      expect([zone, at, new Set(days).size]).toEqual([zone, at, 2000]);
      for (const [index, time] of found.entries()) {
        const apart = index === 0 ? 24 : (time - (found[index - 1] ?? 0)) / 3_600_000;
        expect(apart).toBeGreaterThan(21);
        expect(apart).toBeLessThan(27);
      }
    }
  }
});

test.each(['', '* * *', '* * * * * *', '61 * * * *', '0 0 * * boo', '@daily'])('%j is no cron expression', async (expression) => {
  expect(await codeOf(Promise.resolve().then(() => occurrencesOf({ kind: 'cron', expression }, 'UTC')))).toBe('config-invalid');
});

test('a date that never comes', () =>
  expect(next({ kind: 'cron', expression: '0 0 30 2 *' }, 'UTC', '2026-01-01T00:00:00Z', 1)).toEqual([]));

test('an unknown zone', async () => {
  expect(await codeOf(Promise.resolve().then(() => occurrencesOf({ kind: 'manual' }, 'Mars/Olympus')))).toBe('config-invalid');
});
