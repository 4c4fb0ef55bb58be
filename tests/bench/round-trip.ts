import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareTrees } from '../../scripts/try/compare.ts';
import { cache, fresh, freshDestination, holdfast, median, password, pipe, root, run } from './run-command.ts';
import type { Report } from './run-command.ts';

/** Median seconds of each kind of work; null where the peer is not installed. */
export interface RoundTrip {
  readonly backup: number;
  readonly restore: number;
  readonly unchanged: number;
  readonly pipeBackup: number;
  readonly pipeRestore: number;
  readonly resticBackup: number | null;
  readonly resticRestore: number | null;
  readonly resticUnchanged: number | null;
  /** The most of all rounds. */
  readonly backupPeakBytes: number;
  readonly restorePeakBytes: number;
  readonly maxStallMs: number;
  readonly differences: number;
}

const unpackedRestic = join(root, '.cache', 'restic', 'usr', 'bin', 'restic');
/** The program to measure against: one that is named, the one that the bench unpacks, the system's. */
export const restic = process.env['RESTIC'] ?? (existsSync(unpackedRestic) ? unpackedRestic : 'restic');

/**
 * Rounds in which each does the same work, one after the other, so that a slow minute of the machine hits them all. What was restored is
 * removed at the very end: ext4 does not give out a freed inode again for a minute or more, and while many are waiting, each new file costs several times as
 * much, whoever makes it.
 */
export function measureRoundTrip(tree: string, rounds: number, withRestic: boolean, tell: (text: string) => void): RoundTrip {
  const seconds = { backup: [], restore: [], unchanged: [], pipeBackup: [], pipeRestore: [] } as Record<string, number[]>;
  const resticSeconds = { backup: [], restore: [], unchanged: [] } as Record<string, number[]>;
  const reports: { backup: Report[]; restore: Report[] } = { backup: [], restore: [] };
  let differences = 0;
  warm(tree);
  warmCompileCache();
  const restored: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const destination = freshDestination('destination');
    const target = fresh(`restored-${String(round)}`);
    const access = ['-d', `folder:${destination}`];

    const backup = holdfast(['backup', tree, ...access, '--server', 'bench']);
    const restore = holdfast(['restore', 'latest', ...access, '--target', target]);
    if (round === 1) differences = compareTrees(tree, target).differences.length;
    restored.push(target);
    const unchanged = holdfast(['backup', tree, ...access, '--server', 'bench']);
    rmSync(destination, { recursive: true });
    push(seconds, { backup: backup.seconds, restore: restore.seconds, unchanged: unchanged.seconds });
    reports.backup.push(backup, unchanged);
    reports.restore.push(restore);

    push(seconds, peerPipe(tree, round, restored));
    if (withRestic) push(resticSeconds, peerRestic(tree, round, restored));
    tell(`  round ${String(round)}: ${backup.seconds.toFixed(1)} s backup, ${restore.seconds.toFixed(1)} s restore`);
  }
  for (const folder of restored) rmSync(folder, { recursive: true });
  const middle = (values: readonly number[] | undefined): number => median(values ?? []);
  return {
    backup: middle(seconds['backup']),
    restore: middle(seconds['restore']),
    unchanged: middle(seconds['unchanged']),
    pipeBackup: middle(seconds['pipeBackup']),
    pipeRestore: middle(seconds['pipeRestore']),
    resticBackup: withRestic ? middle(resticSeconds['backup']) : null,
    resticRestore: withRestic ? middle(resticSeconds['restore']) : null,
    resticUnchanged: withRestic ? middle(resticSeconds['unchanged']) : null,
    backupPeakBytes: Math.max(...reports.backup.map(({ peakRssBytes }) => peakRssBytes)),
    restorePeakBytes: Math.max(...reports.restore.map(({ peakRssBytes }) => peakRssBytes)),
    maxStallMs: Math.max(...[...reports.backup, ...reports.restore].map(({ maxStallMs }) => maxStallMs)),
    differences,
  };
}

/** Node keeps what it has compiled; the first run of all would pay for it in time and memory. */
function warmCompileCache(): void {
  const [source, destination, target] = [fresh('warm'), freshDestination('warm-destination'), fresh('warm-restored')];
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'x');
  const access = ['-d', `folder:${destination}`];
  holdfast(['backup', source, ...access]);
  holdfast(['restore', 'latest', ...access, '--target', target]);
  for (const folder of [source, destination, target]) rmSync(folder, { recursive: true });
}

/** Everything read once, so that the first to be measured does not pay for the disk. (Into a pipe: GNU tar skips reading for /dev/null.) */
function warm(tree: string): void {
  pipe('tar c . | cat > /dev/null', tree);
}

const cipher = '-aes-256-ctr -pbkdf2 -pass env:BENCH_PASSWORD';

function peerPipe(tree: string, round: number, restored: string[]): { readonly pipeBackup: number; readonly pipeRestore: number } {
  const file = fresh('pipe.bin');
  const target = fresh(`pipe-restored-${String(round)}`);
  restored.push(target);
  mkdirSync(target);
  const backup = pipe(`tar c . | zstd -q -3 -T0 | openssl enc ${cipher} -out '${file}'`, tree);
  const restore = pipe(`openssl enc -d ${cipher} -in '${file}' | zstd -q -d | tar x`, target);
  rmSync(file);
  return { pipeBackup: backup.seconds, pipeRestore: restore.seconds };
}

function peerRestic(
  tree: string,
  round: number,
  restored: string[],
): { readonly backup: number; readonly restore: number; readonly unchanged: number } {
  const repository = fresh('restic');
  const target = fresh(`restic-restored-${String(round)}`);
  restored.push(target);
  const resticCache = fresh('restic-cache');
  const env = { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password, RESTIC_CACHE_DIR: resticCache };
  run(restic, ['-q', 'init'], env);
  const backup = run(restic, ['-q', 'backup', '.'], env, tree);
  const unchanged = run(restic, ['-q', 'backup', '.'], env, tree);
  const restore = run(restic, ['-q', 'restore', 'latest', '--target', target], env);
  for (const folder of [repository, resticCache]) rmSync(folder, { recursive: true, force: true });
  return { backup: backup.seconds, restore: restore.seconds, unchanged: unchanged.seconds };
}

function push(into: Record<string, number[]>, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) (into[name] ??= []).push(value);
}

export interface Peaks {
  readonly backup: number;
  readonly restore: number;
}

/** Peak memory for ten copies of the tree side by side: ten times the bytes and ten times the names. */
export function measureTenfold(tree: string): Peaks {
  const tenfold = join(cache, 'tenfold');
  const done = `${tenfold}.done`;
  if (!existsSync(done)) {
    rmSync(tenfold, { recursive: true, force: true });
    mkdirSync(tenfold);
    for (let copy = 0; copy < 10; copy += 1) run('cp', ['-a', '--reflink=auto', tree, join(tenfold, `copy-${String(copy)}`)]);
    writeFileSync(done, '');
  }
  const destination = freshDestination('destination');
  const target = fresh('restored');
  const access = ['-d', `folder:${destination}`];
  const backup = holdfast(['backup', tenfold, ...access, '--server', 'tenfold']);
  const restore = holdfast(['restore', 'latest', ...access, '--target', target]);
  for (const folder of [target, destination, tenfold, done]) rmSync(folder, { recursive: true });
  return { backup: backup.peakRssBytes, restore: restore.peakRssBytes };
}

export interface OneFile {
  readonly reads: number;
  readonly bytes: number;
  readonly ofBytes: number;
  readonly seconds: number;
}

/** What it takes to bring one file of 1 MB out of a snapshot of `files` such files. */
export function measureOneFile(tree: string, files: number): OneFile {
  const destination = freshDestination('destination');
  const target = fresh('restored');
  const access = ['-d', `folder:${destination}`];
  holdfast(['backup', tree, ...access, '--server', 'megabytes']);
  const name = `f${String(Math.floor(files / 2))}`;
  const one = holdfast(['restore', 'latest', ...access, '--target', target, '--include', name]);
  for (const folder of [target, destination]) rmSync(folder, { recursive: true });
  return { reads: one.backendReads, bytes: one.backendBytes, ofBytes: files * 1_000_000, seconds: one.seconds };
}
