import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { filesIn, flipped, makeTree, manifestLines } from '../support/damage.ts';
import { movableClock, put, world, type World } from '../support/engine-on-memory.ts';

/** In the middle of the archive's second frame or so: some files, and by far not all. */
const place = 5_000_000;

const folder = mkdtempSync(join(tmpdir(), 'holdfast-looking-'));
afterAll(() => rmSync(folder, { recursive: true }));
let one: World;
let first = '';
let second = '';
let archive = '';
let lost: readonly string[] = [];
let bytes = new Map<string, Buffer>();

/** Two whole snapshots of one folder; a byte of the second one's archive is flipped, and a verification has found it. */
beforeAll(async () => {
  one = world({ clock: movableClock() });
  makeTree(folder);
  writeFileSync(join(folder, 'zero'), 'the only file in the last frame of content');
  first = (await one.backup(folder, { force: true })).id;
  const written = await one.backup(folder, { force: true, whole: 'always' });
  second = written.id;
  archive = written.archives[0] ?? '';
  bytes = new Map([[archive, Buffer.from(await readBytes(one.backend, archive, { limit: 2 ** 30 }))]]);
  const manifest = await readBytes(one.backend, `survival/${second}.manifest`, { limit: 2 ** 30 });
  lost = filesIn(await manifestLines(one, manifest), archive, { from: place, to: place + 1 });
  await put(one.backend, archive, flipped(bytes.get(archive) ?? Buffer.alloc(0), place));
  expect((await one.verify({ snapshot: second })).damage).not.toEqual([]);
  expect(lost.length).toBeGreaterThan(0);
  expect(lost.length).toBeLessThan(readdirSync(join(folder, 'small')).length);
});

const statesOf = async (path: string): Promise<readonly (readonly [string, string | undefined])[]> => {
  const { versions } = await one.engine.versions(one.destination, { path, limit: 10 }, {});
  return versions.map(({ state, snapshots }) => [state, snapshots[0]?.newest] as const);
};

test('versions: what lies in the damaged frame is damaged there and whole in the other snapshot; the rest is one whole version', async () => {
  expect(await statesOf(lost[0] ?? '')).toEqual([
    ['damaged', second],
    ['whole', first],
  ]);
  expect(await statesOf('zero')).toEqual([['whole', second]]);
});

test('find: just the files that a restore would lose are damaged', async () => {
  const { versions } = await one.engine.find(one.destination, { pattern: '*', limit: 100_000 }, {});
  const damaged = versions.filter(({ state }) => state === 'damaged');
  expect(damaged.map(({ path }) => path).sort()).toEqual(lost);
  expect(damaged.every(({ problem }) => problem === `${archive} is damaged there, as a verification found`)).toBe(true);
});

test('usage: the snapshot is damaged, with as many files; the other one is whole', async () => {
  const { servers } = await one.engine.usage(one.destination, {}, {});
  // Further names of a file are not counted again.
  const files = lost.filter((path) => path !== 'middle1-again').length;
  expect(servers[0]?.snapshots.map(({ id, state, damagedFiles }) => [id, state, damagedFiles])).toEqual([
    [first, 'whole', 0],
    [second, 'damaged', files],
  ]);
});

test('a mark that cannot be read speaks of the whole archive; once it is taken off, all is whole', async () => {
  const mark = Buffer.from(await readBytes(one.backend, `${archive}.damaged`, { limit: 2 ** 20 }));
  await put(one.backend, `${archive}.damaged`, flipped(mark, mark.length - 1));
  expect((await statesOf('zero')).map(([state]) => state)).toEqual(['damaged', 'whole']);
  await put(one.backend, archive, bytes.get(archive) ?? '');
  await one.verify({ snapshot: second });
  expect(await statesOf(lost[0] ?? '')).toEqual([['whole', second]]);
});

test('an archive that was cut short is missing what it should hold', async () => {
  await put(one.backend, archive, (bytes.get(archive) ?? Buffer.alloc(0)).subarray(0, place));
  await one.verify({ snapshot: second });
  const { servers } = await one.engine.usage(one.destination, {}, {});
  expect(servers[0]?.snapshots.map(({ state }) => state)).toEqual(['whole', 'missing']);
  expect((await statesOf('zero')).map(([state]) => state)).toEqual(['missing', 'whole']);
});
