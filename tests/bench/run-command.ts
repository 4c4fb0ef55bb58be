import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');
export const cache = join(root, '.cache', 'bench');
export const password = 'a password for the bench only';

export interface Run {
  readonly seconds: number;
}

/** What the command measured of itself, see main/headless/bench-report.ts. */
export interface Report {
  readonly maxStallMs: number;
  readonly peakRssBytes: number;
  readonly backendReads: number;
  readonly backendBytes: number;
}

/**
 * One holdfast command, start of the process included. Its report and what it remembers go to `place`; `more`: what the destination needs in the
 * environment.
 */
export function holdfast(args: readonly string[], place = cache, more: Readonly<Record<string, string>> = {}): Run & Report {
  const file = join(place, 'report.json');
  rmSync(file, { force: true });
  const env = { HOLDFAST_BENCH_REPORT: file, HOLDFAST_STATE_DIR: join(place, 'state'), HOLDFAST_PASSWORD: password, ...more };
  const { seconds } = run(process.execPath, [join(root, 'bin', 'holdfast.js'), ...args], env);
  if (!existsSync(file)) throw new Error(`holdfast ${args.join(' ')} wrote no report`);
  return { seconds, ...(JSON.parse(readFileSync(file, 'utf8')) as Report) };
}

/** A pipe of programs; it fails when any of them does. */
export function pipe(script: string, cwd: string): Run {
  return run('bash', ['-c', `set -euo pipefail; ${script}`], { BENCH_PASSWORD: password }, cwd);
}

export function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd = root): Run {
  // What the run before has left unwritten must not slow this one down.
  spawnSync('sync');
  const since = performance.now();
  const result = spawnSync(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  const seconds = (performance.now() - since) / 1000;
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} failed (${String(result.status)}):\n${result.stderr}`);
  return { seconds };
}

/** A folder that is not there, in one that is. */
export function fresh(name: string): string {
  const folder = join(cache, 'work', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  return folder;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The first line that a program prints about itself; null where it is not installed. */
export function versionOf(command: string, args: readonly string[]): string | null {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? (stdout.split('\n')[0] ?? '').trim() : null;
}

/** As `fresh`, and nothing is remembered of what was stored there before: it would be taken for a disk that is not mounted. */
export function freshDestination(name: string): string {
  rmSync(join(cache, 'state'), { recursive: true, force: true });
  return fresh(name);
}
