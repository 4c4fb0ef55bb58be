import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { flipped } from '../support/damage.ts';
import { put, type World } from '../support/engine-on-memory.ts';
import { anHourLater, archivesOf, expectRestored, expectSame, sent, zipOf } from '../support/incremental.ts';
import { noise } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';

const mib = 2 ** 20;
const timeout = 600_000;
/** What a run stores for names and folders, and the seal of a few pieces. */
const overhead = 16_384;
const sizes = { small: 64 * 1024, frame: 3 * mib, medium: 7 * mib, large: 11 * mib + 5 };
const all = Object.values(sizes).reduce((sum, size) => sum + size, 0);
let source = '';
let one: World;
const at = (...names: readonly string[]): string => join(source, ...names);

/** A file of each kind: in a frame with others, filling one, in several, and in pieces. */
function fill(folder: string): void {
  mkdirSync(at(folder));
  for (const [index, [name, size]] of Object.entries(sizes).entries()) writeFileSync(at(folder, name), noise(index, size));
}

beforeEach(() => {
  source = tempFolder();
  one = anHourLater();
});

describe('what was stored before is not sent again', { timeout }, () => {
  test('when its folder has another name, so that it is met before and behind where it was', async () => {
    fill('m');
    await one.backup(source);
    for (const name of ['a', 'z']) {
      renameSync(at(name === 'a' ? 'm' : 'a'), at(name));
      const report = await one.backup(source);
      expect(report.kept).toEqual({ files: 4, bytes: all });
      expect(report.storedBytes).toBeLessThan(overhead);
      await expectSame(one, source);
    }
    // Nothing but the folder's own name was ever added.
    await one.prune({ policy: { last: 1 } });
    await expectSame(one, source);
  });

  test('when it is copied', async () => {
    fill('first');
    await one.backup(source);
    for (const name of Object.keys(sizes)) copyFileSync(at('first', name), at(`copy of ${name}`));
    expect(await one.backup(source)).toMatchObject({ archives: [], kept: { files: 8, bytes: 2 * all } });
    await expectSame(one, source);
  });

  test('when a log is moved aside, and the one that goes on begins anew', async () => {
    writeFileSync(at('log'), noise(1, 9 * mib));
    await one.backup(source);
    appendFileSync(at('log'), noise(2, mib));
    renameSync(at('log'), at('log.1'));
    writeFileSync(at('log'), noise(3, 2 * mib));
    expect(await sent(one, source)).toBeLessThan(3 * mib + overhead);
    await expectRestored(one, source);
  });

  test('when two files change places, and one of them has changed too', async () => {
    writeFileSync(at('a'), noise(1, 9 * mib));
    writeFileSync(at('b'), noise(2, 9 * mib));
    await one.backup(source);
    renameSync(at('a'), at('c'));
    renameSync(at('b'), at('a'));
    renameSync(at('c'), at('b'));
    const bytes = readFileSync(at('b'));
    writeFileSync(at('b'), flipped(bytes, 5 * mib));
    expect(await sent(one, source)).toBeLessThan(mib + overhead);
    await expectRestored(one, source);
  });

  /** Files of one size with one first piece, as images and numbered copies of a database are. */
  function fillAlike(names: readonly string[]): number {
    const size = 10 * mib;
    for (const [index, name] of names.entries()) writeFileSync(at(name), Buffer.concat([noise(99, mib), noise(index, size - mib)]));
    return names.length * size;
  }

  test('when several files that begin alike and have one size are moved at once', async () => {
    mkdirSync(at('m'));
    const bytes = fillAlike(['m/1', 'm/2', 'm/3']);
    await one.backup(source);
    renameSync(at('m'), at('a'));
    const report = await one.backup(source);
    expect(report.kept).toEqual({ files: 3, bytes });
    expect(report.storedBytes).toBeLessThan(overhead);
    await expectSame(one, source);
  });

  test('when numbered copies that begin alike are each renamed one further, and the first goes on changed', async () => {
    fillAlike(['db', 'db.1', 'db.2']);
    await one.backup(source);
    for (const [from, to] of [
      ['db.2', 'db.3'],
      ['db.1', 'db.2'],
      ['db', 'db.1'],
    ] as const)
      renameSync(at(from), at(to));
    writeFileSync(at('db'), flipped(readFileSync(at('db.1')), 5 * mib));
    const report = await one.backup(source);
    expect([report.files, report.kept.files]).toEqual([4, 3]);
    expect(report.bytes - report.kept.bytes).toBe(mib);
    expect(report.storedBytes).toBeLessThan(mib + overhead);
    await expectSame(one, source);
  });

  test('but what is smaller than 64 KiB is, and what lies in an archive that was found damaged', async () => {
    writeFileSync(at('little'), noise(1, 64 * 1024 - 1));
    writeFileSync(at('more'), noise(2, 100_000));
    await one.backup(source);
    renameSync(at('little'), at('moved little'));
    renameSync(at('more'), at('moved more'));
    expect((await one.backup(source)).kept).toEqual({ files: 1, bytes: 100_000 });
    const [first = ''] = await archivesOf(one);
    await put(one.backend, `${first}.damaged`, Buffer.alloc(0));
    renameSync(at('moved more'), at('more again'));
    expect((await one.backup(source)).kept).toEqual({ files: 1, bytes: 64 * 1024 - 1 });
    await expectSame(one, source);
  });
});

describe('what is there twice is stored once', { timeout }, () => {
  test('in one run, and a snapshot that is to be whole rests on nothing else', async () => {
    fill('first');
    await one.backup(source);
    for (const name of Object.keys(sizes)) copyFileSync(at('first', name), at(`copy of ${name}`));
    const report = await one.backup(source, { whole: 'always' });
    expect(report.kept).toEqual({ files: 4, bytes: all });
    expect(report.storedBytes).toBeLessThan(all * 1.002 + overhead);
    const rows = await one.engine.snapshots(one.destination, {}, {});
    expect(rows.at(-1)?.sharedBytes).toBe(0);
    await expectSame(one, source);
  });

  test('also several that begin alike and have one size, in one run', async () => {
    mkdirSync(at('copies'));
    for (const [index, name] of ['1', '2'].entries()) {
      writeFileSync(at(name), Buffer.concat([noise(99, mib), noise(index, 8 * mib)]));
      copyFileSync(at(name), at('copies', name));
    }
    const { archives, kept, storedBytes } = await one.backup(source);
    expect(kept).toEqual({ files: 2, bytes: 19 * mib });
    expect(storedBytes).toBeLessThan(17 * mib * 1.002 + overhead);
    await expectSame(one, source);
    const desk = tempFolder();
    writeFileSync(join(desk, 'zip'), await zipOf(one, archives[0] ?? ''));
    execFileSync('unzip', ['-qq', 'zip'], { cwd: desk });
    for (const name of ['1', '2']) expect([name, readlinkSync(join(desk, 'copies', name))]).toEqual([name, `../${name}`]);
  });

  test('and a whole snapshot that is unpacked by hand has it under every name', async () => {
    mkdirSync(at('.holdfast'));
    fill('first');
    for (const name of Object.keys(sizes)) copyFileSync(at('first', name), at('.holdfast', name));
    for (const name of Object.keys(sizes)) copyFileSync(at('first', name), at(`first/copy of ${name}`));
    const { archives } = await one.backup(source);
    const desk = tempFolder();
    writeFileSync(join(desk, 'zip'), await zipOf(one, archives[0] ?? ''));
    execFileSync('unzip', ['-qq', 'zip'], { cwd: desk });
    for (const [index, [name, size]] of Object.entries(sizes).entries()) {
      for (const path of [`first/${name}`, `first/copy of ${name}`, `.holdfast/files/.holdfast/${name}`]) {
        expect([path, readFileSync(join(desk, path)).equals(noise(index, size))]).toEqual([path, true]);
      }
    }
  });

  test('over several volumes, and also where the second has grown behind what the first is', async () => {
    writeFileSync(at('a'), noise(1, 13 * mib));
    writeFileSync(at('b'), Buffer.concat([noise(1, 13 * mib), noise(2, 2 * mib)]));
    const report = await one.backup(source, { volumeSize: 5 * mib });
    expect(report.storedBytes).toBeLessThan(15.1 * mib);
    await expectRestored(one, source);
  });

  test('but each for itself in a classic archive, which knows of nothing else', async () => {
    writeFileSync(at('a'), noise(1, mib));
    writeFileSync(at('b'), noise(1, mib));
    const report = await one.backup(source, { format: 'classic' });
    expect(report.kept).toEqual({ files: 0, bytes: 0 });
    const target = join(tempFolder(), 'back');
    await one.restore(target);
    for (const name of ['a', 'b']) expect(readFileSync(join(target, name)).equals(noise(1, mib))).toBe(true);
  });
});
