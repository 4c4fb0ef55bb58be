import { cpus, loadavg, release, totalmem } from 'node:os';
import { statfsSync } from 'node:fs';
import { cache, versionOf } from './run-command.ts';
import { restic } from './round-trip.ts';
import type { OneFile, Peaks, RoundTrip } from './round-trip.ts';
import type { Report, Run } from './run-command.ts';

/** One line of the table: what was measured, against what goal. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly peer: string;
  readonly result: string;
  readonly goal: string;
  /** Null where nothing is promised. */
  readonly met: boolean | null;
}

const seconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} s`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

export function roundTripRows(found: RoundTrip): readonly Row[] {
  const against = (what: string, ours: number, peer: number | null, name: string, goal: number): readonly Row[] =>
    peer === null
      ? []
      : [
          {
            what: `${what} against ${name}`,
            ours: seconds(ours),
            peer: seconds(peer),
            result: `${(ours / peer).toFixed(2)} ×`,
            goal: `≤ ${String(goal)} ×`,
            met: ours / peer <= goal,
          },
        ];
  const most = (what: string, value: number, limit: number, show: (value: number) => string): Row => {
    return { what, ours: show(value), peer: '', result: show(value), goal: `≤ ${show(limit)}`, met: value <= limit };
  };
  return [
    ...against('full backup', found.backup, found.pipeBackup, 'tar, zstd, openssl', 1),
    ...against('full restore', found.restore, found.pipeRestore, 'openssl, zstd, tar', 0.7),
    ...against('full backup', found.backup, found.resticBackup, 'restic', 0.4),
    ...against('full restore', found.restore, found.resticRestore, 'restic', 0.65),
    ...against('unchanged second backup', found.unchanged, found.resticUnchanged, 'restic', 1),
    ...(found.resticUnchanged === null
      ? [
          {
            what: 'unchanged second backup',
            ours: seconds(found.unchanged),
            peer: '',
            result: seconds(found.unchanged),
            goal: '',
            met: null,
          },
        ]
      : []),
    most('peak memory of a backup', found.backupPeakBytes, 250e6, megabytes),
    most('peak memory of a restore', found.restorePeakBytes, 250e6, megabytes),
    most("main thread's longest stall", found.maxStallMs, 50, (ms) => `${ms.toFixed(0)} ms`),
    {
      what: 'differences after the round trip',
      ours: String(found.differences),
      peer: '',
      result: String(found.differences),
      goal: '0',
      met: found.differences === 0,
    },
  ];
}

/**
 * Rounds of both, one after the other, in seconds: the round whose ratio is the middle one, the higher of two. Its times and its ratio belong together; the
 * middle of all times may come from different rounds, between which the machine changes.
 */
export function roundsRow(what: string, ours: readonly number[], theirs: readonly number[]): Row {
  const rounds = ours.map((mine, index) => {
    const peer = theirs[index] ?? Number.NaN;
    return { mine, peer, ratio: mine / peer };
  });
  const { mine, peer, ratio } = rounds.toSorted((a, b) => a.ratio - b.ratio)[rounds.length >> 1] ?? { mine: 0, peer: 0, ratio: Number.NaN };
  return {
    what,
    ours: `${mine.toFixed(1)} s`,
    peer: `${peer.toFixed(1)} s`,
    result: `${ratio.toFixed(2)} ×`,
    goal: '≤ 1 ×',
    met: ratio <= 1,
  };
}

export function tenfoldRows(small: Peaks, large: Peaks): readonly Row[] {
  return (['backup', 'restore'] as const).map((what) => {
    const ratio = large[what] / small[what];
    return {
      what: `peak memory of a ${what}, ten times the tree`,
      ours: megabytes(large[what]),
      peer: `${megabytes(small[what])} for one`,
      result: `${ratio.toFixed(2)} ×`,
      goal: '≤ 1.1 ×',
      met: ratio <= 1.1,
    };
  });
}

/** Of a command on a million files. */
export function millionRow(what: string, { seconds: took, peakRssBytes, maxStallMs }: Run & Report): Row {
  return {
    what,
    ours: `${seconds(took)}, stall ${maxStallMs.toFixed(0)} ms`,
    peer: '',
    result: megabytes(peakRssBytes),
    goal: '≤ 300 MB',
    met: peakRssBytes <= 300e6,
  };
}

/** A third backup of it, to which nothing has changed, beside restic's. */
export function unchangedRow(ours: number, peer: number): Row {
  const ratio = ours / peer;
  return {
    ...{ what: 'unchanged backup against restic', ours: seconds(ours), peer: seconds(peer) },
    ...{ result: `${ratio.toFixed(2)} ×`, goal: '≤ 1.2 ×', met: ratio <= 1.2 },
  };
}

export function oneFileRows({ reads, bytes, ofBytes, seconds: took }: OneFile): readonly Row[] {
  const share = (bytes / ofBytes) * 100;
  return [
    { what: 'one 1 MB file: reads of the backend', ours: seconds(took), peer: '', result: String(reads), goal: '≤ 5', met: reads <= 5 },
    {
      what: `one 1 MB file: bytes read, of ${(ofBytes / 1e9).toFixed(1)} GB`,
      ours: `${(bytes / 1e6).toFixed(1)} MB`,
      peer: '',
      result: `${share.toFixed(2)} %`,
      goal: '≤ 1 %',
      met: share <= 1,
    },
  ];
}

export function tableOf(rows: readonly Row[]): string {
  const head = ['what', 'Holdfast', 'peer', 'result', 'goal', ''];
  const mark = (met: boolean | null): string => (met === null ? '' : met ? 'met' : '**MISSED**');
  const cells = [head, ...rows.map((row) => [row.what, row.ours, row.peer, row.result, row.goal, mark(row.met)])];
  const widths = head.map((_, column) => Math.max(3, ...cells.map((line) => line[column]?.length ?? 0)));
  const line = (values: readonly string[]): string => `| ${values.map((value, column) => value.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [first = '', ...rest] = cells.map(line);
  return [first, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rest].join('\n');
}

/** Processes that want a core, averaged over the last minute. */
export function load(): number {
  return loadavg()[0] ?? 0;
}

/** What the figures depend on. */
export function machine(loadBefore: number): string {
  const processors = cpus();
  const versions = [
    `Node ${process.versions.node}`,
    versionOf('tar', ['--version']),
    versionOf('zstd', ['--version'])?.replace(/^\*\*\* (.*), by.*/, '$1'),
    versionOf('openssl', ['version'])?.replace(/ \(.*/, ''),
    versionOf(restic, ['version']),
  ].filter((version) => version !== null && version !== undefined);
  const fileSystems: Readonly<Record<number, string>> = {
    0xef53: 'ext4',
    0x9123683e: 'btrfs',
    0x58465342: 'xfs',
    0x01021994: 'tmpfs',
    0x2fc12fc1: 'zfs',
  };
  return [
    `- ${processors[0]?.model.trim() ?? 'unknown processor'}, ${String(processors.length)} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB of memory`,
    `- Linux ${release()}, ${fileSystems[statfsSync(cache).type] ?? 'another file system'}`,
    `- ${versions.join('; ')}`,
    `- measured on ${new Date().toISOString().slice(0, 10)}; load before the start ${loadBefore.toFixed(1)}${loadBefore > 1 ? ' (the machine was busy with other work: read the ratios with care)' : ''}`,
  ].join('\n');
}
