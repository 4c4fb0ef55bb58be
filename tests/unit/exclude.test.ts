import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asBytePath, pathFromText } from '../../main/engine/archive/byte-path.ts';
import { compileExcludes, compileIncludes, parseIgnoreFile } from '../../main/engine/archive/exclude.ts';
import { Fault } from '../../main/contract/faults.ts';

interface Entry {
  /** One character for each byte. */
  readonly path: string;
  readonly isDirectory: boolean;
}

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

let folder = '';
let repositories = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-exclude-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Every folder on the way is an entry too, and a name cannot be both file and folder. */
function treeOf(listed: readonly Entry[]): readonly Entry[] {
  const folders = new Set<string>();
  for (const { path, isDirectory } of listed) {
    if (isDirectory) folders.add(path);
    for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) folders.add(path.slice(0, at));
  }
  return [...new Set([...folders, ...listed.map(({ path }) => path)])].sort().map((path) => ({ path, isDirectory: folders.has(path) }));
}

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
  const done = spawnSync('git', ['-c', 'core.ignorecase=false', '-c', 'core.excludesfile=', 'check-ignore', '--no-index', '--stdin', '-z'], {
    cwd: repository,
    input: asked,
    maxBuffer: 1 << 28,
  });
  if (done.status !== 0 && done.status !== 1) throw new Error(`git check-ignore: ${done.stderr.toString()}`);
  return done.stdout.toString('latin1').split('\0').filter((path) => path !== '');
}

function leftOutByUs(patterns: readonly string[], entries: readonly Entry[]): readonly string[] {
  const excluded = compileExcludes(patterns);
  return entries.filter(({ path, isDirectory }) => excluded(asBytePath(path), isDirectory)).map(({ path }) => path);
}

function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const names = [
  'a', 'b', 'foo', 'Foo', 'foo.tmp', 'bar', 'logs', 'cache', 'world', 'region', 'r.0.0.mca', 'session.lock', '.hidden', '..twice', '...',
  ' leading', 'trailing ', 'in side', 'back\\slash', '#hash', '!bang', 'brack[et]', 'cur{ly}', 'do$lar', 'pl+us', 'ca^ret', 'pi|pe', '(round)',
  latin1('grün'), latin1('世界'), latin1('e\u0301'), latin1('é'), latin1('à'), latin1('😀.tmp'), '\xff\xfe', 'half\xc3', '\xa0', 'new\nline', 'tab\t', '*', '?',
  '-', 'a-b', '0', '123', 'constructor', '__proto__', 'latest.log', 'x.tmp.bak',
];

function generateTree(pick: (below: number) => number): readonly Entry[] {
  return treeOf(
    Array.from({ length: 120 }, () => ({
      path: Array.from({ length: 1 + pick(5) }, () => names[pick(names.length)] ?? 'a').join('/'),
      isDirectory: pick(3) === 0,
    })),
  );
}

const pieces = [
  ...names.filter((name) => !/[\x80-\xff\n]/.test(name)).map((name) => name.replace(/[\\*?[!#]/g, '\\$&').replace(/ $/, '\\ ')),
  'grün', '世界', 'é', 'à', 'e\u0301', '*', '*', '*.tmp', 'f*', '*o*', '?', '??', '???', '[a-f]oo', '[!a]*', '[[:alpha:]]', '*.l[oi]*', '\\f\\o\\o', '**', '**', 'r.*.mca', '*e',
];

function generatePattern(pick: (below: number) => number): string {
  const parts = Array.from({ length: 1 + pick(3) }, () => pieces[pick(pieces.length)] ?? '*');
  const negated = pick(4) === 0 ? '!' : '';
  return `${negated}${pick(3) === 0 ? '/' : ''}${parts.join('/')}${pick(3) === 0 ? '/' : ''}`;
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

describe('includes', () => {
  const wanted = (patterns: readonly string[], path: string, isDirectory = false): boolean =>
    compileIncludes(patterns).includes(pathFromText(path), isDirectory);
  const leads = (patterns: readonly string[], folder: string): boolean => compileIncludes(patterns).mayContain(pathFromText(folder));

  it('want everything when nothing is named', () => {
    expect(wanted([], 'anything')).toBe(true);
    expect(leads([], 'any/where')).toBe(true);
  });

  it('want a folder with all that is below it', () => {
    expect(wanted(['world/'], 'world', true)).toBe(true);
    expect(wanted(['world/'], 'world/region/r.0.0.mca')).toBe(true);
    expect(wanted(['world/'], 'world')).toBe(false);
    expect(wanted(['/plugins/*.jar'], 'plugins/x.jar')).toBe(true);
    expect(wanted(['/plugins/*.jar'], 'other/plugins/x.jar')).toBe(false);
  });

  it('know the folders that cannot lead to anything wanted', () => {
    expect(leads(['/world/region/r.*.mca'], 'world')).toBe(true);
    expect(leads(['/world/region/r.*.mca'], 'world/region')).toBe(true);
    expect(leads(['/world/region/r.*.mca'], 'world/data')).toBe(false);
    expect(leads(['/world/region/r.*.mca'], 'logs')).toBe(false);
    expect(leads(['world/**/x'], 'world/any/depth')).toBe(true);
    expect(leads(['world/**/x'], 'logs')).toBe(false);
    expect(leads(['*.jar'], 'any/where')).toBe(true);
    expect(leads(['/a/[x/]/b'], 'any')).toBe(true);
    expect(leads(['/world'], 'world/region')).toBe(true);
    expect(leads(['!/world/x', '/logs/y'], 'world')).toBe(false);
  });

  it('never say no to a folder above something wanted', () => {
    let above = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      const pick = generator(seed * 104729);
      const entries = generateTree(pick);
      const patterns = Array.from({ length: 1 + pick(4) }, () => generatePattern(pick));
      const { includes, mayContain } = compileIncludes(patterns);
      for (const { path, isDirectory } of entries) {
        if (!includes(asBytePath(path), isDirectory)) continue;
        const parts = path.split('/');
        for (let depth = 1; depth < parts.length; depth += 1) {
          above += 1;
          const folder = parts.slice(0, depth).join('/');
          if (!mayContain(asBytePath(folder))) expect.fail(`${JSON.stringify(patterns)}: ${folder} is on the way to ${path}`);
        }
      }
    }
    expect(above).toBeGreaterThan(1000);
  });
});

describe('.holdfastignore', () => {
  it('is read with a byte order mark, CR LF, comments, blanks and leading spaces as they are meant', () => {
    const bytes = Buffer.from('\uFEFF# first\r\n*.tmp\r\n\r\n   \r\n  lead\n\\#not a comment\n/ünter/\r\nlast\r', 'utf8');
    expect(parseIgnoreFile(bytes)).toEqual(['*.tmp', '  lead', '\\#not a comment', '/ünter/', 'last']);
    expect(parseIgnoreFile(new Uint8Array())).toEqual([]);
  });

  it('is refused when it is no UTF-8, with the line named', () => {
    expect(() => parseIgnoreFile(Buffer.from('ok\nbad \xff\n', 'latin1'))).toThrow(Fault);
    expect(() => parseIgnoreFile(Buffer.from('ok\nbad \xff\n', 'latin1'))).toThrow(/line 2/);
  });
});
