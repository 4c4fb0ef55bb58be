import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asBytePath, pathFromText } from '../../main/engine/archive/byte-path.ts';
import { compileExcludes } from '../../main/engine/archive/exclude.ts';
import { generatePattern, generateTree, generator, names, treeOf } from '../support/path-trees.ts';
import type { Entry } from '../support/path-trees.ts';

let folder = '';
let repositories = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-exclude-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What git leaves out of a real tree. Asked without trailing slashes: with one git also holds `logs/**` against `logs/`, as no walk of it does. */
function leftOutByGit(patterns: readonly string[], entries: readonly Entry[]): readonly string[] {
  const repository = join(folder, `${(repositories += 1)}`);
  const made = spawnSync('git', ['init', '-q', repository]);
  if (made.status !== 0) throw new Error(`git init: ${made.stderr.toString()}`);
  for (const { path, isDirectory } of entries) {
    const place = Buffer.from(`${repository}/${path}`, 'latin1');
    if (isDirectory) mkdirSync(place);
    else writeFileSync(place, '');
  }
  writeFileSync(join(repository, '.git', 'info', 'exclude'), patterns.map((pattern) => `${pattern}\n`).join(''));
  const asked = Buffer.from(entries.map(({ path }) => `${path}\0`).join(''), 'latin1');
  const done = spawnSync(
    'git',
    ['-c', 'core.ignorecase=false', '-c', 'core.excludesfile=', 'check-ignore', '--no-index', '--stdin', '-z'],
    {
      cwd: repository,
      input: asked,
      maxBuffer: 1 << 28,
    },
  );
  if (done.status !== 0 && done.status !== 1) throw new Error(`git check-ignore: ${done.stderr.toString()}`);
  return done.stdout
    .toString('latin1')
    .split('\0')
    .filter((path) => path !== '');
}

function leftOutByUs(patterns: readonly string[], entries: readonly Entry[]): readonly string[] {
  const excluded = compileExcludes(patterns);
  return entries.filter(({ path, isDirectory }) => excluded(asBytePath(path), isDirectory)).map(({ path }) => path);
}

describe('excludes', () => {
  it('leave out what git leaves out, on generated trees and patterns', () => {
    let seen = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const pick = generator(seed * 7919);
      const entries = generateTree(pick);
      const patterns = Array.from({ length: 1 + pick(7) }, () => generatePattern(pick));
      const expected = leftOutByGit(patterns, entries);
      seen += expected.length;
      expect([...leftOutByUs(patterns, entries)].sort(), JSON.stringify(patterns)).toEqual([...expected].sort());
    }
    expect(seen).toBeGreaterThan(1000);
  });

  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['a name anywhere', ['foo']],
    ['an anchored name', ['/foo']],
    ['a name in the middle of a path is anchored', ['world/region']],
    ['folders only', ['foo/']],
    ['stars across folders', ['**/foo', 'world/**', 'a/**/b']],
    ['everything, then one back', ['*', '!foo']],
    ['nothing comes back below a folder that is out', ['world/', '!world/region']],
    ['content out, one thing back', ['world/*', '!world/region']],
    ['case counts', ['FOO', 'WORLD/']],
    ['a leading and an escaped trailing space', [' leading', 'trailing\\ ']],
    ['an unescaped trailing space is dropped', ['foo   ']],
    ['comments, escaped hash and bang', ['#hash', '\\#hash', '\\!bang']],
    ['a backslash in a name', ['back\\\\slash']],
    ['one question mark is one byte', ['?', '??']],
    ['non-ASCII names', ['grün', '世界/']],
    ['names whose last byte looks like a space elsewhere', ['à']],
  ];
  it.each(cases)('agree with git: %s', (_title, patterns) => {
    const whole = treeOf(
      names.flatMap((name): Entry[] => [
        { path: name, isDirectory: false },
        { path: `world/${name}`, isDirectory: false },
        { path: `d/${name}`, isDirectory: true },
        { path: `a/c/${name}/b`, isDirectory: false },
      ]),
    );
    expect([...leftOutByUs(patterns, whole)].sort()).toEqual([...leftOutByGit(patterns, whole)].sort());
  });

  it('match UTF-8 patterns with UTF-8 names, and take names that are no UTF-8', () => {
    const excluded = compileExcludes(['Übersicht/*.txt', '*.tmp']);
    expect(excluded(pathFromText('Übersicht/größe.txt'), false)).toBe(true);
    expect(excluded(asBytePath('\xff\xfe.tmp'), false)).toBe(true);
    expect(excluded(asBytePath('\xff\xfe'), true)).toBe(false);
  });

  it('never name the root itself', () => {
    const excluded = compileExcludes(['*', '.*', '/']);
    expect(excluded(asBytePath('.'), true)).toBe(false);
    expect(excluded(asBytePath('x'), true)).toBe(true);
  });

  it('answer the same after the library has been asked far more often than it may remember', () => {
    const excluded = compileExcludes(['cache/', '!keep']);
    for (let index = 0; index < 40_000; index += 1) {
      expect(excluded(asBytePath(`d${index}/cache`), true)).toBe(true);
      expect(excluded(asBytePath(`cache/keep${index}`), false)).toBe(true);
      expect(excluded(asBytePath(`d${index}/keep`), false)).toBe(false);
    }
  });
});
