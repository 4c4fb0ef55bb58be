import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asBytePath, pathFromText, showPath, type BytePath } from '../../main/engine/archive/byte-path.ts';
import { compileIncludes } from '../../main/engine/archive/exclude.ts';
import { literalPatterns } from '../../renderer/views/snapshots/patterns.ts';
import { parentOf, Ticks } from '../../renderer/views/snapshots/tree-model.ts';
import { Changes, Folder, TreeRows, type Row, type TreeEntry } from '../../renderer/views/snapshots/tree-rows.ts';

/** Every entry of a small world: folders first named, as a snapshot lists them. */
const world = ['a', 'a/b', 'a/b/c', 'a/b/c/1', 'a/b/c/2', 'a/b/d', 'a/e', 'f', 'g', 'g/h', 'g/h/i'];
const folders = new Set(world.map(parentOf));

function childrenOf(folder: string): number {
  return world.filter((path) => parentOf(path) === folder).length;
}

/** What the engine would bring back of it. */
function broughtBack(patterns: readonly string[], paths: readonly string[] = world): string[] {
  const { includes, mayContain } = compileIncludes(patterns);
  return paths.filter((path) => {
    if (!includes(pathFromText(path), folders.has(path))) return false;
    // The walk must also reach it.
    for (let at = parentOf(path); at !== ''; at = parentOf(at)) expect(mayContain(pathFromText(at)), `${at} leads to ${path}`).toBe(true);
    return true;
  });
}

describe('what is ticked in a tree', () => {
  test('a folder is ticked with all below it, and half-ticked when some of it is', () => {
    const ticks = new Ticks();
    expect(ticks.state('a')).toBe('false');
    ticks.set('a', true);
    expect(['a', 'a/b', 'a/b/c/1', 'f'].map((path) => ticks.state(path))).toEqual(['true', 'true', 'true', 'false']);
    ticks.set('a/b/c/1', false);
    expect(['a', 'a/b', 'a/b/c', 'a/b/c/1', 'a/b/c/2', 'a/e'].map((path) => ticks.state(path))).toEqual([
      ...['mixed', 'mixed', 'mixed', 'false', 'true', 'true'],
    ]);
    expect(ticks.tops()).toEqual(['a']);
    expect(ticks.exceptions()).toEqual(['a/b/c/1']);
    ticks.set('a', true);
    expect(ticks.state('a')).toBe('true');
    ticks.set('a', false);
    expect(ticks.empty).toBe(true);
    expect(ticks.patterns()).toEqual([]);
  });

  test('a folder whose entries have all been ticked is ticked itself, and so is the one above it', () => {
    const ticks = new Ticks();
    ticks.set('g/h/i', true);
    ticks.fold('g/h', childrenOf);
    expect(ticks.state('g')).toBe('true');
    expect(ticks.tops()).toEqual(['g']);
    ticks.set('a/b/c/1', true);
    ticks.fold('a/b/c', childrenOf);
    expect(ticks.state('a/b/c')).toBe('mixed');
    ticks.set('a/b/c/2', true);
    ticks.fold('a/b/c', childrenOf);
    expect([ticks.state('a/b/c'), ticks.state('a/b')]).toEqual(['true', 'mixed']);
    // And unticked, one by one.
    for (const path of ['a/b/c/1', 'a/b/c/2']) {
      ticks.set(path, false);
      ticks.fold('a/b/c', childrenOf);
    }
    expect([ticks.state('a/b/c'), ticks.state('a')]).toEqual(['false', 'false']);
    // Entries of a folder that has not been read are not all of them.
    ticks.set('a/e', true);
    ticks.fold('a', () => null);
    expect(ticks.state('a')).toBe('mixed');
  });

  test('one of 100,000 files is unticked without the others being named', () => {
    const ticks = new Ticks();
    ticks.set('world/region', true);
    ticks.set('world/region/r.1.2.mca', false);
    expect(ticks.patterns()).toEqual(['/world/region/*', '!/world/region/r.1.2.mca']);
    expect(ticks.has('world/region/r.7.7.mca')).toBe(true);
  });

  test('whatever is ticked and unticked, the engine brings back just that', () => {
    const step = fc.record({ path: fc.constantFrom(...world), on: fc.boolean(), fold: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
        const ticks = new Ticks();
        const wanted = new Set<string>();
        for (const { path, on, fold } of steps) {
          ticks.set(path, on);
          for (const one of world.filter((at) => at === path || at.startsWith(`${path}/`))) {
            if (on) wanted.add(one);
            else wanted.delete(one);
          }
          if (fold) ticks.fold(parentOf(path), childrenOf);
        }
        for (const path of world) {
          // A folder counts by what is in it.
          if (!folders.has(path)) expect(ticks.has(path), path).toBe(wanted.has(path));
        }
        const patterns = ticks.patterns();
        const files = world.filter((path) => !folders.has(path));
        // No patterns mean everything, and that is what nothing ticked must never mean: the page asks for a tick first.
        expect(patterns.length === 0 ? [] : broughtBack(patterns).filter((path) => !folders.has(path))).toEqual(
          files.filter((path) => wanted.has(path)),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe('patterns of one entry', () => {
  const odd = [
    ...[
      'a[1]*.txt',
      ' x',
      'x ',
      'x  ',
      '\t',
      'x\t',
      '!x',
      '#x',
      'x?',
      '\\',
      'x\\',
      '\\*',
      '*',
      '**',
      '?',
      '[',
      ']',
      '[!a]',
      '{a,b}',
      'x\n',
    ],
    ...['a1.txt', 'x', 'xy', 'a[1]b.txt', 'a', 'b', 'ümläut', 'ｆｕｌｌ', '$', '^', '(a|b)', '.hidden', '+', 'a\r', '\u00a0', 'e\u0301'],
  ];

  test.each(odd)('%j brings back that entry and no other', (name) => {
    expect(broughtBack(literalPatterns(name), odd)).toEqual([name]);
    const inside = odd.map((one) => `${name}/${one}`);
    expect(broughtBack(literalPatterns(`${name}/${name}`), inside)).toEqual([`${name}/${name}`]);
  });

  test('any name at all', () => {
    const name = fc
      .string({
        unit: fc.constantFrom('a', ' ', '*', '?', '[', ']', '\\', '!', '#', '-', '^', '\t', '\n', '\r', '\v', 'é', '.', '{', ':'),
        minLength: 1,
        maxLength: 6,
      })
      .filter((text) => text !== '.' && text !== '..');
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 2, maxLength: 8 }), (names) => {
        const [first = ''] = names;
        expect(broughtBack(literalPatterns(first), names)).toEqual([first]);
      }),
      { numRuns: 3000 },
    );
  });

  test('a name that is no UTF-8 comes back, although the page is told only how it looks', () => {
    const bytes = asBytePath('caf\xe9 [1]');
    const { includes } = compileIncludes(literalPatterns(showPath(bytes)));
    expect(includes(bytes, false)).toBe(true);
    expect(includes(asBytePath('cafe [1]'), false)).toBe(false);
    // And so does one in which somebody typed it like that.
    const typed: BytePath = pathFromText('caf\\xe9 [1]');
    expect(includes(typed, false)).toBe(true);
  });
});

describe('rows of a tree', () => {
  const file = (path: string): TreeEntry => ({ path, type: 'file', size: 1, mtime: '' });
  const folder = (path: string): TreeEntry => ({ path, type: 'directory', size: 0, mtime: '' });
  const shown = (rows: TreeRows): string[] => Array.from({ length: rows.count }, (_, number) => rows.at(number)?.entry.path ?? '?');
  const rowOf = (rows: TreeRows, path: string): Row => {
    const row = rows.at(shown(rows).indexOf(path));
    if (row === undefined) throw new Error(`${path} is not shown`);
    return row;
  };

  test('each is found by its number, and its number by where it is, whatever is open', () => {
    const rows = new TreeRows(new Folder('', [folder('a'), folder('b'), file('c')], null));
    rows.open(rowOf(rows, 'b'), [file('b/1'), file('b/2')]);
    const a = rows.open(rowOf(rows, 'a'), [folder('a/x'), file('a/y')]);
    rows.open(rowOf(rows, 'a/x'), [file('a/x/1')]);
    expect(shown(rows)).toEqual(['a', 'a/x', 'a/x/1', 'a/y', 'b', 'b/1', 'b/2', 'c']);
    for (let number = 0; number < rows.count; number += 1) {
      const row = rows.at(number);
      expect(row === undefined ? -1 : rows.numberOf(row.folder, row.index)).toBe(number);
    }
    expect([rows.at(-1), rows.at(8)]).toEqual([undefined, undefined]);
    expect(rowOf(rows, 'a/x').opened?.depth).toBe(2);
    rows.close(a);
    expect(shown(rows)).toEqual(['a', 'b', 'b/1', 'b/2', 'c']);
    expect(rowOf(rows, 'a').opened).toBeUndefined();
  });

  test('a folder that opens at once with empty ones beside it keeps their order', () => {
    const rows = new TreeRows(new Folder('', [folder('a'), folder('b'), folder('c')], null));
    for (const path of ['c', 'a', 'b']) rows.open(rowOf(rows, path), path === 'b' ? [] : [file(`${path}/1`)]);
    expect(shown(rows)).toEqual(['a', 'a/1', 'b', 'c', 'c/1']);
    // Read again: the new entries take the place of the old.
    const again = rowOf(rows, 'a');
    if (again.opened !== undefined) rows.close(again.opened);
    rows.open(rowOf(rows, 'a'), [file('a/1'), file('a/2')]);
    expect(shown(rows)).toEqual(['a', 'a/1', 'a/2', 'b', 'c', 'c/1']);
  });

  test('filled anew, folders stay open where they were, and each row is found again by its entry', () => {
    const inside: Record<string, TreeEntry[]> = {
      '': [folder('a'), folder('b'), file('c')],
      b: [folder('b/m'), file('b/z')],
      'b/m': [file('b/m/2')],
    };
    const rows = new TreeRows(new Folder('', inside[''] ?? [], null));
    for (const path of ['b', 'b/m']) rows.open(rowOf(rows, path), inside[path] ?? []);
    const before = [rowOf(rows, 'c'), rowOf(rows, 'b/z'), rowOf(rows, 'b/m/2')];
    const gone: Record<string, TreeEntry[]> = { '': [folder('aa')], b: [folder('b/c')], 'b/m': [file('b/m/1')] };
    const sorted = (entries: TreeEntry[]): TreeEntry[] => entries.toSorted((one, other) => (one.path < other.path ? -1 : 1));
    rows.refill((path) => sorted([...(gone[path] ?? []), ...(inside[path] ?? [])]));
    expect(shown(rows)).toEqual(['a', 'aa', 'b', 'b/c', 'b/m', 'b/m/1', 'b/m/2', 'b/z', 'c']);
    const again = before.map((row) => rows.again(row));
    expect(again.map((row) => (row === undefined ? -1 : rows.numberOf(row.folder, row.index)))).toEqual([8, 7, 6]);
    const opened = rowOf(rows, 'b').opened;
    if (opened !== undefined) rows.close(opened);
    expect(before.map((row) => rows.again(row)?.entry.path)).toEqual(['c', undefined, undefined]);
  });

  test('typing finds the next name, and goes round', () => {
    const rows = new TreeRows(new Folder('', [file('apple'), file('Banana'), file('blue'), file('cherry')], null));
    expect([rows.named('b', 0), rows.named('b', 2), rows.named('bl', 0), rows.named('a', 1), rows.named('x', 0)]).toEqual([
      1,
      2,
      2,
      0,
      null,
    ]);
  });

  test('folders on the way to what differs are marked, and what is gone stands where it was', () => {
    const changes = new Changes([
      { path: 'world/region/r.1.mca', kind: 'gone', size: 7 },
      { path: 'world/level.dat', kind: 'changed', size: 1 },
      { path: 'new folder', kind: 'new', size: 0 },
      { path: 'new folder/file', kind: 'new', size: 0 },
    ]);
    expect(['world', 'world/region', 'world/level.dat', 'world/other', 'new folder'].map((path) => changes.kind(path))).toEqual([
      ...['changed', 'changed', 'changed', undefined, 'new'],
    ]);
    const entry = (path: string, type: 'file' | 'directory') => ({ path, type, size: 0, mode: 0o644, mtime: '' });
    const there = [entry('world/region/r.10.mca', 'file'), entry('world/region/r.2.mca', 'file'), entry('world/region/old', 'directory')];
    expect(changes.shown('world/region', there).map(({ path, gone }) => [path, gone === true])).toEqual([
      ['world/region/old', false],
      ['world/region/r.1.mca', true],
      ['world/region/r.2.mca', false],
      ['world/region/r.10.mca', false],
    ]);
  });
});
