import { mkdirSync, rmSync, writeFileSync, linkSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { FindReport, FoundVersion } from '../../main/contract/look-reports.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { craftSnapshot, fileLine, rootLine } from '../support/craft-snapshot.ts';
import { put, world, type World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const find = (one: World, pattern: string, limit = 100): Promise<FindReport> => one.engine.find(one.destination, { pattern, limit }, {});
const versions = (one: World, path: string): Promise<FindReport> => one.engine.versions(one.destination, { path, limit: 100 }, {});
const runs = ({ snapshots }: FoundVersion): string[] => snapshots.map(({ newest, oldest, count }) => `${count}: ${newest} ${oldest}`);

let folder = '';
let days = 0;
beforeEach(() => {
  folder = tempFolder();
  mkdirSync(join(folder, 'world'));
});

/** Writes the files and backs up, a day later than the time before. */
async function day(one: World, files: Readonly<Record<string, string | null>>, whole?: 'always'): Promise<string> {
  for (const [name, content] of Object.entries(files)) {
    if (content === null) rmSync(join(folder, name));
    else writeFileSync(join(folder, name), content);
  }
  days += 1;
  return (await one.backup(folder, { force: true, time: Date.UTC(2026, 9, days), ...(whole === undefined ? {} : { whole }) })).id;
}

test('equal content is one version, with every stretch of snapshots that holds it; the newest comes first', async () => {
  const one = world();
  const a = await day(one, { 'world/level.dat': 'first', 'stays.dat': 'same' });
  const b = await day(one, { 'world/level.dat': 'second' });
  const c = await day(one, { 'world/level.dat': 'first', 'stays.dat': null });
  const d = await day(one, { 'stays.dat': 'same' });
  const { versions: found, searched, more, server } = await find(one, '*.dat');
  expect([searched, more, server]).toEqual([4, false, 'survival']);
  expect(found.map((one) => [one.path, one.size, one.sha256, runs(one)])).toEqual([
    ['stays.dat', 4, sha256('same'), [`1: ${d} ${d}`, `2: ${b} ${a}`]],
    ['world/level.dat', 5, sha256('first'), [`2: ${d} ${c}`, `1: ${a} ${a}`]],
    ['world/level.dat', 6, sha256('second'), [`1: ${b} ${b}`]],
  ]);
  expect(found.every(({ state, problem }) => state === 'whole' && problem === undefined)).toBe(true);
  const level = await versions(one, './world/level.dat');
  expect(level.versions).toEqual(found.slice(1));
});

test('a pattern finds what a restore with it would bring back', async () => {
  const one = world();
  await day(one, { 'world/level.dat': 'x', 'world/other': 'y', 'level.dat': 'z' });
  const paths = async (pattern: string): Promise<string[]> => (await find(one, pattern)).versions.map(({ path }) => path);
  expect(await paths('/level.dat')).toEqual(['level.dat']);
  expect(await paths('world/')).toEqual(['world', 'world/level.dat', 'world/other']);
  expect(await paths('world/l*')).toEqual(['world/level.dat']);
  expect(await codeOf(paths('*.mca'))).toBe('not-found');
  expect(await codeOf(versions(one, 'level'))).toBe('not-found');
});

test('a further name of a file has the content of the first', async () => {
  const one = world();
  writeFileSync(join(folder, 'a'), 'shared');
  linkSync(join(folder, 'a'), join(folder, 'z'));
  await day(one, {});
  expect((await versions(one, 'z')).versions).toMatchObject([{ path: 'z', sha256: sha256('shared'), size: 6, state: 'whole' }]);
});

test('no more is held than was asked for, and it is said that there is more', async () => {
  const one = world();
  const a = await day(one, { one: '1', two: '2', three: '3' });
  const b = await day(one, { three: '33' });
  const { versions: found, more } = await find(one, '*', 2);
  // Those that are held are followed to the oldest snapshot all the same.
  expect([found.map((version) => [version.path, runs(version)]), more]).toEqual([
    [
      ['one', [`2: ${b} ${a}`]],
      ['three', [`1: ${b} ${b}`]],
    ],
    true,
  ]);
  expect((await find(one, '*', 4)).more).toBe(true);
  expect((await find(one, '*', 5)).more).toBe(false);
});

test('of one path, a list is read no further than it can stand', async () => {
  const one = world();
  // Behind `b` stands what nobody could read.
  await craftSnapshot(one, {
    contents: ['a', 'b'],
    entries: (frames) => [rootLine, ...frames.map((frame) => fileLine(frame.content.toString(), frame)), 'no JSON'],
  });
  expect((await versions(one, 'a')).warnings).toEqual([]);
  expect((await find(one, 'a')).warnings).toHaveLength(1);
});

test('what reading has left is given back after some dozens of manifests', async () => {
  let times = 0;
  const one = world({ host: { giveBack: () => (times += 1) } });
  for (let count = 0; count < 33; count += 1) await craftSnapshot(one, { time: Date.UTC(2026, 9, 1, 0, 0, count) });
  await find(one, 'file0');
  expect(times).toBe(1);
  await one.engine.usage(one.destination, {}, {});
  expect(times).toBe(2);
});

describe('what cannot be brought back', () => {
  test('a snapshot that cannot be looked into is told and hides no other', async () => {
    const one = world();
    const a = await day(one, { one: '1' });
    const b = await day(one, {});
    const c = await day(one, {});
    await put(one.backend, `survival/${b}.manifest`, 'HOLDFAST of another kind, and far too short');
    const { versions: found, warnings } = await find(one, 'one');
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringContaining(b)]);
    expect(found.map(runs)).toEqual([[`1: ${c} ${c}`, `1: ${a} ${a}`]]);
  });

  test('data that is gone, or not as long as it was, is told as missing: the same content elsewhere is another version', async () => {
    const one = world();
    const a = await day(one, { one: '1' });
    const b = await day(one, {}, 'always');
    await one.backend.remove(`survival/${b}.holdfast`);
    expect((await versions(one, 'one')).versions.map((version) => [version.state, runs(version)])).toEqual([
      ['missing', [`1: ${b} ${b}`]],
      ['whole', [`1: ${a} ${a}`]],
    ]);
    await put(one.backend, `survival/${a}.holdfast`, 'short');
    expect((await versions(one, 'one')).versions.map(({ state, problem }) => [state, problem])).toEqual([
      ['missing', expect.stringMatching(/is gone$/)],
    ]);
  });
});
