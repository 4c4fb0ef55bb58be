import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { CallReply, CallRequest } from '../../main/contract/calls.ts';
import { asFault } from '../../main/contract/faults.ts';
import { pathFromText } from '../../main/engine/archive/byte-path.ts';
import type { ManifestEntry } from '../../main/engine/snapshots/manifest-entry.ts';
import { compareInWalkOrder, inWalkOrder, merged } from '../../main/engine/snapshots/walk-order.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { world as realEngine } from '../support/engine-on-memory.ts';
import { serviceWorld, type ServiceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

type Name = Extract<keyof ServiceWorld['service']['calls'], `snapshot${string}` | 'cleanup.preview'>;
const place = { slug: 'survival', destination: 'here' };
const latest = { ...place, snapshot: 'latest' };

let folder = '';
beforeEach(() => {
  folder = tempFolder();
  mkdirSync(join(folder, 'region', 'deep'), { recursive: true });
  for (const name of ['level.dat', 'region/r.0.mca', 'region/deep/Kärt.txt', 'region-old.zip']) put(name, 'blocks', 1);
});

/** A file whose time is that many days after 1970: what the test says has changed, and nothing else. */
function put(name: string, content: string, day: number): void {
  writeFileSync(join(folder, name), content);
  utimesSync(join(folder, name), day * 86_400, day * 86_400);
}

async function call<N extends Name>(world: ServiceWorld, name: N, request: CallRequest<N>): Promise<CallReply<N>> {
  const handler = world.service.calls[name] as unknown as (request: CallRequest<N>, signal: AbortSignal) => Promise<CallReply<N>>;
  return await handler(request, new AbortController().signal);
}

async function backedUp(world: ServiceWorld): Promise<string> {
  return (await world.engine.backup(folder, { server: 'Survival', force: true })).id;
}

test('the entries of a folder are those directly in it', async () => {
  const world = serviceWorld({ folder });
  await backedUp(world);
  const names = async (path: string): Promise<string[]> =>
    (await call(world, 'snapshot.entries', { ...latest, path })).map((entry) => entry.path);
  expect(await names('')).toEqual(['level.dat', 'region', 'region-old.zip']);
  expect(await names('/region/')).toEqual(['region/deep', 'region/r.0.mca']);
  expect(await names('region/deep')).toEqual(['region/deep/Kärt.txt']);
  expect(await codeOf(names('nether'))).toBe('not-found');
});

test('a search looks at the whole path, small and capital letters alike, and says whether there is more', async () => {
  const world = serviceWorld({ folder });
  await backedUp(world);
  const search = async (text: string, limit = 10): Promise<readonly [string[], boolean]> => {
    const { entries, more } = await call(world, 'snapshot.search', { ...latest, text, limit });
    return [entries.map(({ path }) => path), more];
  };
  expect(await search('REGION')).toEqual([['region', 'region/deep', 'region/deep/Kärt.txt', 'region/r.0.mca', 'region-old.zip'], false]);
  expect(await search('region', 2)).toEqual([['region', 'region/deep'], true]);
  expect(await search('region-old', 1)).toEqual([['region-old.zip'], false]);
  // As a Mac writes it: the letter and its dots apart.
  expect(await search('kärt'.normalize('NFD'))).toEqual([['region/deep/Kärt.txt'], false]);
  expect(await search('nether')).toEqual([[], false]);
});

test('changes are told against the complete snapshot before; of the first, everything is new', async () => {
  const world = serviceWorld({ folder });
  const first = await backedUp(world);
  const of = (snapshot: string, limit = 100): Promise<CallReply<'snapshot.changes'>> =>
    call(world, 'snapshot.changes', { ...place, snapshot, limit });
  expect(await of(first)).toMatchObject({ before: null, created: 6, changed: 0, gone: 0 });

  put('level.dat', 'more blocks', 1);
  put('region/r.0.mca', 'BLOCKS', 2);
  put('region/r.1.mca', 'blocks', 1);
  rmSync(join(folder, 'region', 'deep'), { recursive: true });
  put('region/deep', 'now a file', 1);
  const second = await backedUp(world);
  const changes = await of(second);
  expect(changes).toMatchObject({ before: first, created: 1, changed: 3, gone: 1 });
  expect(changes.list.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
    'changed level.dat',
    'changed region/deep',
    'gone region/deep/Kärt.txt',
    'changed region/r.0.mca',
    'new region/r.1.mca',
  ]);
  expect(await of(second, 1)).toMatchObject({ created: 1, changed: 3, gone: 1, list: [{ path: 'level.dat', size: 11 }] });
  // A snapshot that is not complete is none to compare with.
  const third = await backedUp(world);
  await world.engine.backend.remove(`survival/${second}.manifest`);
  expect((await of(third)).before).toBe(first);
});

test('a clean-up is shown with its reasons by who may only read, and while a backup runs; nothing is removed', async () => {
  const owner = realEngine({ machine: 'another' });
  for (let count = 0; count < 3; count += 1) await owner.backup(folder, { server: 'Survival', force: true });
  const locked: string[] = [];
  const lock = (name: string): Promise<never> => {
    locked.push(name);
    return Promise.reject(new Error('a backup is running'));
  };
  const mine = realEngine({ backend: owner.backend, host: { lock } });
  const world = serviceWorld({ folder, engine: mine, servers: [{ keep: { last: 1 } }] });
  const preview = await call(world, 'cleanup.preview', place);
  expect([preview.keep.length, preview.remove.length, locked]).toEqual([1, 2, []]);
  expect(preview.keep[0]?.reasons).toEqual([expect.stringContaining('last')]);
  expect(preview.freedBytes).toBeGreaterThan(0);
  expect(await call(world, 'snapshots.list', place)).toHaveLength(3);
});

test('without rules nothing is ever cleaned up', async () => {
  const world = serviceWorld({ folder });
  await backedUp(world);
  await backedUp(world);
  expect(await call(world, 'cleanup.preview', place)).toMatchObject({ keep: [{}, {}], remove: [], freedBytes: 0 });
});

const entry = (path: string): ManifestEntry => ({ path: pathFromText(path) }) as ManifestEntry;
async function* entries(...paths: readonly string[]): AsyncGenerator<ManifestEntry> {
  for (const path of paths) yield Promise.resolve(entry(path));
}

test('the order of a manifest is that of its folders, not of its letters', () => {
  const paths = ['.', 'a', 'a/b', 'a/b/c', 'a!', 'a-b', 'a.b', 'ab', 'b'].map(pathFromText);
  expect(paths.toReversed().sort(compareInWalkOrder)).toEqual(paths);
});

test('two lists are merged with one entry of each in memory; one out of order is refused', async () => {
  const pairs: string[] = [];
  for await (const [a, b] of merged(entries('.', 'a', 'a/b', 'c'), entries('.', 'a!', 'c', 'd')))
    pairs.push(`${a?.path ?? '-'} ${b?.path ?? '-'}`);
  expect(pairs).toEqual(['. .', 'a -', 'a/b -', '- a!', 'c c', '- d']);
  const all = async (source: AsyncIterable<unknown>): Promise<void> => {
    for await (const one of source) expect(one).toBeDefined();
  };
  expect(await codeOf(all(inWalkOrder(entries('a!', 'a/b'), 'x')))).toBe('corrupt');
  expect(await codeOf(all(inWalkOrder(entries('a', 'a'), 'x')))).toBe('corrupt');
});

test('a snapshot that a clean-up has removed is not there any more, whatever of it later ones still need', async () => {
  const world = serviceWorld({ folder });
  const first = await backedUp(world);
  put('level.dat', 'other blocks', 2);
  await backedUp(world);
  await world.engine.prune({ server: 'Survival', policy: { last: 1 } });
  const said = async (work: Promise<unknown>): Promise<unknown> => {
    try {
      return await work;
    } catch (error) {
      const { code, context } = asFault(error, 'look');
      return [code, context['say']];
    }
  };
  const gone = ['not-found', 'snapshot-gone'];
  expect(await said(call(world, 'snapshot.entries', { ...place, snapshot: first, path: '' }))).toEqual(gone);
  expect(await said(world.engine.restore(join(tempFolder(), 'back'), { server: 'Survival', snapshot: first }))).toEqual(gone);
  expect(await said(world.engine.verify({ server: 'Survival', snapshot: first }))).toEqual(gone);
});
