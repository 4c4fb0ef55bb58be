import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Counts, FileCounts } from '../../scripts/tests/count-reporter.ts';
import { runOnceMore } from '../../scripts/tests/once-more.ts';

const root = join(import.meta.dirname, '..', '..');

let folder = '';
beforeEach(() => {
  // Inside the project, so that the files find vitest.
  mkdirSync(join(root, '.cache'), { recursive: true });
  folder = mkdtempSync(join(root, '.cache', 'counts-'));
  writeFileSync(join(folder, 'vitest.config.mjs'), `export default { test: { include: ['*.test.mjs'] } };`);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs Vitest over one file with this text and answers what the reporter counted. */
function countsOf(text: string, file = 'some.test.mjs'): { readonly status: number | null; readonly counts: unknown } {
  writeFileSync(join(folder, file), text);
  const counts = join(folder, 'counts.json');
  const reporter = join(root, 'scripts/tests/count-reporter.ts');
  const args = ['run', '--root', folder, `--reporter=${reporter}`];
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
    env: { ...process.env, HOLDFAST_TEST_COUNTS: counts, VITEST: undefined },
  });
  return { status, counts: JSON.parse(readFileSync(counts, 'utf8')) };
}

const oneFile = { file: expect.stringMatching(/some\.test\.mjs$/), seconds: expect.any(Number), passed: 0, failures: [], skipped: [] };

test('passed, failed and skipped tests are counted, skipped ones with their reason', () => {
  const found = countsOf(`
    import { describe, expect, test } from 'vitest';
    describe('group', () => { test('one', () => {}); test('two', () => { expect(1).toBe(2); }); });
    test('three', ({ skip }) => skip('the moon is full'));
    test.skip('four (no moon)', () => {});
    test.todo('five');
    test('six', () => {});`);
  expect(found.status).toBe(1);
  const skipped = [
    { name: 'three', reason: 'the moon is full' },
    { name: 'four (no moon)', reason: '' },
    { name: 'five', reason: '' },
  ];
  const failures = [{ name: 'group > two', said: expect.stringContaining('expected 1 to be 2') }];
  expect(found.counts).toEqual({ files: [{ ...oneFile, passed: 2, failures, skipped }], otherFailures: 0 });
});

test('the time of a file has its hooks in it', () => {
  const { counts } = countsOf(`
    import { beforeAll, test } from 'vitest';
    beforeAll(() => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000));
    test('one', () => {});`);
  expect((counts as Counts).files[0]?.seconds).toBeGreaterThanOrEqual(3);
});

test('a file that cannot be loaded counts as failed', () => {
  const found = countsOf(`import './nowhere.mjs';`);
  const failures = [{ name: expect.stringMatching(/some\.test\.mjs$/), said: expect.stringContaining('nowhere.mjs') }];
  expect(found).toEqual({ status: 1, counts: { files: [{ ...oneFile, failures }], otherFailures: 0 } });
});

test('an error that no test caught counts as failed', () => {
  const found = countsOf(`
    import { test } from 'vitest';
    test('one', async () => { setTimeout(() => { throw new Error('late'); }, 0); await new Promise((done) => setTimeout(done, 50)); });`);
  expect(found).toEqual({ status: 1, counts: { files: [{ ...oneFile, passed: 1 }], otherFailures: 1 } });
});

const passing = (file: string): FileCounts => ({ file, seconds: 1, passed: 1, failures: [], skipped: [] });
const failing = (file: string): FileCounts => ({ ...passing(file), failures: [{ name: 'two', said: 'no' }] });
const counted = (...files: readonly FileCounts[]): Counts => ({ files, otherFailures: 0 });

test('a file that failed runs once more by itself, and is told when it passes then', async () => {
  const ran: (readonly string[])[] = [];
  const now = { ...passing('b'), passed: 2 };
  const { counts, recovered } = await runOnceMore(counted(passing('a'), failing('b')), (files) => {
    ran.push(files);
    return Promise.resolve(counted(now));
  });
  expect(ran).toEqual([['b']]);
  expect(counts).toEqual(counted(passing('a'), now));
  expect(recovered).toEqual([failing('b')]);
});

test('a file that fails again has failed', async () => {
  const { counts, recovered } = await runOnceMore(counted(passing('a'), failing('b')), () => Promise.resolve(counted(failing('b'))));
  expect(counts).toEqual(counted(passing('a'), failing('b')));
  expect(recovered).toEqual([]);
});

test('a file that the second run does not come to has failed, and so has what breaks the second run', async () => {
  const broken: Counts = { files: [], otherFailures: 1 };
  const { counts, recovered } = await runOnceMore(counted(failing('b')), () => Promise.resolve(broken));
  expect(counts).toEqual({ files: [failing('b')], otherFailures: 1 });
  expect(recovered).toEqual([]);
});

test.each<[string, Counts]>([
  ['nothing failed', counted(passing('a'))],
  ['four files failed', counted(failing('a'), failing('b'), failing('c'), failing('d'))],
  ['something broke that belongs to no file', { files: [failing('a')], otherFailures: 1 }],
])('nothing runs once more when %s', async (_, first) => {
  const { counts, recovered } = await runOnceMore(first, () => Promise.reject(new Error('it ran')));
  expect(counts).toBe(first);
  expect(recovered).toEqual([]);
});
