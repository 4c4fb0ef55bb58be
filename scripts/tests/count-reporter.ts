import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

export interface Failure {
  /** Of the test with its groups; the file's, where the file or a group broke outside of its tests. */
  readonly name: string;
  /** The first lines of what it said. */
  readonly said: string;
}

export interface FileCounts {
  readonly file: string;
  /** Loading and hooks included. */
  readonly seconds: number;
  readonly passed: number;
  readonly failures: readonly Failure[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
}

export interface Counts {
  readonly files: readonly FileCounts[];
  /** What broke and belongs to no file. */
  readonly otherFailures: number;
}

const root = join(import.meta.dirname, '..', '..');
export const countsFile = process.env['HOLDFAST_TEST_COUNTS'] ?? join(root, '.cache', 'test-counts.json');

const shownLines = 12;

const saidBy = (errors: readonly { readonly message: string; readonly stack?: string | undefined }[] | undefined): string =>
  (errors ?? [])
    .map(({ message, stack }) => [message, ...(stack ?? '').split('\n').filter((line) => /\.ts:\d/u.test(line))].join('\n'))
    .join('\n')
    .split('\n')
    .slice(0, shownLines)
    .join('\n');

function secondsOf(module: TestModule): number {
  const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } = module.diagnostic();
  return Math.round((environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration) / 1000);
}

function countsOf(module: TestModule): FileCounts {
  const file = relative(root, module.moduleId);
  // One each: a run must not look whole because a file could not even be loaded.
  const broken = [...module.errors(), ...[...module.children.allSuites()].flatMap((suite) => suite.errors())];
  const failures: Failure[] = broken.map((error) => ({ name: file, said: saidBy([error]) }));
  const skipped: { name: string; reason: string }[] = [];
  let passed = 0;
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state === 'passed') passed += 1;
    else if (result.state === 'failed') failures.push({ name: test.fullName, said: saidBy(result.errors) });
    else skipped.push({ name: test.fullName, reason: result.state === 'skipped' ? (result.note ?? '') : 'did not run' });
  }
  return { file, seconds: secondsOf(module), passed, failures, skipped };
}

/** Writes for each file how many tests passed, what the failed ones said and which were skipped and why, for the last lines of `npm test`. */
class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[], reason: TestRunEndReason): void {
    const counts: Counts = { files: modules.map(countsOf), otherFailures: unhandled.length + (reason === 'interrupted' ? 1 : 0) };
    mkdirSync(dirname(countsFile), { recursive: true });
    writeFileSync(countsFile, JSON.stringify(counts));
  }
}

// Vitest asks for a default export.
export default CountReporter;
