import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { FormerFiles } from '../../main/adapters/files/former-files.ts';
import { asBytePath } from '../../main/engine/archive/byte-path.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { asNobody } from '../support/as-nobody.ts';
import { sumOf } from '../support/counting-reads.ts';
import { flipped } from '../support/damage.ts';
import { put, type World } from '../support/engine-on-memory.ts';
import { backedUp, sameTree } from '../support/restore-over.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** A target that holds most of the snapshot already: only what differs is fetched, and what comes out is the snapshot. */

const timeout = 600_000;
const mib = 2 ** 20;

const manyFiles = (folder: string): void => {
  for (let group = 0; group < 10; group += 1) {
    mkdirSync(join(folder, `region${group}`));
    for (let file = 0; file < 12; file += 1) writeFileSync(join(folder, `region${group}`, `r.${file}.mca`), randomBytes(mib));
  }
  writeFileSync(join(folder, 'world.db'), randomBytes(20 * mib));
};

test('nothing has changed: no archive is read at all', { timeout }, async () => {
  const place = await backedUp(manyFiles);
  const report = await place.restore();
  sameTree(place);
  expect(sumOf(place.reads, '.holdfast')).toEqual({ count: 0, bytes: 0 });
  expect([report.fromTarget, report.fetchedBytes, report.files]).toEqual([{ files: 121, parts: 0, bytes: 140 * mib }, 0, 121]);
  expect(report.warnings.filter(({ level }) => level !== 'note')).toEqual([]);
});

test('1 % has changed: at most 4 % of the bytes are read, in one request', { timeout }, async () => {
  const place = await backedUp(manyFiles);
  writeFileSync(join(place.target, 'region4/r.7.mca'), randomBytes(mib));
  writeFileSync(join(place.target, 'region9/new'), 'made since');
  const report = await place.restore();
  sameTree(place);
  const { count, bytes } = sumOf(place.reads, '.holdfast');
  process.stdout.write(`1 of 121 files differs: ${count} reads, ${((100 * bytes) / (140 * mib)).toFixed(1)} % of the bytes\n`);
  expect(count).toBe(1);
  expect(bytes).toBeLessThan(0.04 * 140 * mib);
  expect([report.fromTarget.files, report.fetchedBytes]).toEqual([120, bytes]);
  // The way back is still the former state, of files of its own.
  expect(existsSync(join(report.before ?? '', 'region9/new'))).toBe(true);
  const [now, former] = [place.target, report.before ?? ''].map((folder) => statSync(join(folder, 'region0/r.0.mca')).ino);
  expect(now).not.toBe(former);
});

test('with --include too: of what is asked for, only what differs', { timeout }, async () => {
  const place = await backedUp(manyFiles);
  writeFileSync(join(place.target, 'region4/r.7.mca'), randomBytes(mib));
  writeFileSync(join(place.target, 'region5/r.7.mca'), 'left as it is');
  const report = await place.restore({ include: ['region4'] });
  expect([report.files, report.fromTarget.files]).toEqual([12, 11]);
  expect(readFileSync(join(place.target, 'region4/r.7.mca')).equals(readFileSync(join(place.source, 'region4/r.7.mca')))).toBe(true);
  expect(readFileSync(join(place.target, 'region5/r.7.mca'), 'utf8')).toBe('left as it is');
  expect(sumOf(place.reads, '.holdfast').bytes).toBeLessThan(9 * mib);
});

/** Small ones that are held whole, and one that is copied piece by piece. */
const fewFiles = (folder: string): void => {
  mkdirSync(join(folder, 'deep/er'), { recursive: true });
  for (const name of ['a', 'deep/b', 'deep/er/c', 'last']) writeFileSync(join(folder, name), randomBytes(100_000));
  writeFileSync(join(folder, 'large'), randomBytes(9 * mib));
};

test('the right stamps with other content deceive nobody, in small files and in large ones', { timeout }, async () => {
  const place = await backedUp(fewFiles);
  for (const name of ['a', 'large']) {
    const path = join(place.target, name);
    writeFileSync(path, flipped(readFileSync(path), 4_321));
    execFileSync('touch', ['-r', join(place.source, name), path]);
  }
  const report = await place.restore();
  sameTree(place);
  expect(report.fromTarget.files).toBe(3);
});

test('other stamps with the same content are no difference, and the snapshot’s own come back', { timeout }, async () => {
  const place = await backedUp(fewFiles);
  for (const name of ['a', 'large']) utimesSync(join(place.target, name), 1, 1);
  chmodSync(join(place.target, 'a'), 0o600);
  const report = await place.restore();
  sameTree(place);
  expect([report.fromTarget.files, report.fetchedBytes]).toEqual([5, 0]);
});

test('a file that a program writes to all the while comes back as the snapshot has it', { timeout }, async () => {
  const place = await backedUp((folder) => {
    fewFiles(folder);
    writeFileSync(join(folder, 'busy'), randomBytes(40 * mib));
  });
  for (const at of [0, 20 * mib, 40 * mib - 1]) {
    const path = join(place.target, 'busy');
    const writer = new Worker(new URL('../support/flipping.ts', import.meta.url), { workerData: { path, at } });
    await once(writer, 'message');
    const report = await place.restore({ force: true });
    writer.postMessage('stop');
    await once(writer, 'exit');
    sameTree(place);
    expect(report.fromTarget.files).toBeGreaterThanOrEqual(5);
    // Of the busy one at most the frames around the byte that is written.
    expect(report.fetchedBytes).toBeLessThan(9 * mib);
  }
});

describe('what stands in the place of a file and is none', () => {
  test.each([
    ['a link to the same content', (path: string, other: string) => symlinkSync(other, path)],
    ['a FIFO', (path: string) => execFileSync('mkfifo', [path])],
    ['a folder', (path: string) => mkdirSync(path)],
  ])('%s is not read', { timeout }, async (_, make) => {
    const place = await backedUp(fewFiles);
    const path = join(place.target, 'deep/b');
    rmSync(path);
    make(path, join(place.source, 'deep/b'));
    const report = await place.restore();
    sameTree(place);
    expect(report.fromTarget.files).toBe(4);
  });

  test('a link on the way to it is not followed', { timeout }, async () => {
    const place = await backedUp(fewFiles);
    const elsewhere = join(tempFolder(), 'elsewhere');
    renameSync(join(place.target, 'deep'), elsewhere);
    symlinkSync(elsewhere, join(place.target, 'deep'));
    const report = await place.restore();
    sameTree(place);
    expect(report.fromTarget.files).toBe(3);
  });

  test('one that may not be read is fetched', async () => {
    const folder = tempFolder();
    chmodSync(folder, 0o755);
    for (const name of ['closed', 'open']) writeFileSync(join(folder, name), 'content');
    chmodSync(join(folder, 'closed'), 0);
    const opened = await asNobody(async () => {
      const files = new FormerFiles(folder);
      const found = ['closed', 'open', 'missing', 'a/b'].map((name) => files.open(asBytePath(name), 7) !== null);
      files.close();
      return found;
    });
    expect(opened).toEqual([false, true, false, false]);
  });
});

test('holes stay holes, and what has lost them has them again', { timeout }, async () => {
  const place = await backedUp((folder) => {
    for (const name of ['holes', 'filled']) {
      writeFileSync(join(folder, name), randomBytes(mib));
      truncateSync(join(folder, name), 30 * mib);
    }
  });
  writeFileSync(join(place.target, 'filled'), readFileSync(join(place.source, 'filled')));
  expect(statSync(join(place.target, 'filled')).blocks * 512).toBeGreaterThan(25 * mib);
  const report = await place.restore();
  sameTree(place);
  expect([report.fromTarget.files, report.fetchedBytes]).toEqual([2, 0]);
  for (const name of ['holes', 'filled']) expect(statSync(join(place.target, name)).blocks * 512).toBeLessThan(2 * mib);
});

test('further names are those of the copy, never of the former content', { timeout }, async () => {
  const place = await backedUp((folder) => {
    fewFiles(folder);
    linkSync(join(folder, 'deep/b'), join(folder, 'deep/er/b again'));
  });
  const report = await place.restore();
  sameTree(place);
  expect(report.fetchedBytes).toBe(0);
  const inodes = ['deep/b', 'deep/er/b again'].map((name) => statSync(join(place.target, name)).ino);
  expect(new Set([...inodes, statSync(join(report.before ?? '', 'deep/b')).ino]).size).toBe(2);
});

test('damage in an archive costs nothing that the target still holds', { timeout }, async () => {
  const place = await backedUp(fewFiles);
  const [archive = ''] = [...(await keys(place.one))].filter((key) => key.endsWith('.holdfast'));
  const bytes = Buffer.from(await readBytes(place.one.backend, archive, { limit: 2 ** 30 }));
  await put(place.one.backend, archive, flipped(bytes, 60_000));
  const report = await place.restore();
  sameTree(place);
  expect(report.damaged).toEqual([]);
  // Without it, the same snapshot does not come back.
  await expect(place.one.restore(join(tempFolder(), 'back'))).rejects.toMatchObject({ code: 'corrupt' });
});

async function keys({ backend }: World): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of backend.list('')) found.push(key);
  return found;
}
