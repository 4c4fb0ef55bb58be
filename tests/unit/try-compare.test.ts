import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { compareTrees } from '../../scripts/try/compare.ts';

let folder = '';
let source = '';
let copy = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-compare-'));
  [source, copy] = [join(folder, 'source'), join(folder, 'copy')];
  mkdirSync(join(source, 'sub'), { recursive: true });
  writeFileSync(join(source, 'big'), Buffer.alloc(2_500_000, 7));
  writeFileSync(join(source, 'sub/empty'), '');
  writeFileSync(Buffer.concat([Buffer.from(join(source, 'name-')), Buffer.from([0xff, 0xfe])]), 'no UTF-8');
  linkSync(join(source, 'big'), join(source, 'sub/same'));
  symlinkSync('../big', join(source, 'sub/link'));
  execFileSync('cp', ['-a', source, copy]);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The differences, without the folder that the test lies in. */
function differences(): readonly string[] {
  return compareTrees(source, copy).differences.map((line) => line.replaceAll(`${folder}/`, ''));
}

test('a true copy has none, and everything is counted', () => {
  expect(compareTrees(source, copy)).toEqual({ files: 4, folders: 1, links: 1, bytes: 5_000_008, skipped: 0, differences: [] });
});

test('a byte in the last block', () => {
  const content = Buffer.alloc(2_500_000, 7);
  content[2_499_999] = 8;
  writeFileSync(join(copy, 'big'), content);
  execFileSync('touch', ['-r', join(source, 'big'), join(copy, 'big')]);
  expect(differences()).toEqual(['source/big: other bytes from 2097152 on']);
});

test('a nanosecond', () => {
  execFileSync('touch', ['-d', '2026-01-02T03:04:05.123456789Z', join(source, 'sub/empty')]);
  execFileSync('touch', ['-d', '2026-01-02T03:04:05.123456788Z', join(copy, 'sub/empty')]);
  expect(differences()).toEqual(['source/sub/empty: time 1767323045123456789 became 1767323045123456788']);
});

test('the time of a link and of a folder', () => {
  lutimesSync(join(copy, 'sub/link'), 5, 5);
  expect(differences()).toEqual([expect.stringMatching(/^source\/sub\/link: time \d+ became 5000000000$/)]);
  utimesSync(join(copy, 'sub'), 5, 5);
  expect(differences()).toHaveLength(2);
});

test('a mode', () => {
  chmodSync(join(copy, 'sub/empty'), 0o600);
  expect(differences()).toEqual(['source/sub/empty: mode 100644 became 100600']);
});

test('the target of a link', () => {
  execFileSync('ln', ['-sfn', 'elsewhere', join(copy, 'sub/link')]);
  execFileSync('touch', ['-h', '-r', join(source, 'sub/link'), join(copy, 'sub/link')]);
  execFileSync('touch', ['-r', join(source, 'sub'), join(copy, 'sub')]);
  expect(differences()).toEqual(['source/sub/link: points elsewhere']);
});

test('something missing, something more, something of another type', () => {
  unlinkSync(join(copy, 'sub/empty'));
  mkdirSync(join(copy, 'sub/empty'));
  writeFileSync(join(copy, 'more'), '');
  unlinkSync(join(copy, 'sub/link'));
  execFileSync('touch', ['-r', join(source, 'sub'), join(copy, 'sub')]);
  expect(differences()).toEqual(['copy/more: not in the source', 'source/sub/empty: of another type', 'source/sub/link: missing']);
});

test('two copies of what was one file', () => {
  execFileSync('cp', ['-p', '--remove-destination', join(source, 'big'), join(copy, 'sub/same')]);
  execFileSync('touch', ['-r', join(source, 'sub'), join(copy, 'sub')]);
  expect(differences()).toEqual(['source/sub/same: no longer one file with its other names']);
});
