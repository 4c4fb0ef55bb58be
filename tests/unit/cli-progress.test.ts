import { describe, expect, it } from 'vitest';
import type { Progress } from '../../main/contract/reports.ts';
import type { CliHost } from '../../main/headless/host.ts';
import { progressLine, progressText, speedometer } from '../../main/headless/progress.ts';

const progress: Progress = {
  phase: 'pack',
  files: 1204,
  bytes: 312 * 1024 ** 2,
  totalFiles: 50_000,
  totalBytes: 1024 ** 3,
  storedBytes: 0,
};

function terminal(options: { readonly isTTY?: boolean; readonly columns?: number; readonly env?: CliHost['env'] } = {}) {
  const written: string[] = [];
  let now = 1_000_000;
  const sink = {
    isTTY: options.isTTY ?? true,
    columns: options.columns ?? 200,
    closed: false,
    write: (data: string | Uint8Array) => {
      written.push(String(data));
      return Promise.resolve();
    },
  };
  const host = { stderr: sink, env: options.env ?? {}, now: () => now } as unknown as CliHost;
  return { host, written, pass: (ms: number) => (now += ms) };
}

describe('the progress line', () => {
  it('says phase, files, bytes, share, speed and time left', () => {
    expect(progressText(progress, 100 * 1024 ** 2)).toBe(
      'Packing  1,204 of 50,000 files  312.0 MiB of 1.0 GiB  30 %  100.0 MiB/s  7.1 s left',
    );
  });

  it('leaves out what is not known', () => {
    expect(progressText({ ...progress, phase: 'scan', totalFiles: null, totalBytes: null }, null)).toBe('Looking  1,204 files  312.0 MiB');
    expect(progressText({ ...progress, bytes: 0, totalBytes: 0, totalFiles: 1, files: 1 }, 0)).toBe('Packing  1 of 1 file  0 B of 0 B');
  });

  it('says 100 % only for all of it', () => {
    expect(progressText({ ...progress, bytes: 999_999, totalBytes: 1_000_000 }, null)).toContain('99 %');
    expect(progressText({ ...progress, bytes: 2_000_000, totalBytes: 1_000_000 }, null)).toContain('100 %');
  });

  it('is redrawn at most five times a second and ends with the last state and a line end', async () => {
    const { host, written, pass } = terminal();
    const line = progressLine(host);
    for (let file = 1; file <= 1_000; file += 1) {
      line.onProgress({ ...progress, files: file });
      pass(1);
    }
    expect(written).toHaveLength(5);
    await line.finish();
    expect(written).toHaveLength(7);
    expect(written[5]).toContain('1,000 of 50,000 files');
    expect(written[6]).toBe('\n');
    await line.finish();
    line.onProgress(progress);
    expect(written).toHaveLength(7);
  });

  it('stays on one line of a narrow terminal', () => {
    const { host, written } = terminal({ columns: 40 });
    progressLine(host).onProgress(progress);
    expect(written[0]).toHaveLength(1 + 39 + 3);
  });

  it('prints nothing without a terminal, on a dumb one, or when there was nothing to tell', async () => {
    for (const options of [{ isTTY: false }, { env: { TERM: 'dumb' } }]) {
      const { host, written } = terminal(options);
      const line = progressLine(host);
      line.onProgress(progress);
      await line.finish();
      expect(written).toEqual([]);
    }
    const { host, written } = terminal();
    await progressLine(host).finish();
    expect(written).toEqual([]);
  });

  it('goes on when the clock is set back', () => {
    const { host, written, pass } = terminal();
    const line = progressLine(host);
    line.onProgress(progress);
    pass(-3_600_000);
    line.onProgress(progress);
    expect(written).toHaveLength(2);
  });
});

describe('the speed', () => {
  it('is not guessed from one point, then follows the bytes', () => {
    const meter = speedometer();
    meter.add(0, { ...progress, bytes: 0 });
    expect(meter.perSecond()).toBeNull();
    meter.add(1_000, { ...progress, bytes: 1_000 });
    expect(meter.perSecond()).toBeCloseTo(1_000);
    for (let second = 2; second <= 40; second += 1) meter.add(second * 1_000, { ...progress, bytes: 1_000 + (second - 1) * 5_000 });
    expect(meter.perSecond()).toBeGreaterThan(4_900);
    expect(meter.perSecond()).toBeLessThanOrEqual(5_000);
  });

  it('the time left goes by all of the phase, not by the last burst or pause', () => {
    const meter = speedometer();
    meter.add(0, { ...progress, bytes: 1_000 });
    for (let second = 1; second <= 100; second += 1)
      meter.add(second * 1_000, { ...progress, bytes: 1_000 + Math.floor(second / 50) * 5_000_000 });
    expect(meter.mean()).toBeCloseTo(100_000);
    for (let second = 101; second <= 149; second += 1) meter.add(second * 1_000, { ...progress, bytes: 10_001_000 });
    expect(meter.perSecond()).toBeLessThan(1_000);
    expect(meter.mean()).toBeCloseTo(10_000_000 / 149);
    // The total comes to be known: from now on it is counted.
    meter.add(150_000, { ...progress, totalBytes: null, bytes: 10_001_000 });
    meter.add(151_000, { ...progress, bytes: 20_001_000 });
    expect(meter.mean()).toBeNull();
    meter.add(153_000, { ...progress, bytes: 20_003_000 });
    expect(meter.mean()).toBeCloseTo(1_000);
    meter.add(200_000, { ...progress, phase: 'upload', bytes: 5 });
    expect(meter.mean()).toBeNull();
  });

  it('begins anew with each phase', () => {
    const meter = speedometer();
    meter.add(0, { ...progress, bytes: 0 });
    meter.add(1_000, { ...progress, bytes: 1_000 });
    meter.add(2_000, { ...progress, phase: 'upload', bytes: 1_001 });
    expect(meter.perSecond()).toBeNull();
  });
});
