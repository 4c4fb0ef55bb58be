import { readFileSync, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sealedRange } from '../../main/engine/archive/seal.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { countingReads, sumOf, type Reads } from '../support/counting-reads.ts';
import { flipped } from '../support/damage.ts';
import { put, world, type World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { craftToAndFro, stretchesIn, type ToAndFro } from '../support/to-and-fro.ts';

/** Files whose content goes back and forth between the archives of several runs (docs/format.md, "Manifest"). */

const timeout = 600_000;
const names = ['world.db', 'world.db.copy', 'world.db.name'];

/** Flips a byte in the middle of a frame of the second archive of three: number 2 of the newest manifest. */
async function hurtSecond(one: World, { archives: [, second] }: ToAndFro, frame: number): Promise<void> {
  const place = second.frames[frame];
  if (place === undefined) throw new Error('there is no such frame');
  const { range } = sealedRange({ offset: place.offset + Math.floor(place.stored / 2), length: 1 }, second.archiveInfo.size);
  const bytes = Buffer.from(await readBytes(one.backend, second.archive, { limit: 2 ** 30 }));
  await put(one.backend, second.archive, flipped(bytes, range.offset + 10));
}

describe('a file whose pieces lie to and fro in three archives', () => {
  test('comes back whole, alone and with all, under its further name too', { timeout }, async () => {
    const one = world();
    const made = await craftToAndFro(one);
    const whole = join(tempFolder(), 'back');
    const report = await one.restore(whole);
    expect(report.damaged).toEqual([]);
    for (const name of names) expect(readFileSync(join(whole, name)).equals(made.content)).toBe(true);
    expect(statSync(join(whole, 'world.db')).ino).toBe(statSync(join(whole, 'world.db.name')).ino);
    for (const name of names) {
      const alone = join(tempFolder(), 'back');
      await one.restore(alone, { include: [name] });
      expect(readdirSync(alone)).toEqual([name]);
      expect(readFileSync(join(alone, name)).equals(made.content)).toBe(true);
    }
  });

  test('verifies, alone and among several snapshots', { timeout }, async () => {
    const one = world();
    const { id } = await craftToAndFro(one);
    expect((await one.verify()).damage).toEqual([]);
    expect((await one.verify({ snapshot: id })).damage).toEqual([]);
    expect((await one.verify({ snapshot: id, quick: true })).damage).toEqual([]);
  });

  test('one that is not what its hash says is found, and costs its own name only', { timeout }, async () => {
    const one = world();
    const { id } = await craftToAndFro(one, { lie: true });
    const { damage } = await one.verify({ snapshot: id });
    const lost = (kind: string): readonly string[] =>
      damage.filter((one) => one.kind === kind).flatMap(({ files }) => files.map(({ path }) => path));
    expect(lost('files')).toEqual(['world.db.copy']);
    // And where it lies, each place once.
    const places = damage.filter(({ kind }) => kind === 'content').map(({ object, range }) => `${object} ${String(range)}`);
    expect([damage.length - 1, new Set(places).size, lost('content')]).toEqual([places.length, places.length, []]);
    expect(places.length).toBeGreaterThan(0);
    await expect(one.restore(join(tempFolder(), 'back'))).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('larger than a window: each archive is read once, and its frames again for each such file and window', { timeout }, async () => {
    const one = world();
    const { id, archives, content } = await craftToAndFro(one, { framesEach: 12, pieceSize: 300_000 });
    expect(content.length).toBeGreaterThan(40 * 2 ** 20);
    const reads: Reads = new Map();
    const report = await world({ backend: countingReads(one.backend, reads) }).verify({ snapshot: id });
    expect(report.damage).toEqual([]);
    const stored = archives.reduce((sum, { archiveInfo }) => sum + archiveInfo.size, 0);
    const { count, bytes } = sumOf(reads, '.holdfast');
    process.stdout.write(`two files in ${3 * 12 * 4} pieces each: ${count} reads, ${(bytes / stored).toFixed(2)} times the archives\n`);
    // Once whole, for the seek table too; then each of the two files, of two windows, once for each archive and window.
    expect(count).toBeLessThanOrEqual(3 * 2 + 2 * 2 * 3 + 12);
    expect(bytes / stored).toBeLessThan(5.2);
  });

  test('looking: ls, find, versions and usage know it, and a verification’s mark costs just the files in it', { timeout }, async () => {
    const one = world();
    const made = await craftToAndFro(one);
    await hurtSecond(one, made, 2);
    await one.verify({ snapshot: made.id });
    const listed: string[] = [];
    for await (const { path } of one.engine.list(one.destination, { snapshot: made.id }, {})) listed.push(path);
    expect(listed).toEqual(expect.arrayContaining(names));
    const { versions } = await one.engine.find(one.destination, { pattern: '*', limit: 1000 }, {});
    const lost = versions.filter(({ state, snapshots }) => state === 'damaged' && snapshots.some(({ newest }) => newest === made.id));
    expect(lost.map(({ path }) => path).sort()).toEqual(['own-2-2', ...names]);
    const { servers } = await one.engine.usage(one.destination, {}, {});
    const row = servers[0]?.snapshots.find(({ id }) => id === made.id);
    // Further names of a file are not counted again.
    expect([row?.state, row?.damagedFiles]).toEqual(['damaged', 3]);
  });

  test('damage in the second of the three: named to the byte, a salvage leaves it out and brings back all else', { timeout }, async () => {
    const one = world();
    const made = await craftToAndFro(one);
    await hurtSecond(one, made, 3);
    const ranges = stretchesIn(made, 2, 3);
    expect(ranges.length).toBeGreaterThan(1);
    const report = await one.verify({ snapshot: made.id });
    const key = made.archives[1].archive;
    expect(report.damage.filter(({ kind }) => kind === 'corrupt').map(({ object }) => object)).toEqual([key]);
    const files = report.damage.find(({ kind }) => kind === 'files')?.files ?? [];
    expect(files.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'own-2-3', ranges: [[0, 4 * made.pieceSize]] },
      { path: 'world.db', ranges },
      { path: 'world.db.copy', ranges },
      { path: 'world.db.name', ranges: [] },
    ]);
    const target = join(tempFolder(), 'back');
    await expect(one.restore(target)).rejects.toMatchObject({ code: 'corrupt' });
    expect(existsSync(target)).toBe(false);
    const salvaged = await one.restore(target, { salvage: true });
    expect(salvaged.damaged.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual(files.toSorted((a, b) => (a.path < b.path ? -1 : 1)));
    expect(readdirSync(target).sort()).toEqual(
      [0, 1, 2]
        .flatMap((archive) => made.frames[archive]?.map((_, frame) => `own-${archive}-${frame}`) ?? [])
        .filter((name) => name !== 'own-2-3')
        .sort(),
    );
  });

  test('an archive that is gone costs the file and what lies in that archive alone', { timeout }, async () => {
    const one = world();
    const made = await craftToAndFro(one);
    await one.backend.remove(made.archives[1].archive);
    const { damage } = await one.verify({ snapshot: made.id });
    const lost = damage.flatMap(({ files }) => files.map(({ path }) => path)).sort();
    expect(lost).toEqual([...made.archives[1].frames.map((_, frame) => `own-2-${frame}`), ...names].sort());
  });
});
