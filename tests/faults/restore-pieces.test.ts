import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Progress } from '../../main/contract/reports.ts';
import { sumOf } from '../support/counting-reads.ts';
import { restoreRequest } from '../support/engine-on-memory.ts';
import { backedUp, large, overwrite, sameTree } from '../support/restore-over.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Of a large file that differs from the target's, only the pieces that do are fetched, and the whole is the snapshot's. */

const timeout = 600_000;
const mib = 2 ** 20;
/** A frame holds up to 4 MiB; sealing adds little. */
const frames = (count: number): number => count * 4 * mib + 64 * 1024;
/** What one changed MiB can cost: it may lie across two frames. */
const aFew = frames(2);

test('one changed MiB of 40 costs two frames at most, and what is told adds up', { timeout }, async () => {
  const place = await backedUp(large(40 * mib));
  overwrite(join(place.target, 'large'), 17 * mib, randomBytes(mib));
  const told: Progress[] = [];
  const request = restoreRequest(place.target, { replace: true });
  const report = await place.one.engine.restore(place.one.destination, request, { onProgress: (progress) => void told.push(progress) });
  sameTree(place);
  const { count, bytes } = sumOf(place.reads, '.holdfast');
  process.stdout.write(`1 of 40 MiB differs: ${count} read, ${((100 * bytes) / (40 * mib)).toFixed(1)} % of the bytes\n`);
  expect([count, report.fetchedBytes]).toEqual([1, bytes]);
  expect(bytes).toBeLessThan(aFew);
  expect(report.fromTarget).toMatchObject({ files: 1, parts: 1 });
  expect(report.fromTarget.bytes).toBeGreaterThan(40 * mib - aFew);
  expect(report.bytes - report.fromTarget.bytes).toBeLessThanOrEqual(aFew);
  // Pieces that were kept and yet come with a frame are not counted twice.
  expect(Math.max(...told.map((progress) => progress.bytes))).toBe(report.bytes);
  expect(told.at(-1)).toMatchObject({ files: 2, totalFiles: 2, bytes: report.bytes, totalBytes: report.bytes });
});

describe('a log', () => {
  test('that has grown since the snapshot is there already', { timeout }, async () => {
    const place = await backedUp(large(10 * mib + 12_345, 'log'));
    appendFileSync(join(place.target, 'log'), randomBytes(3 * mib));
    const report = await place.restore();
    sameTree(place);
    expect(sumOf(place.reads, '.holdfast').count).toBe(0);
    expect(report.fromTarget).toEqual({ files: 2, parts: 0, bytes: 10 * mib + 12_350 });
  });

  test('that is shorter than in the snapshot is fetched from its end on', { timeout }, async () => {
    const place = await backedUp(large(40 * mib, 'log'));
    truncateSync(join(place.target, 'log'), 35 * mib + 77);
    const report = await place.restore();
    sameTree(place);
    expect(sumOf(place.reads, '.holdfast').bytes).toBeLessThan(5 * mib + frames(1));
    expect(report.fromTarget).toMatchObject({ files: 1, parts: 1 });
  });

  test('of which the later run sent the end: that is what is fetched, and not a byte of the first archive', { timeout }, async () => {
    const place = await backedUp(large(12 * mib, 'log'), (source) => appendFileSync(join(source, 'log'), randomBytes(2 * mib + 500)));
    const report = await place.restore();
    sameTree(place);
    expect(report.fromTarget).toEqual({ files: 1, parts: 1, bytes: 12 * mib + 5 });
    expect(report.fetchedBytes).toBeLessThan(2 * mib + 64 * 1024);
    expect([...place.reads.keys()].filter((key) => key.endsWith('.holdfast')).length).toBe(1);
  });
});

test('changed here and there, by several runs and since: what comes back is the snapshot', { timeout }, async () => {
  const place = await backedUp(large(20 * mib + 999), (source) => {
    for (const at of [0, 3, 9, 20]) overwrite(join(source, 'large'), at * mib + 5, randomBytes(700));
  });
  for (const at of [3, 12, 13]) overwrite(join(place.target, 'large'), at * mib + 600_000, randomBytes(700_000));
  const first = await place.one.engine.restore(place.one.destination, restoreRequest(place.target, { replace: true }), {});
  sameTree(place);
  expect(first.fromTarget.parts).toBe(1);
  expect(first.fetchedBytes).toBeLessThan(16 * mib);
});

test('with nothing in common it is fetched, and no copy is counted', { timeout }, async () => {
  const place = await backedUp(large(10 * mib));
  writeFileSync(join(place.target, 'large'), randomBytes(11 * mib));
  const report = await place.restore();
  sameTree(place);
  expect(report.fromTarget).toEqual({ files: 1, parts: 0, bytes: 5 });
});

test('holes are holes again, also where the target has something in one', { timeout }, async () => {
  const place = await backedUp((folder) => {
    writeFileSync(join(folder, 'holes'), randomBytes(mib));
    overwrite(join(folder, 'holes'), 20 * mib, randomBytes(mib));
    truncateSync(join(folder, 'holes'), 40 * mib);
  });
  for (const at of [10, 20]) overwrite(join(place.target, 'holes'), at * mib, randomBytes(mib));
  const report = await place.restore();
  sameTree(place);
  expect(report.fromTarget).toMatchObject({ files: 0, parts: 1 });
  expect(statSync(join(place.target, 'holes')).blocks * 512).toBeLessThan(3 * mib);
});

describe('names', () => {
  const twoNames = (folder: string): void => {
    large(12 * mib)(folder);
    mkdirSync(join(folder, 'zone'));
    linkSync(join(folder, 'large'), join(folder, 'zone/again'));
  };

  test('further ones are those of the new file', { timeout }, async () => {
    const place = await backedUp(twoNames);
    overwrite(join(place.target, 'large'), 5 * mib, randomBytes(100));
    const report = await place.restore();
    sameTree(place);
    expect(report.fromTarget.parts).toBe(1);
    expect(statSync(join(place.target, 'large')).ino).not.toBe(statSync(join(report.before ?? '', 'large')).ino);
  });

  test('with --include of a further name, the target is looked at under that', { timeout }, async () => {
    const place = await backedUp(twoNames);
    rmSync(join(place.target, 'large'));
    overwrite(join(place.target, 'zone/again'), 5 * mib, randomBytes(100));
    const report = await place.restore({ include: ['zone'] });
    expect(readFileSync(join(place.target, 'zone/again')).equals(readFileSync(join(place.source, 'large')))).toBe(true);
    expect(report.fromTarget).toMatchObject({ files: 0, parts: 1 });
    expect(report.fetchedBytes).toBeLessThan(aFew);
  });

  test.each(['large', 'zone'])('a link in place of %s that leads outside is not followed', { timeout }, async (name) => {
    const place = await backedUp((folder) => {
      mkdirSync(join(folder, 'zone'));
      for (const path of ['large', 'zone/large']) writeFileSync(join(folder, path), randomBytes(9 * mib));
    });
    const outside = join(tempFolder(), 'outside');
    renameSync(join(place.target, name), outside);
    symlinkSync(outside, join(place.target, name));
    const file = name === 'zone' ? join(outside, 'large') : outside;
    overwrite(file, 2 * mib, randomBytes(100));
    const was = readFileSync(file);
    const report = await place.restore();
    sameTree(place);
    expect(report.fromTarget).toEqual({ files: 1, parts: 0, bytes: 9 * mib });
    expect(readFileSync(file).equals(was)).toBe(true);
  });
});
