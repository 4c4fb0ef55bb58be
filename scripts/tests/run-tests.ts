import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { countsFile } from './count-reporter.ts';
import type { Counts } from './count-reporter.ts';

const root = join(import.meta.dirname, '..', '..');

function readCounts(): Counts {
  if (!existsSync(countsFile)) return { files: [], otherFailures: 1 };
  return JSON.parse(readFileSync(countsFile, 'utf8')) as Counts;
}

/** Runs Vitest with these arguments. */
export async function runTests(args: readonly string[]): Promise<Counts> {
  rmSync(countsFile, { force: true });
  const reporters = ['--reporter=default', `--reporter=${join(root, 'scripts', 'tests', 'count-reporter.ts')}`];
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...reporters, ...args], { cwd: root, stdio: 'inherit' });
  const [code] = (await once(child, 'close')) as [number | null];
  const counts = readCounts();
  // Vitest may fail without a failed test (no test found, a crash): that is a failure too.
  const isFailed = counts.otherFailures > 0 || counts.files.some(({ failures }) => failures.length > 0);
  return code === 0 || isFailed ? counts : { ...counts, otherFailures: 1 };
}
