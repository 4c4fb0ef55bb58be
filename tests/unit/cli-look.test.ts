import { describe, expect, it } from 'vitest';
import type { DiffRow, FindReport, FoundVersion, UsageReport } from '../../main/contract/look-reports.ts';
import type { Engine } from '../../main/engine/engine.ts';
import { Fault } from '../../main/contract/faults.ts';
import { runWith, type FinishedRun } from '../support/cli-host.ts';
import { tempFolder } from '../support/temp-folder.ts';

const env = { HOLDFAST_PASSWORD: 'correct horse battery' };
const run = (args: readonly string[], engine: Partial<Engine>): Promise<FinishedRun> =>
  runWith([...args, '-d', `folder:${tempFolder()}`], { env, engine });

const ids = ['20261123T220500Z-k3v9qa', '20261122T220500Z-k3v9qb', '20261101T220500Z-k3v9qc'] as const;
const rows: readonly DiffRow[] = [
  { path: 'new', change: 'added', type: 'file', size: 2048, fields: [] },
  { path: 'old', change: 'removed', type: 'directory', size: 0, sizeBefore: 0, fields: [] },
  { path: 'region\u001b[2J', change: 'changed', type: 'file', size: 1024, sizeBefore: 512, fields: ['mtime'] },
  { path: 'start.sh', change: 'metadata', type: 'file', size: 9, sizeBefore: 9, fields: ['mode', 'owner'] },
];
async function* some(list: readonly DiffRow[], fault?: Fault): AsyncGenerator<DiffRow> {
  yield* list;
  if (fault !== undefined) await Promise.reject(fault);
}
const diffOf = (found: readonly DiffRow[], fault?: Fault): Partial<Engine> => ({
  diff: (_, { before, after }) => Promise.resolve({ before, after, rows: some(found, fault) }),
});

describe('holdfast diff', () => {
  it('tells each path with a sign, and adds it up', async () => {
    const { stdout, exitCode } = await run(['diff', ids[1], 'latest'], diffOf(rows));
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual([
      '+  new  (2.0 KiB)',
      '-  old/',
      'M  region\\x1b[2J  (512 B to 1.0 KiB)',
      'U  start.sh  (mode, owner)',
      '1 path added (2.0 KiB), 1 removed (0 B), 1 changed (512 B before, 1.0 KiB now), 1 with other metadata only.',
      '',
    ]);
  });

  it('is one JSON document, with what the rows add up to', async () => {
    const { stdout } = await run(['diff', 'a', 'b', '--json', '--server', 'survival'], diffOf(rows));
    expect(stdout).not.toContain('\u001b');
    expect(JSON.parse(stdout)).toEqual({
      ...{ before: 'a', after: 'b', entries: rows },
      totals: {
        added: { paths: 1, bytes: 2048 },
        removed: { paths: 1, bytes: 0 },
        changed: { paths: 1, bytes: 1024, bytesBefore: 512 },
        metadata: { paths: 1 },
      },
    });
    expect(JSON.parse((await run(['diff', 'a', 'b', '--json'], diffOf([]))).stdout)).toMatchObject({ entries: [] });
  });

  it('a fault after thousands of rows is still the only document', async () => {
    const many = Array.from({ length: 20_000 }, (_, index): DiffRow => ({
      path: `f${index}`,
      change: 'added',
      type: 'file',
      size: 1,
      fields: [],
    }));
    const engine = diffOf(many, new Fault('corrupt', 'the manifest is cut short'));
    const { stdout, exitCode } = await run(['diff', 'a', 'b', '--json'], engine);
    expect(exitCode).toBe(13);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, fault: { code: 'corrupt' } });
  });
});

const version = (more: Partial<FoundVersion>): FoundVersion => ({
  path: 'world/level.dat',
  type: 'file',
  size: 1536,
  mtime: '2026-11-23T21:00:00.000000001Z',
  sha256: 'ab'.repeat(32),
  snapshots: [{ newest: ids[0], oldest: ids[0], count: 1 }],
  state: 'whole',
  ...more,
});
const found: FindReport = {
  server: 'survival',
  slug: 'survival',
  searched: 3,
  versions: [
    version({ snapshots: [{ newest: ids[0], oldest: ids[1], count: 12 }] }),
    version({
      state: 'damaged',
      problem: 'a is damaged',
      snapshots: [{ newest: ids[2], oldest: ids[2], count: 1 }],
      sha256: 'cd'.repeat(32),
    }),
    version({ path: 'world', type: 'directory', size: 0 }),
  ],
  more: false,
  warnings: [],
};

describe('holdfast find', () => {
  it('tells each path with its versions and their snapshots', async () => {
    const asked: unknown[] = [];
    const engine: Partial<Engine> = {
      find: (_, request) => {
        asked.push(request);
        return Promise.resolve(found);
      },
    };
    const { stdout, stderr, exitCode } = await run(['find', '*.dat', '--server', 'survival'], engine);
    expect([asked, stderr, exitCode]).toEqual([[{ pattern: '*.dat', limit: 10_000, server: 'survival' }], '', 0]);
    expect(stdout.split('\n')).toEqual([
      'world/level.dat',
      `  1.5 KiB  2026-11-23 21:00:00  12 snapshots: ${ids[0]} to ${ids[1]}`,
      `  1.5 KiB  2026-11-23 21:00:00  1 snapshot: ${ids[2]}${' '.repeat(31)}damaged`,
      'world/',
      `  directory  2026-11-23 21:00:00  1 snapshot: ${ids[0]}`,
      '',
    ]);
  });

  it('says what it could not look into, with exit code 3, and that there is more', async () => {
    const engine = {
      find: () => Promise.resolve({ ...found, more: true, warnings: [{ code: 'manifest' as const, message: 'x is no manifest' }] }),
    };
    const { stderr, exitCode } = await run(['find', '*', '--limit', '3'], engine);
    expect([exitCode, stderr.includes('x is no manifest'), stderr.includes('raise --limit')]).toEqual([3, true, true]);
    expect((await run(['find', '*', '--limit', '0'], {})).exitCode).toBe(2);
  });

  it('is one JSON document, which says what can be restored', async () => {
    const { stdout } = await run(['find', '*', '--json'], { find: () => Promise.resolve(found) });
    expect(JSON.parse(stdout)).toEqual({
      ...{ server: 'survival', searched: 3, more: false },
      versions: found.versions.map((one) => ({ ...one, restorable: one.state === 'whole' })),
    });
  });
});

describe('holdfast versions', () => {
  it('is a table with checksums, and says what can be restored', async () => {
    const engine = { versions: () => Promise.resolve({ ...found, versions: found.versions.slice(0, 2) }) };
    const { stdout } = await run(['versions', 'world/level.dat'], engine);
    expect(stdout.split('\n')).toEqual([
      `NEWEST SNAPSHOT          SNAPSHOTS  FILE TIME               SIZE  SHA-256${' '.repeat(59)}STATE`,
      `${ids[0]}         12  2026-11-23 21:00:00  1.5 KiB  ${'ab'.repeat(32)}  can be restored`,
      `${ids[2]}          1  2026-11-23 21:00:00  1.5 KiB  ${'cd'.repeat(32)}  damaged`,
      '',
    ]);
  });

  it('of a path that no snapshot holds is not found', async () => {
    const engine = { versions: () => Promise.reject(new Fault('not-found', 'no snapshot holds it')) };
    expect((await run(['versions', 'x', '--json'], engine)).exitCode).toBe(10);
  });
});

const gib = 2 ** 30;
const usage: UsageReport = {
  servers: [
    {
      ...{ server: 'survival', slug: 'survival', storedBytes: 10 * gib, liveBytes: 7 * gib, deadBytes: 2 * gib, unnamedBytes: gib },
      unfinishedBytes: 0,
      snapshots: [
        {
          id: ids[2],
          time: '2026-11-01T22:05:00.000Z',
          bytes: 9 * gib,
          ownBytes: 8 * gib,
          freedBytes: 1024,
          state: 'whole',
          damagedFiles: 0,
        },
        {
          ...{ id: ids[0], time: '2026-11-23T22:05:00.000Z', bytes: null, ownBytes: gib, freedBytes: gib },
          ...{ state: 'damaged', damagedFiles: 3, problem: 'a is damaged' },
        },
      ],
      growth: [
        { period: '2026-11-01', addedBytes: 8 * gib, storedBytes: 8 * gib },
        { period: '2026-11-23', addedBytes: 2 * gib, storedBytes: 10 * gib },
      ],
      bytesPerDay: gib / 10,
    },
  ],
  storedBytes: 10 * gib,
  forecast: { bytesPerDay: gib / 10, in30Days: 13 * gib, in90Days: 19 * gib },
  cap: { bytes: 20 * gib, reachedAt: '2027-03-04T12:00:00.000Z' },
  warnings: [],
};

describe('holdfast usage', () => {
  it('tells each server, its snapshots, its growth, and what will come', async () => {
    const asked: unknown[] = [];
    const engine: Partial<Engine> = {
      usage: (_, request) => {
        asked.push(request);
        return Promise.resolve(usage);
      },
    };
    const { stdout } = await run(['usage', '--cap', '20G'], engine);
    expect(asked).toEqual([{ cap: 20 * gib }]);
    expect(stdout.split('\n')).toEqual([
      'survival: 10.0 GiB stored',
      '  7.0 GiB live, 2.0 GiB dead in archives that are still needed, 1.0 GiB named by no snapshot',
      '  SNAPSHOT                 TIME                    SIZE    ADDED    FREES  STATE',
      `  ${ids[2]}  2026-11-01 22:05:00  9.0 GiB  8.0 GiB  1.0 KiB`,
      `  ${ids[0]}  2026-11-23 22:05:00        ?  1.0 GiB  1.0 GiB  damaged, 3 files cannot be restored, a is damaged`,
      '  Growth:',
      '  2026-11-01  +8.0 GiB   8.0 GiB',
      '  2026-11-23  +2.0 GiB  10.0 GiB',
      '',
      'All of it: 10.0 GiB. At 102.4 MiB a day it will be 13.0 GiB in 30 days and 19.0 GiB in 90.',
      'The 20.0 GiB will be reached on 2027-03-04.',
      '',
    ]);
  });

  it.each([
    [{ bytes: gib, reachedAt: '2026-11-24T12:00:00.000Z' }, 'The 1.0 GiB are reached already.'],
    [{ bytes: 20 * gib, reachedAt: null }, 'At this rate the 20.0 GiB are never reached.'],
  ])('says of a cap when it is reached', async (cap, text) => {
    const { stdout } = await run(['usage', '--cap', '1G'], { usage: () => Promise.resolve({ ...usage, cap }) });
    expect(stdout).toContain(text);
  });

  it('does not say “never” of a cap, where there is no rate to tell by', async () => {
    const young: UsageReport = { ...usage, forecast: null, cap: { bytes: 20 * gib, reachedAt: null } };
    const { stdout } = await run(['usage', '--cap', '20G'], { usage: () => Promise.resolve(young) });
    expect(stdout).toContain('There is no forecast before the first day is over.');
    expect(stdout).not.toContain('never');
  });

  it('is one JSON document: the report as it stands', async () => {
    const { warnings, ...rest } = usage;
    expect(warnings).toEqual([]);
    expect(JSON.parse((await run(['usage', '--json'], { usage: () => Promise.resolve(usage) })).stdout)).toEqual(rest);
    expect((await run(['usage', '--cap', 'much', '--json'], {})).exitCode).toBe(2);
  });
});

it.each(['diff', 'find', 'versions', 'usage'])('holdfast %s --help has an example of it', async (name) => {
  const { stdout, exitCode } = await runWith([name, '--help']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(new RegExp(`Examples?:\\n  holdfast ${name} `));
});
