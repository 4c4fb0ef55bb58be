import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { folderBackend } from '../../main/adapters/storage/folder/folder-backend.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';
import { volumeOf } from '../../main/engine/snapshots/names.ts';
import { loadVault } from '../../main/engine/snapshots/vault-store.ts';
import { differences, seeTree } from '../support/compare-trees.ts';
import { password, Workshop } from '../support/run-holdfast.ts';

/*
 * The real command, killed with -9 at every border of a volume and in between: what it had finished is not sent again. What counts as sent is every byte that
 * was handed to the destination, whatever became of it.
 */

const shop = new Workshop('going-on');
const source = shop.path('survival');
const volumeSize = 2 ** 20;
const inVolumes = ['--volume-size', '1M'];
/** So slow that a look every few milliseconds misses nothing. */
const slowly = [...inVolumes, '--limit-upload', '4M'];
/** What is around the content of so many volumes. */
const overhead = 1.1;
/** The programs beside the vault, and objects that go at once. */
const aside = 100_000;
const counter = pathToFileURL(join(import.meta.dirname, '..', 'support', 'count-writes.mjs')).href;
/** Of the small files on each side of the large one: no two of them fill a volume, and both together would be one and a half. */
const smallSizes = [500_000, 900_000];
const largeSize = 8 * 2 ** 20 + 400_000;
/** What is around a volume: its ZIP's directory, and the seal. */
const aroundVolume = 64 * 1024;
/** What a kill costs at most. */
const largestVolume = 1.1 * volumeSize + aroundVolume;
/** The volumes of a run that nothing ends, and the bytes of each. */
let [volumes, sizes]: [number, readonly number[]] = [0, []];

beforeAll(async () => {
  mkdirSync(join(source, 'region'), { recursive: true });
  // One file that goes on over most of the volumes, and small ones before and behind it. Nothing of it can be compressed.
  for (const [file, size] of smallSizes.entries()) {
    writeFileSync(join(source, `a${file}`), randomBytes(size));
    writeFileSync(join(source, 'region', `r${file}`), randomBytes(size));
  }
  writeFileSync(join(source, 'level.db'), randomBytes(largeSize));
  const place = await newPlace('whole');
  await ended(place);
  const archives = [...look(place).objects]
    .filter(([name]) => name.endsWith('.holdfast'))
    .toSorted(([a], [b]) => volumeOf(a) - volumeOf(b));
  sizes = archives.map(([, size]) => size);
  volumes = sizes.length;
  expect(volumes).toBeGreaterThanOrEqual(6);
  // What a kill costs: no volume is longer.
  expect(sizes.filter((size) => size > largestVolume)).toEqual([]);
});

/** What lies in a destination: bytes of objects, by name, and of uploads that did not end. */
function look(place: string): { readonly objects: ReadonlyMap<string, number>; readonly unfinished: number } {
  const sizesIn = (folder: string): [string, number][] => {
    try {
      return readdirSync(folder).map((name) => [name, statSync(join(folder, name)).size]);
    } catch (error) {
      // Not made yet, or what was seen is an object by now.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  };
  const uploads = sizesIn(join(place, '.holdfast-uploads')).filter(([name]) => !name.endsWith('.key'));
  return { objects: new Map(sizesIn(join(place, 'survival'))), unfinished: uploads.reduce((sum, [, size]) => sum + size, 0) };
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
/** For `env`: the command counts what it writes to the destination, and dies by itself where `dies` says so (count-writes.mjs). */
const counted = (place: string, dies = ''): readonly string[] => [
  `NODE_OPTIONS=--import=${counter}`,
  `WRITES_TO=${place}.writes`,
  ...(dies === '' ? [] : [dies]),
];

/** Bytes that all runs have handed to a destination. */
function sentTo(place: string): number {
  const writes = existsSync(`${place}.writes`) ? readFileSync(`${place}.writes`, 'utf8').split('\n') : [];
  return sum(writes.map(Number));
}

async function dies(place: string, where: string): Promise<void> {
  const run = await shop.run(backup(place, inVolumes), { under: counted(place, where) });
  expect([where, run.signal, run.stderr]).toEqual([where, 'SIGKILL', '']);
}

/** From outside, when something is seen. False: it was done before. */
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
  const run = await shop.run(backup(place, inVolumes), { under: counted(place) });
  expect([run.code, run.stderr]).toEqual([0, '']);
  expect([...look(place).objects.keys()].filter((name) => name.endsWith('.partial'))).toEqual([]);
}

async function expectRestored(place: string, back: string): Promise<void> {
  expect((await shop.run(['restore', 'latest', '-d', `folder:${place}`, '--target', back])).code).toBe(0);
  expect(differences(seeTree(source, { owners: false }), seeTree(back, { owners: false }))).toEqual([]);
}

const countOf = ({ objects }: Seen, ending: string): number => [...objects.keys()].filter((name) => name.endsWith(ending)).length;
const sum = (all: Iterable<number>): number => [...all].reduce((total, size) => total + size, 0);
const dataSize = 2 * sum(smallSizes) + largeSize;

/** The run after one kill: both together send the data, what is around it, and the volume that was cut off. */
async function expectGoneOn(place: string, where: string): Promise<void> {
  const { objects, unfinished } = look(place);
  // The count is one of bytes: what is there has been counted, and no more than the vault and trial objects besides.
  const there = sum(objects.values()) + unfinished;
  expect([where, sentTo(place) >= there && sentTo(place) <= there + aside, there]).toEqual([where, true, there]);
  await ended(place);
  const bytes = sentTo(place);
  expect([where, bytes < overhead * dataSize + volumeSize, bytes]).toEqual([where, true, bytes]);
}

describe('killed once, in a history of its own each time', () => {
  const borders: readonly (readonly [string, string])[] = [
    ['is an object', '.holdfast'],
    ['has its checksum file', '.holdfast.sha256'],
    ['is written down', '.partial'],
  ];
  test.each(borders)('when a volume %s, at each of them: the next run sends the rest', async (name, ending) => {
    // The last volume is not written down.
    const last = ending === '.partial' ? volumes - 1 : volumes;
    for (let volume = 1; volume <= last; volume += 1) {
      const place = await newPlace(`${name} ${volume}`);
      await dies(place, `DIES_AT=${ending}:${volume}`);
      await expectGoneOn(place, `${name} ${volume}`);
      if (volume === last - 1) await expectRestored(place, shop.path(`back ${name}`));
    }
  });

  test.each([100_000, 1_000_000])('when %i bytes of a volume are sent, of each of them: the next run sends the rest', async (bytes) => {
    let inside = 0;
    for (let volume = 1; volume <= volumes; volume += 1) {
      const place = await newPlace(`${bytes} bytes of ${volume}`);
      // A volume may have fewer.
      if (bytes >= (sizes[volume - 1] ?? 0)) continue;
      await dies(place, `DIES_IN=${volume}:${bytes}`);
      const { objects, unfinished } = look(place);
      expect([countOf({ objects, unfinished }, '.holdfast'), unfinished]).toEqual([volume - 1, bytes]);
      await expectGoneOn(place, `${bytes} bytes of ${volume}`);
      if (volume === 4) await expectRestored(place, shop.path(`back ${bytes}`));
      inside += 1;
    }
    expect(inside).toBeGreaterThanOrEqual(volumes / 2);
  });
});

async function expectSound(place: string, back: string): Promise<void> {
  // A second one where a run was done before it was killed: what is younger than a minute counts as changed once more.
  expect([1, 2]).toContain(countOf(look(place), '.manifest'));
  await expectRestored(place, shop.path(back));
  const verified = await shop.run(['verify', 'all', '-d', `folder:${place}`]);
  expect([verified.code, verified.stdout + verified.stderr]).toEqual([0, expect.anything()]);
}

describe('killed again and again', () => {
  test('at the moment each volume is written down: all runs together send the data once', async () => {
    const place = await newPlace('borders');
    for (let kills = 1; kills < volumes; kills += 1) {
      await dies(place, 'DIES_AT=.partial:1');
      // What is taken over is said again, so there are more than one a volume.
      expect(countOf(look(place), '.partial')).toBeGreaterThanOrEqual(kills);
    }
    await ended(place);
    const bytes = sentTo(place);
    expect([bytes >= dataSize, bytes < overhead * dataSize + volumeSize, bytes]).toEqual([true, true, bytes]);
    await expectSound(place, 'back from borders');
  });

  test('inside of each volume: what was sent of it is lost, and of those before nothing', async () => {
    const place = await newPlace('inside');
    const cutOff = 500_000;
    for (let volume = 1; volume < volumes; volume += 1) await dies(place, `DIES_IN=2:${cutOff}`);
    await ended(place);
    const bytes = sentTo(place);
    const most = overhead * dataSize + (volumes - 1) * cutOff;
    expect([bytes >= dataSize + (volumes - 1) * cutOff, bytes < most, bytes]).toEqual([true, true, bytes]);
    await expectSound(place, 'back from inside');
  });

  test('from outside, at borders and between them: each kill costs a volume at most', async () => {
    const place = await newPlace('again and again');
    let kills = 0;
    for (let volume = 0; volume < volumes - 2; volume += 1) {
      // On a busy computer a run gets further than the volume that it was to be killed at, and so there are fewer of them.
      if (!(await killed(place, (seen) => countOf(seen, '.partial') > volume && (volume % 2 === 0 || seen.unfinished > volumeSize / 2))))
        break;
      kills += 1;
    }
    expect(kills).toBeGreaterThanOrEqual(2);
    await ended(place);
    const bytes = sentTo(place);
    expect([bytes < overhead * dataSize + kills * volumeSize, kills, bytes]).toEqual([true, kills, bytes]);
    await expectSound(place, 'back again');
  });
});
