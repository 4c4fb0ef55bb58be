import { describe, expect, test } from 'vitest';
import { lower, parseBandwidth, ratesAt, type Rates } from '../../main/engine/schedule/bandwidth-timetable.ts';
import { runBandwidth } from '../../main/engine/service/bandwidth.ts';
import { emptySettings } from '../../main/contract/settings.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { fakeClock } from '../support/fake-clock.ts';

const kib = 1024;
const mib = 1024 * kib;
/** Monday 2026-11-23, UTC. */
const at = (text: string, day = 0): number => Date.UTC(2026, 10, 23 + day, Number(text.slice(0, 2)), Number(text.slice(3)));
const rates = (text: string, time: string, day = 0, zone = 'UTC'): Rates => ratesAt(parseBandwidth(text), at(time, day), zone);

describe('as rclone documents its --bwlimit', () => {
  test.each([
    ['10M', { up: 10 * mib, down: 10 * mib }],
    ['512', { up: 512 * kib, down: 512 * kib }],
    ['1.5M', { up: 1.5 * mib, down: 1.5 * mib }],
    ['10M:100k', { up: 10 * mib, down: 100 * kib }],
    ['off:1M', { down: mib }],
    ['10M:off', { up: 10 * mib }],
    ['off', {}],
    ['0', {}],
    ['100B', { up: 100, down: 100 }],
    ['1MiB', { up: mib, down: mib }],
  ])('%s', (text, expected) => {
    expect(rates(text, '12:00')).toEqual(expected);
  });

  const day = '08:00,512k 12:00,10M 13:00,512k 18:00,30M 23:00,off';
  test.each([
    ['08:00', 512 * kib],
    ['11:59', 512 * kib],
    ['12:00', 10 * mib],
    ['13:30', 512 * kib],
    ['18:00', 30 * mib],
    ['22:59', 30 * mib],
    ['23:00', undefined],
    ['07:59', undefined],
    ['00:00', undefined],
  ])('its timetable at %s', (time, up) => {
    expect(rates(day, time).up).toBe(up);
    expect(rates(day, time, 6).up).toBe(up);
  });

  test('its week: each entry until the next, over the end of the week', () => {
    const week = 'Mon-00:00,512 Fri-23:59,10M Sat-10:00,1M Sun-20:00,off';
    expect([rates(week, '00:00').up, rates(week, '12:00', 4).up, rates(week, '09:00', 5).up]).toEqual([512 * kib, 512 * kib, 10 * mib]);
    expect([rates(week, '12:00', 5).up, rates(week, '19:00', 6).up, rates(week, '21:00', 6).up]).toEqual([mib, mib, undefined]);
    expect(rates('Wed-10:00,1M', '09:00', 1)).toEqual({ up: mib, down: mib });
    expect(rates('08:00,1M Sat-09:00,off', '10:00', 5)).toEqual({});
  });

  test('the clock is that of the zone', () => {
    expect(rates('08:00,1M 20:00,off', '23:00', 0, 'Asia/Tokyo')).toEqual({ up: mib, down: mib });
    expect(rates('08:00,1M 20:00,off', '22:00', 0, 'Asia/Tokyo')).toEqual({});
  });

  test.each(['', 'fast', '10X', '-1M', '10M:1M:1M', '25:00,1M', '08:00,1M 10M', 'Day-08:00,1M', '08:60,1M', '1e99P'])(
    '%s is refused',
    async (text) => {
      expect(await codeOf(Promise.resolve().then(() => parseBandwidth(text)))).toBe('config-invalid');
    },
  );
});

test('of two limits the lower counts, each way', () => {
  expect(lower({ up: 5 }, { up: 7, down: 3 })).toEqual({ up: 5, down: 3 });
  expect(lower({}, {})).toEqual({});
});

test('a running service follows the timetable, and goes lower while somebody plays on a server that is worked on', async () => {
  const clock = fakeClock({ now: at('07:59') });
  const set: unknown[] = [];
  const end = new AbortController();
  let running: readonly string[] = [];
  let players = 0;
  let bandwidth = { limit: '08:00,10M 20:00,off', whilePlayers: '1M:off' };
  const run = runBandwidth({
    clock,
    signal: end.signal,
    limiter: { layer: (inner) => inner, setLimits: (limits) => set.push(limits) },
    settings: { current: () => ({ ...emptySettings, bandwidth }), changed: () => end.signal },
    zone: 'UTC',
    running: () => running,
    players: () => (players < 0 ? Promise.reject(new Error('it hangs')) : Promise.resolve(players)),
  });
  await clock.advance(60_000);
  running = ['survival'];
  players = 2;
  await clock.advance(20_000);
  players = -1;
  await clock.advance(20_000);
  players = 1;
  await clock.advance(20_000);
  running = [];
  await clock.advance(20_000);
  bandwidth = { limit: 'nonsense', whilePlayers: 'off' };
  await clock.advance(20_000);
  end.abort();
  await run;
  const ten = { up: 10 * mib, down: 10 * mib };
  const one = { up: mib, down: 10 * mib };
  expect(set).toEqual([{}, ten, one, ten, one, ten, {}]);
});
