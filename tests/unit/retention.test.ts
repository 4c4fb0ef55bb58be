import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RetentionPolicy } from '../../main/contract/reports.ts';
import { decideRetention } from '../../main/engine/retention/decide.ts';
import type { RetentionCandidate } from '../../main/engine/retention/decide.ts';
import { describePolicy } from '../../main/engine/retention/describe.ts';
import { isoWeek } from '../../main/engine/retention/local-time.ts';
import { parseCount, ruleNames } from '../../main/engine/retention/policy.ts';

const now = Date.parse('2026-11-23T12:00:00Z');
const utc = { zone: 'UTC', now };
const at = (time: string, more: Partial<RetentionCandidate> = {}): RetentionCandidate => ({
  id: time,
  time: Date.parse(time),
  complete: true,
  ...more,
});
const reasonsOf = (
  snapshots: readonly RetentionCandidate[],
  policy: RetentionPolicy,
  frame = utc,
): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(decideRetention(snapshots, policy, frame).keep.map(({ id, reasons }) => [id, reasons]));

describe('retention', () => {
  it('keeps everything without a policy', () => {
    const snapshots = [at('2020-01-01T00:00:00Z'), at('2021-01-01T00:00:00Z')];
    for (const policy of [{}, { last: 0, daily: 0 }]) {
      expect(reasonsOf(snapshots, policy)).toEqual({ '2020-01-01T00:00:00Z': ['no policy'], '2021-01-01T00:00:00Z': ['no policy'] });
    }
  });

  it('never counts nor touches incomplete and damaged snapshots', () => {
    const snapshots = [
      at('2026-11-22T12:00:00Z', { complete: false, pinned: true }),
      at('2026-11-22T11:00:00Z', { damaged: true }),
      at('2026-11-22T10:00:00Z'),
      at('2026-11-21T10:00:00Z'),
      at('2026-11-20T10:00:00Z', { damaged: true }),
    ];
    const decision = decideRetention(snapshots, { last: 1 }, utc);
    expect(decision.keep.map(({ id }) => id)).toEqual(['2026-11-22T10:00:00Z']);
    expect(decision.remove.map(({ id }) => id)).toEqual(['2026-11-21T10:00:00Z']);
    expect(decision.ignored.map(({ id }) => id)).toEqual(['2026-11-22T12:00:00Z', '2026-11-22T11:00:00Z', '2026-11-20T10:00:00Z']);
  });

  it('does not take a damaged snapshot for the oldest', () => {
    const snapshots = [at('2026-11-22T10:00:00Z'), at('2026-11-22T09:00:00Z'), at('2026-11-22T08:00:00Z', { damaged: true })];
    expect(reasonsOf(snapshots, { daily: 5 })).toEqual({
      '2026-11-22T10:00:00Z': ['daily snapshot'],
      '2026-11-22T09:00:00Z': ['oldest daily snapshot'],
    });
  });

  it('keeps pinned snapshots and counts them', () => {
    const snapshots = [
      at('2026-11-22T10:00:00Z', { pinned: true }),
      at('2026-11-21T10:00:00Z'),
      at('2020-11-21T10:00:00Z', { pinned: true }),
    ];
    expect(reasonsOf(snapshots, { last: 1 })).toEqual({
      '2026-11-22T10:00:00Z': ['pinned', 'last snapshot'],
      '2020-11-21T10:00:00Z': ['pinned'],
    });
  });

  it('keeps snapshots from the future and counts by none of them', () => {
    const snapshots = [at('2030-01-01T00:00:00Z'), at('2026-11-23T12:00:00.001Z'), at('2026-11-23T12:00:00Z'), at('2026-11-22T12:00:00Z')];
    expect(reasonsOf(snapshots, { last: 1 })).toEqual({
      '2030-01-01T00:00:00Z': ['dated in the future'],
      '2026-11-23T12:00:00.001Z': ['dated in the future'],
      '2026-11-23T12:00:00Z': ['last snapshot'],
    });
  });

  it('takes the greater id of two snapshots of one moment for the newer', () => {
    const time = Date.parse('2026-11-22T10:00:00Z');
    const snapshots = ['b', 'c', 'a'].map((id) => ({ id, time, complete: true }));
    expect(decideRetention(snapshots, { last: 2 }, utc).keep.map(({ id }) => id)).toEqual(['c', 'b']);
  });

  it('counts days where the server stands', () => {
    const snapshots = [at('2026-11-22T22:30:00Z'), at('2026-11-22T23:30:00Z')];
    expect(decideRetention(snapshots, { daily: 1 }, { zone: 'UTC', now }).remove).toHaveLength(1);
    expect(reasonsOf(snapshots, { daily: 2 }, { zone: 'Europe/Berlin', now })).toEqual({
      '2026-11-22T23:30:00Z': ['daily snapshot'],
      '2026-11-22T22:30:00Z': ['daily snapshot'],
    });
  });

  it('takes the hour that comes twice for one', () => {
    const snapshots = [at('2026-10-25T00:30:00Z'), at('2026-10-25T01:30:00Z'), at('2026-10-24T22:30:00Z')];
    const { remove } = decideRetention(snapshots, { hourly: 2 }, { zone: 'Europe/Berlin', now });
    expect(remove.map(({ id }) => id)).toEqual(['2026-10-25T00:30:00Z']);
  });

  it.each([-2, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3' as unknown as number])('refuses a count of %s', (count) => {
    for (const rule of ruleNames) {
      expect(() => decideRetention([], { [rule]: count }, utc)).toThrow(expect.objectContaining({ code: 'config-invalid' }));
    }
  });

  it('refuses an unknown zone and a time that is none, even without snapshots or a policy', () => {
    const refused = expect.objectContaining({ code: 'config-invalid' });
    expect(() => decideRetention([], {}, { zone: 'Mars/Olympus', now })).toThrow(refused);
    expect(() => decideRetention([{ id: 'x', time: Number.NaN, complete: true }], {}, utc)).toThrow(refused);
  });
});

const snapshotsArbitrary = fc.uniqueArray(
  fc.record({
    id: fc.stringMatching(/^[0-9a-f]{1,6}$/),
    time: fc.oneof(
      fc.integer({ min: Date.parse('2016-01-01'), max: Date.parse('2027-06-01') }),
      fc.integer({ min: 0, max: 400 }).map((hours) => now - hours * 1_800_000),
    ),
    complete: fc.integer({ min: 0, max: 9 }).map((chance) => chance !== 0),
    damaged: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
    pinned: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
  }),
  { selector: ({ id }) => id, maxLength: 60 },
);
const countArbitrary = fc.option(
  fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 12 }) }, { weight: 1, arbitrary: fc.constant(-1) }),
  { nil: 0 },
);
const policyArbitrary = fc.record({
  last: countArbitrary,
  hourly: countArbitrary,
  daily: countArbitrary,
  weekly: countArbitrary,
  monthly: countArbitrary,
  yearly: countArbitrary,
});
const zoneArbitrary = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Kiritimati',
);

describe('retention, whatever the snapshots', () => {
  it('splits them into kept, removed and ignored, and leaves the input as it is', () => {
    fc.assert(
      fc.property(snapshotsArbitrary, policyArbitrary, zoneArbitrary, (snapshots, policy, zone) => {
        const before = structuredClone(snapshots);
        const { keep, remove, ignored } = decideRetention(Object.freeze(snapshots), policy, { zone, now });
        expect([...keep, ...remove, ...ignored].map(({ id }) => id).sort()).toEqual(snapshots.map(({ id }) => id).sort());
        expect(snapshots).toEqual(before);
        for (const { reasons } of keep) expect(reasons.length).toBeGreaterThan(0);
      }),
    );
  });

  it('never removes the newest whole one, a pinned one, one from the future, or an ignored one', () => {
    fc.assert(
      fc.property(snapshotsArbitrary, policyArbitrary, zoneArbitrary, (snapshots, policy, zone) => {
        const removed = new Set(decideRetention(snapshots, policy, { zone, now }).remove.map(({ id }) => id));
        const whole = snapshots.filter(({ complete, damaged }) => complete && !damaged);
        const newest = whole.filter(({ time }) => time <= now).reduce((best, { time }) => Math.max(best, time), -Infinity);
        expect(whole.filter(({ time }) => time === newest).every(({ id }) => removed.has(id))).toBe(newest === -Infinity);
        for (const { id, time, pinned, damaged, complete } of snapshots)
          if (pinned || damaged || !complete || time > now) expect(removed.has(id)).toBe(false);
      }),
    );
  });

  it('keeps no more for a rule than the rule says', () => {
    fc.assert(
      fc.property(snapshotsArbitrary, policyArbitrary, zoneArbitrary, (snapshots, policy, zone) => {
        const { keep } = decideRetention(snapshots, policy, { zone, now });
        for (const rule of ruleNames) {
          const kept = keep.filter(({ reasons }) => reasons.some((reason) => reason.endsWith(`${rule} snapshot`)));
          if (policy[rule] !== -1) expect(kept.length).toBeLessThanOrEqual(policy[rule]);
        }
      }),
    );
  });

  it('removes nothing more when asked again', () => {
    fc.assert(
      fc.property(snapshotsArbitrary, policyArbitrary, zoneArbitrary, (snapshots, policy, zone) => {
        const first = decideRetention(snapshots, policy, { zone, now });
        const gone = new Set(first.remove.map(({ id }) => id));
        const second = decideRetention(
          snapshots.filter(({ id }) => !gone.has(id)),
          policy,
          { zone, now },
        );
        expect(second.remove).toEqual([]);
        expect(second.keep.map(({ id }) => id)).toEqual(first.keep.map(({ id }) => id));
      }),
    );
  });

  it('does not depend on the order they come in', () => {
    fc.assert(
      fc.property(snapshotsArbitrary, policyArbitrary, zoneArbitrary, fc.infiniteStream(fc.nat()), (snapshots, policy, zone, keys) => {
        const shuffled = snapshots.map((snapshot) => ({ snapshot, key: keys.next().value })).sort((a, b) => a.key - b.key);
        const frame = { zone, now };
        expect(
          decideRetention(
            shuffled.map(({ snapshot }) => snapshot),
            policy,
            frame,
          ),
        ).toEqual(decideRetention(snapshots, policy, frame));
      }),
    );
  });
});

describe('ISO weeks', () => {
  // From the ISO 8601 week date article's table of odd years.
  it.each([
    [2005, 1, 1, 2004, 53],
    [2005, 12, 31, 2005, 52],
    [2007, 1, 1, 2007, 1],
    [2008, 12, 29, 2009, 1],
    [2010, 1, 3, 2009, 53],
    [2020, 12, 31, 2020, 53],
    [2024, 12, 30, 2025, 1],
  ])('%i-%i-%i lies in %i week %i', (year, month, day, weekYear, week) => {
    expect(isoWeek({ year, month, day })).toEqual({ year: weekYear, week });
  });
});

describe('a policy for people', () => {
  it('is one sentence', () => {
    expect(describePolicy({})).toBe('Keeps every snapshot, because no rule is set.');
    expect(describePolicy({ last: -1, daily: 3 })).toBe('Keeps every snapshot.');
    expect(describePolicy({ last: 1 })).toBe('Keeps the last snapshot.');
    expect(describePolicy({ last: 3, daily: 7, weekly: 1, yearly: -1 })).toBe(
      'Keeps the last 3 snapshots, and the newest of each day for 7 days, of each week for 1 week and of each year without end' +
        ' (counting only those that have a snapshot).',
    );
  });

  it('is typed as digits, -1 or unlimited', () => {
    expect([parseCount('daily', '7'), parseCount('daily', '0'), parseCount('daily', '-1'), parseCount('daily', 'unlimited')]).toEqual([
      7, 0, -1, -1,
    ]);
    for (const text of ['', ' 7', '1e3', '-2', '7.0', '0x7', 'all', '99999999999999999999'])
      expect(() => parseCount('daily', text)).toThrow(`keep daily: ${text === '' ? 'nothing' : text} is no count`);
  });
});
