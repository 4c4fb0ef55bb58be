import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { folderBackend } from '../../main/adapters/storage/folder/folder-backend.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';
import { loadVault } from '../../main/engine/snapshots/vault-store.ts';
import { differences, seeTree } from '../support/compare-trees.ts';
import { password, Workshop } from '../support/run-holdfast.ts';

/*
 * The real command, killed with -9 at every border of a volume and in between: what it had finished is not sent again. What counts as sent is every byte that
 * was handed to the destination, whatever became of it.
 */

const shop = new Workshop('going-on');
const source = shop.path('survival');
const volumes = 12;
const volumeSize = 2 ** 20;
const timeout = 400_000;
/** So slow that a look every few milliseconds misses nothing. */
const slowly = ['--volume-size', '1M', '--limit-upload', '4M'];
/** What is around the content of so many volumes. */
const overhead = 1.1;
const counter = pathToFileURL(join(import.meta.dirname, '..', 'support', 'count-writes.mjs')).href;
let dataSize = 0;

beforeAll(() => {
  mkdirSync(join(source, 'region'), { recursive: true });
  // One file that goes on over most of the volumes, and small ones before and behind it. Nothing of it can be compressed.
  for (let file = 0; file < 6; file += 1) writeFileSync(join(source, `a${file}`), randomBytes(300_000));
  writeFileSync(join(source, 'level.db'), randomBytes(8 * 2 ** 20 + 400_000));
  for (let file = 0; file < 6; file += 1) writeFileSync(join(source, 'region', `r${file}`), randomBytes(300_000));
  dataSize = 12 * 300_000 + 8 * 2 ** 20 + 400_000;
});

/** What lies in a destination: bytes of objects, by name, and of uploads that did not end. */
function look(place: string): { readonly objects: ReadonlyMap<string, number>; readonly unfinished: number } {
  const sizes = (folder: string): [string, number][] => {
    try {
      return readdirSync(folder).map((name) => [name, statSync(join(folder, name)).size]);
    } catch (error) {
      // Not made yet, or what was seen is an object by now.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  };
  const uploads = sizes(join(place, '.holdfast-uploads')).filter(([name]) => !name.endsWith('.key'));
  return { objects: new Map(sizes(join(place, 'survival'))), unfinished: uploads.reduce((sum, [, size]) => sum + size, 0) };
}

type Seen = ReturnType<typeof look>;

/** A destination whose vault asks for fewer iterations: ours take more than 100 ms of each of the many short runs. */
async function newPlace(name: string): Promise<string> {
  const place = shop.path(name);
  mkdirSync(place);
  const create = { random: systemRandom, iterations: 100_000 };
  await loadVault(folderBackend(place), { credentials: { kind: 'password', password }, create });
  return place;
}

const backup = (place: string, args: readonly string[]): readonly string[] => ['backup', source, '-d', `folder:${place}`, ...args];
/** For `env`: the command counts what it writes to the destination, and may die by itself. */
const counted = (place: string, diesAt = ''): readonly string[] => [
  `NODE_OPTIONS=--import=${counter}`,
  `WRITES_TO=${place}.writes`,
  `DIES_AT=${diesAt}`,
];

/** Bytes that all runs have handed to a destination. */
function sentTo(place: string): number {
  const writes = existsSync(`${place}.writes`) ? readFileSync(`${place}.writes`, 'utf8').split('\n') : [];
  return sum(writes.map(Number));
}

/** False: it was done before. */
async function killed(place: string, when: (seen: Seen) => boolean): Promise<boolean> {
  const run = await shop.run(backup(place, slowly), {
    under: counted(place),
    onStart: (child) => {
      const timer = setInterval(() => {
        if (!when(look(place))) return;
        clearInterval(timer);
        child.kill('SIGKILL');
      }, 2);
      child.once('exit', () => clearInterval(timer));
    },
  });
  expect(
    [
      [null, 0],
      ['SIGKILL', null],
    ],
    run.stdout,
  ).toContainEqual([run.signal, run.code]);
  return run.signal !== null;
}

async function ended(place: string): Promise<void> {
  const run = await shop.run(backup(place, ['--volume-size', '1M']), { under: counted(place) });
  expect([run.code, run.stderr]).toEqual([0, '']);
  expect([...look(place).objects.keys()].filter((name) => name.endsWith('.partial'))).toEqual([]);
}

async function expectRestored(place: string, back: string): Promise<void> {
  expect((await shop.run(['restore', 'latest', '-d', `folder:${place}`, '--target', back])).code).toBe(0);
  expect(differences(seeTree(source, { owners: false }), seeTree(back, { owners: false }))).toEqual([]);
}

const countOf = ({ objects }: Seen, ending: string): number => [...objects.keys()].filter((name) => name.endsWith(ending)).length;
const sum = (sizes: Iterable<number>): number => [...sizes].reduce((total, size) => total + size, 0);

const moments: readonly (readonly [string, (volume: number) => (seen: Seen) => boolean])[] = [
  ['is an object', (volume) => (seen) => countOf(seen, '.holdfast') > volume],
  ['has its checksum file', (volume) => (seen) => countOf(seen, '.holdfast.sha256') > volume],
  ['is written down', (volume) => (seen) => countOf(seen, '.partial') > volume],
  ['is half sent', (volume) => (seen) => countOf(seen, '.holdfast') === volume && seen.unfinished > volumeSize / 2],
];

describe('killed once', () => {
  test.each(moments)('when a volume %s: the next run sends the rest', { timeout }, async (name, at) => {
    // Each moment at every third volume, and between them at every one.
    const first = moments.findIndex((moment) => moment[0] === name) % 3;
    for (let volume = first; volume < volumes - 1; volume += 3) {
      const place = await newPlace(`${name} ${volume}`);
      expect(await killed(place, at(volume))).toBe(true);
      const { objects, unfinished } = look(place);
      // The count is one of bytes: what is there has been counted, and no more than what came in that instant besides.
      const there = sum(objects.values()) + unfinished;
      expect([volume, sentTo(place) >= there && sentTo(place) <= there + volumeSize]).toEqual([volume, true]);
      await ended(place);
      const bytes = sentTo(place);
      expect([volume, bytes < overhead * dataSize + volumeSize, bytes]).toEqual([volume, true, bytes]);
      if (volume === first + 6) await expectRestored(place, shop.path(`back ${name}`));
    }
  });
});

/** Each run finishes one volume more. How many were killed until there was no border left. */
async function killedAtBorders(place: string): Promise<number> {
  for (let kills = 0; kills <= volumes; kills += 1) {
    const run = await shop.run(backup(place, ['--volume-size', '1M']), { under: counted(place, '.partial') });
    if (run.signal === null) {
      expect([run.code, run.stderr]).toEqual([0, '']);
      return kills;
    }
    expect(run.signal).toBe('SIGKILL');
    expect(countOf(look(place), '.partial')).toBeGreaterThan(kills);
  }
  throw new Error('runs that each finish a volume do not come to an end');
}

async function expectSound(place: string, back: string): Promise<void> {
  // A second one where a run was done before it was killed: what is younger than a minute counts as changed once more.
  expect([1, 2]).toContain(countOf(look(place), '.manifest'));
  await expectRestored(place, shop.path(back));
  const verified = await shop.run(['verify', 'all', '-d', `folder:${place}`]);
  expect([verified.code, verified.stdout + verified.stderr]).toEqual([0, expect.anything()]);
}

test('killed at the moment each volume is written down, run after run: all of them together send the data once', { timeout }, async () => {
  const place = await newPlace('borders');
  expect(await killedAtBorders(place)).toBeGreaterThanOrEqual(volumes - 3);
  const bytes = sentTo(place);
  expect([bytes >= dataSize, bytes < overhead * dataSize + volumeSize, bytes]).toEqual([true, true, bytes]);
  await expectSound(place, 'back from borders');
});

test(
  'killed at the border of every volume, run after run, and in the middle of the next: each kill costs a volume at most',
  { timeout },
  async () => {
    const place = await newPlace('again and again');
    let kills = 0;
    for (let volume = 0; volume < volumes - 2; volume += 1) {
      // On a busy computer a run gets further than the volume that it was to be killed at, and so there are fewer of them.
      if (!(await killed(place, (seen) => countOf(seen, '.partial') > volume && (volume % 2 === 0 || seen.unfinished > volumeSize / 2))))
        break;
      kills += 1;
    }
    expect(kills).toBeGreaterThanOrEqual(4);
    await ended(place);
    const bytes = sentTo(place);
    // What was sent of the volume that a kill cuts off is sent again, after each of them.
    expect([bytes < overhead * dataSize + kills * volumeSize, kills, bytes]).toEqual([true, kills, bytes]);
    await expectSound(place, 'back again');
  },
);
