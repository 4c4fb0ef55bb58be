import { describe, expect, it } from 'vitest';
import { parseIsoTime, simulateRetention } from '../../main/engine/retention/simulate.ts';

const frame = { zone: 'UTC', now: Date.parse('2026-11-23T12:00:00Z') };
const iso = (text: string, zone = 'UTC'): string | undefined => {
  const time = parseIsoTime(text, zone);
  return time === undefined ? undefined : new Date(time).toISOString();
};

describe('simulating retention', () => {
  it('reads one time a line, past blank lines and comments', () => {
    const text = '\uFEFF# mine\r\n2026-11-22T10:00:00Z\r\n\r\n  2026-11-21T10:00:00+01:00  \n# more\n2026-11-20\n2030-01-01T00:00:00Z';
    const { keep, remove } = simulateRetention(text, { last: 2 }, frame);
    expect(keep.map(({ id, time, reasons }) => [id, new Date(time).toISOString(), ...reasons])).toEqual([
      ['line 7', '2030-01-01T00:00:00.000Z', 'dated in the future'],
      ['line 2', '2026-11-22T10:00:00.000Z', 'last snapshot'],
      ['line 4', '2026-11-21T09:00:00.000Z', 'last snapshot'],
    ]);
    expect(remove.map(({ id }) => id)).toEqual(['line 6']);
  });

  it('names the line that is no time', () => {
    expect(() => simulateRetention('2026-11-22T10:00:00Z\n\nyesterday\n', {}, frame)).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining("line 3: 'yesterday'") as string }),
    );
  });

  it('keeps two equal times apart', () => {
    expect(simulateRetention('2026-11-22T10:00:00Z\n2026-11-22T10:00:00Z', { last: 1 }, frame).remove).toHaveLength(1);
  });
});

describe('an ISO time', () => {
  it.each([
    ['2024-02-29T23:59:59.123456Z', '2024-02-29T23:59:59.123Z'],
    ['2024-02-29t23:59:59z', '2024-02-29T23:59:59.000Z'],
    ['2024-02-29 23:59 -0530', '2024-03-01T05:29:00.000Z'],
    ['2024-02-29T23:59+14', '2024-02-29T09:59:00.000Z'],
    ['0050-01-01T00:00:00Z', '0050-01-01T00:00:00.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(iso(text)).toBe(expected);
  });

  it.each([
    '2023-02-29',
    '2024-13-01',
    '2024-00-10',
    '2024-01-32',
    '2024-01-01T24:00:00Z',
    '2024-01-01T10:60Z',
    '2024-01-01T10:00:60Z',
    '2024-1-1',
    '2024-01-01T10:00:00+24:00',
    '2024-01-01Z',
    '1700000000',
    '',
  ])('%s is none', (text) => {
    expect(iso(text)).toBeUndefined();
  });

  it('without offset is wall time in the zone, also around clock changes', () => {
    expect(iso('2026-07-01', 'Europe/Berlin')).toBe('2026-06-30T22:00:00.000Z');
    expect(iso('2026-01-01 12:00', 'America/New_York')).toBe('2026-01-01T17:00:00.000Z');
    // Comes twice: the first. Never comes: moved on by the hour that is missing.
    expect(iso('2026-10-25T02:30', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z');
    expect(iso('2026-03-29T02:30', 'Europe/Berlin')).toBe('2026-03-29T01:30:00.000Z');
    expect(iso('2026-10-25T03:30', 'Europe/Berlin')).toBe('2026-10-25T02:30:00.000Z');
  });
});
