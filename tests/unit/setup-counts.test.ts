import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

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

const oneFile = { name: expect.stringMatching(/some\.test\.mjs$/), seconds: expect.any(Number) };

test('passed, failed and skipped tests are counted, skipped ones with their reason', () => {
  const found = countsOf(`
    import { describe, expect, test } from 'vitest';
    describe('group', () => { test('one', () => {}); test('two', () => { expect(1).toBe(2); }); });
    test('three', ({ skip }) => skip('the moon is full'));
    test.skip('four (no moon)', () => {});
    test.todo('five');
    test('six', () => {});`);
  expect(found.status).toBe(1);
  const named = (name: string): string => expect.stringMatching(new RegExp(`some\\.test\\.mjs: ${name}$`));
  expect(found.counts).toEqual({
    passed: 2,
    failed: 1,
    skipped: [
      { name: named('three'), reason: 'the moon is full' },
      { name: named('four \\(no moon\\)'), reason: '' },
      { name: named('five'), reason: '' },
    ],
    slowest: [oneFile],
  });
});

test('the files that took longest are named, the slowest first', () => {
  writeFileSync(join(folder, 'quick.test.mjs'), `import { test } from 'vitest'; test('one', () => {});`);
  const found = countsOf(`
    import { beforeAll, test } from 'vitest';
    beforeAll(() => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000));
    test('one', () => {});`);
  const { slowest } = found.counts as { readonly slowest: readonly { readonly name: string; readonly seconds: number }[] };
  expect(slowest.map(({ name }) => basename(name))).toEqual(['some.test.mjs', 'quick.test.mjs']);
  // What its hooks did counts as well.
  expect(slowest[0]?.seconds).toBeGreaterThanOrEqual(3);
});

test('a file that cannot be loaded counts as failed', () => {
  const found = countsOf(`import './nowhere.mjs';`);
  expect(found).toEqual({ status: 1, counts: { passed: 0, failed: 1, skipped: [], slowest: [oneFile] } });
});

test('an error that no test caught counts as failed', () => {
  const found = countsOf(`
    import { test } from 'vitest';
    test('one', async () => { setTimeout(() => { throw new Error('late'); }, 0); await new Promise((done) => setTimeout(done, 50)); });`);
  expect(found).toEqual({ status: 1, counts: { passed: 1, failed: 1, skipped: [], slowest: [oneFile] } });
});
