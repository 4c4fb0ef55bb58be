import { describe, expect, it } from 'vitest';
import { formatTime, parseTime } from '../../main/headless/times.ts';
import { formatDuration, formatSize, parseCount, parseRate, parseSize } from '../../main/headless/units.ts';

const any = { min: 0, max: Number.MAX_SAFE_INTEGER };

describe('sizes', () => {
  it.each([
    ['4096', 4096],
    ['64K', 65_536],
    ['8m', 8_388_608],
    ['1G', 1_073_741_824],
    ['1.5G', 1_610_612_736],
    ['1GiB', 1_073_741_824],
    ['1GB', 1_073_741_824],
    ['2T', 2_199_023_255_552],
    ['0', 0],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text, '--volume-size', any)).toBe(bytes);
  });

  it.each(['', 'K', '-1', '1e3', '0x10', '1 000', '1,5G', '5X', 'Infinity', 'NaN', '99999999999999999999'])('%j is no size', (text) => {
    expect(() => parseSize(text, '--volume-size', any)).toThrow(/--volume-size/);
  });

  it('keeps to the range and names its end', () => {
    const range = { min: 65_536, max: 2 ** 40 };
    expect(parseSize('64K', 'x', range)).toBe(65_536);
    expect(() => parseSize('65535', 'x', range)).toThrow(/64\.0 KiB/);
    expect(() => parseSize('1025G', 'x', range)).toThrow(/1\.0 TiB/);
  });

  it('takes rates with and without /s', () => {
    expect(parseRate('500K/s', 'x')).toBe(512_000);
    expect(parseRate('500K', 'x')).toBe(512_000);
    expect(() => parseRate('0', 'x')).toThrow(/least/);
  });

  it('takes whole numbers in their range only', () => {
    expect(parseCount('19', '--level', { min: 1, max: 19 })).toBe(19);
    for (const text of ['0', '20', '3.5', '', '-1', '1e1', ' 3'])
      expect(() => parseCount(text, '--level', { min: 1, max: 19 })).toThrow(/--level/);
  });

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [1024 * 1024 - 1, '1.0 MiB'],
    [312 * 1024 * 1024, '312.0 MiB'],
    [5 * 1024 ** 3, '5.0 GiB'],
    [3 * 1024 ** 6, '3072.0 PiB'],
  ])('%i bytes print as %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });
});

describe('times', () => {
  it.each([
    [0, '0.0 s'],
    [840, '0.8 s'],
    [9_949, '9.9 s'],
    [9_951, '10 s'],
    [59_600, '1 min 00 s'],
    [185_000, '3 min 05 s'],
    [3_599_600, '1 h 00 min'],
    [7_620_000, '2 h 07 min'],
  ])('%i ms print as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('prints local time, summer and winter, with nanoseconds cut off', () => {
    expect(formatTime('2026-07-01T22:30:00Z', 'Europe/Berlin')).toBe('2026-07-02 00:30:00');
    expect(formatTime('2026-01-01T22:30:00.999999999Z', 'Europe/Berlin')).toBe('2026-01-01 23:30:00');
    expect(formatTime('1969-12-31T23:59:59.5Z', 'UTC')).toBe('1969-12-31 23:59:59');
    expect(formatTime('no time', 'UTC')).toBe('no time');
  });

  it('reads a time without an offset in the zone and one with an offset as it says', () => {
    expect(parseTime('2026-07-02T00:30', 'Europe/Berlin', '--time')).toBe(Date.UTC(2026, 6, 1, 22, 30));
    expect(parseTime('2026-07-02T00:30:00Z', 'Europe/Berlin', '--time')).toBe(Date.UTC(2026, 6, 2, 0, 30));
    expect(() => parseTime('yesterday', 'UTC', '--time')).toThrow(/--time is yesterday/);
  });
});
