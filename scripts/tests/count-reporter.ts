import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** The ten files that took longest, loading and hooks included, the slowest first. */
  readonly slowest: readonly { readonly name: string; readonly seconds: number }[];
}

const root = join(import.meta.dirname, '..', '..');
export const countsFile = process.env['HOLDFAST_TEST_COUNTS'] ?? join(root, '.cache', 'test-counts.json');

const shownFiles = 10;

function secondsOf(module: TestModule): number {
  const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } = module.diagnostic();
  return Math.round((environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration) / 1000);
}

/** Writes how many tests passed and failed, which were skipped and why, and which files are slow, for the last lines of `npm test`. */
class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[], reason: TestRunEndReason): void {
    let passed = 0;
    // What broke outside of any test counts as one each: a run must not look whole because a file could not even be loaded.
    let failed = unhandled.length + (reason === 'interrupted' ? 1 : 0);
    const skipped: { name: string; reason: string }[] = [];
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') passed += 1;
        else if (result.state === 'failed') failed += 1;
        else
          skipped.push({
            name: `${relative(root, module.moduleId)}: ${test.fullName}`,
            reason: result.state === 'skipped' ? (result.note ?? '') : 'did not run',
          });
      }
      for (const suite of module.children.allSuites()) failed += suite.errors().length;
    }
    const slowest = modules
      .map((module) => ({ name: relative(root, module.moduleId), seconds: secondsOf(module) }))
      .toSorted((a, b) => b.seconds - a.seconds)
      .slice(0, shownFiles);
    mkdirSync(dirname(countsFile), { recursive: true });
    writeFileSync(countsFile, JSON.stringify({ passed, failed, skipped, slowest } satisfies Counts));
  }
}

// Vitest asks for a default export.
export default CountReporter;
