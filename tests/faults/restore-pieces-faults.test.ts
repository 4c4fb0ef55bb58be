import { randomBytes } from 'node:crypto';
import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import type { Progress } from '../../main/contract/reports.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { seeTree } from '../support/compare-trees.ts';
import { flipped, headSize, manifestLines, sealedChunk } from '../support/damage.ts';
import { contents, put, restoreRequest, world } from '../support/engine-on-memory.ts';
import { backedUp, large, overwrite, sameTree, type Place } from '../support/restore-over.ts';

/** What goes wrong while a large file is put together from pieces of the target and of the archives. */

const timeout = 600_000;
const mib = 2 ** 20;

/** The same destination; before an archive is read for the first time, `act` is called. */
function atFirstRead(backend: Backend, act: () => void): Backend {
  let isFirst = true;
  return {
    ...backend,
    read: async (key, options) => {
      if (isFirst && key.endsWith('.holdfast')) {
        isFirst = false;
        act();
      }
      return await backend.read(key, options);
    },
  };
}

const stagedBeside = (target: string): string => {
  const [name = ''] = readdirSync(dirname(target)).filter((one) => one.includes('.holdfast-restore-'));
  return join(dirname(target), name);
};

test('what is not the snapshot’s in the end is fetched whole: of one with holes too', { timeout }, async () => {
  const place = await backedUp((folder) => {
    large(9 * mib)(folder);
    large(9 * mib, 'other')(folder);
    writeFileSync(join(folder, 'holes'), randomBytes(mib));
    truncateSync(join(folder, 'holes'), 12 * mib);
  });
  for (const name of ['large', 'holes']) overwrite(join(place.target, name), 0, randomBytes(100));
  const backend = atFirstRead(place.one.backend, () => {
    // As if a disk had lost what was written to it: in what the target gave.
    for (const name of ['large', 'holes']) overwrite(join(stagedBeside(place.target), name), 8 * mib + 5, randomBytes(100));
  });
  const told: Progress[] = [];
  const request = restoreRequest(place.target, { replace: true });
  const one = world({ backend });
  const report = await one.engine.restore(one.destination, request, { onProgress: (progress) => void told.push(progress) });
  sameTree(place);
  expect([report.fromTarget, report.damaged, report.files]).toEqual([{ files: 2, parts: 0, bytes: 9 * mib + 5 }, [], 4]);
  expect(report.warnings.filter(({ level }) => level !== 'note')).toEqual([]);
  expect(Math.max(...told.map((progress) => progress.bytes))).toBe(report.bytes);
});

describe('damage', () => {
  /** A byte of the frame that holds the byte `at` of the file is flipped, in the newest snapshot. */
  async function damage(place: Place, at: number): Promise<void> {
    const objects = await contents(place.one.backend);
    const manifest = [...objects.entries()].findLast(([key]) => key.endsWith('.manifest'))?.[1];
    const { header, entries } = await manifestLines(place.one, manifest ?? Buffer.alloc(0));
    let inFile = 0;
    for (const [archive, offset, stored, , length] of entries.find(({ path }) => path === 'large')?.extents ?? []) {
      if (inFile <= at && at < inFile + length) {
        const key = header.archives[archive]?.key ?? '';
        const chunk = Math.floor((offset + stored / 2) / 16_384);
        await put(place.one.backend, key, flipped(objects.get(key) ?? Buffer.alloc(0), headSize + chunk * sealedChunk));
      }
      inFile += length;
    }
  }

  test('where the target has the pieces costs nothing', { timeout }, async () => {
    const place = await backedUp(large(20 * mib));
    overwrite(join(place.target, 'large'), mib, randomBytes(100));
    await damage(place, 18 * mib);
    const report = await place.restore();
    sameTree(place);
    expect(report.damaged).toEqual([]);
  });

  test('in what differs is a fault, and with --salvage the file is said to be lost, and where', { timeout }, async () => {
    const place = await backedUp(large(20 * mib));
    overwrite(join(place.target, 'large'), 18 * mib, randomBytes(100));
    const was = seeTree(place.target, { owners: true });
    await damage(place, 18 * mib);
    await expect(place.restore()).rejects.toMatchObject({ code: 'corrupt' });
    expect(seeTree(place.target, { owners: true })).toEqual(was);
    const report = await place.restore({ salvage: true });
    expect(readdirSync(place.target)).toEqual(['small']);
    expect(report.damaged).toHaveLength(1);
    const [offset = 0, length = 0] = report.damaged[0]?.ranges[0] ?? [];
    expect([report.damaged[0]?.path, report.damaged[0]?.ranges.length]).toEqual(['large', 1]);
    expect([offset > 12 * mib, offset <= 18 * mib, offset + length > 18 * mib]).toEqual([true, true, true]);
  });

  test('in a frame of which the target has a part: only what it has not is said to be lost', { timeout }, async () => {
    // The second run takes what is left of the first one's frame on both sides of the piece that it sends.
    const place = await backedUp(large(12 * mib), (source) => overwrite(join(source, 'large'), 9 * mib, randomBytes(100)));
    overwrite(join(place.target, 'large'), 8 * mib + 5, randomBytes(100));
    await damage(place, 8 * mib + 5);
    const report = await place.restore({ salvage: true });
    const [offset = 0, length = 0] = report.damaged[0]?.ranges[0] ?? [];
    expect([report.damaged.length, report.damaged[0]?.ranges.length, offset + length]).toEqual([1, 1, 9 * mib]);
  });
});

test.each([
  [
    'a line that fails',
    (): never => {
      throw new Fault('unavailable', 'the line is down', { operation: 'read' });
    },
    'unavailable',
  ],
  ['being stopped', (stop: AbortController): void => stop.abort(), 'cancelled'],
])('%s, once pieces have been copied, leaves the target as it was and nothing beside it', { timeout }, async (_, act, code) => {
  const place = await backedUp(large(12 * mib));
  overwrite(join(place.target, 'large'), 5 * mib, randomBytes(100));
  const [was, beside] = [seeTree(place.target, { owners: true }), readdirSync(dirname(place.target))];
  const stop = new AbortController();
  let copied = 0;
  const one = world({
    backend: atFirstRead(place.one.backend, () => {
      copied = statSync(join(stagedBeside(place.target), 'large')).size;
      act(stop);
    }),
  });
  const request = restoreRequest(place.target, { replace: true });
  await expect(one.engine.restore(one.destination, request, { signal: stop.signal })).rejects.toMatchObject({ code });
  expect(copied).toBe(12 * mib);
  expect(seeTree(place.target, { owners: true })).toEqual(was);
  expect(readdirSync(dirname(place.target))).toEqual(beside);
});
