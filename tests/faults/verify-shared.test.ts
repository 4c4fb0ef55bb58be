import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { VerifiedFiles } from '../../main/engine/archive/verified-files.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { countingBackend } from '../support/chaos.ts';
import { countingReads, type Reads } from '../support/counting-reads.ts';
import { craftSnapshot, fileLine, rootLine, type FramePlace } from '../support/craft-snapshot.ts';
import { flipped } from '../support/damage.ts';
import { movableClock, put, world, type World } from '../support/engine-on-memory.ts';
import { anHourLater, archivesOf } from '../support/incremental.ts';
import { archiveOf } from '../support/shared-snapshots.ts';
import { tempFolder } from '../support/temp-folder.ts';

const timeout = 600_000;

/** Five snapshots: each has a file more than the one before, has lost one, and rests on all archives before its own. */
async function fiveRuns(): Promise<World> {
  const one = anHourLater({ clock: movableClock() });
  const source = tempFolder();
  for (let file = 0; file < 9; file += 1) writeFileSync(join(source, `file${file}`), randomBytes(300_000));
  for (let run = 0; run < 5; run += 1) {
    writeFileSync(join(source, `more${run}`), randomBytes(300_000));
    rmSync(join(source, `file${run}`));
    await one.backup(source);
  }
  return one;
}

test('all snapshots: the bytes of each archive are read once, however many snapshots rest on it', { timeout }, async () => {
  const one = await fiveRuns();
  const archives = await archivesOf(one);
  expect(archives).toHaveLength(5);
  const together: Reads = new Map();
  const report = await anHourLater({ backend: countingReads(one.backend, together) }).verify();
  expect([report.damage, report.snapshots.map(({ ok, files }) => [ok, files])]).toEqual([[], Array(5).fill([true, 9])]);
  // As much as for the snapshot alone that wrote it.
  const alone = new Map<string, number>();
  for (const [index, key] of archives.entries()) {
    const read: Reads = new Map();
    await anHourLater({ backend: countingReads(one.backend, read) }).verify({ snapshot: report.snapshots[index]?.id ?? '' });
    alone.set(key, read.get(key)?.bytes ?? 0);
  }
  expect(new Map(archives.map((key) => [key, together.get(key)?.bytes]))).toEqual(alone);
});

test(
  'a quick look at all snapshots reads each checksum file once and no archive, and tells of each snapshot what it lacks',
  { timeout },
  async () => {
    const one = await fiveRuns();
    const archives = await archivesOf(one);
    const [gone = '', , unsure = ''] = archives;
    await one.backend.remove(gone);
    await one.backend.remove(`${unsure}.sha256`);
    const read: Reads = new Map();
    const report = await anHourLater({ backend: countingReads(one.backend, read) }).verify({ quick: true });
    expect(report.damage.map(({ object, kind }) => [object, kind])).toEqual(Array(5).fill([gone, 'missing']));
    expect(report.warnings).toHaveLength(3);
    const sums = [...read].filter(([key]) => key.endsWith('.sha256'));
    expect(sums.map(([, { count }]) => count)).toEqual(Array(sums.length).fill(1));
    expect([sums.length, archives.filter((key) => read.has(key))]).toEqual([3, []]);
  },
);

test.each([true, false])(
  'all snapshots, quick: %s: it is asked once whether an archive is there, and once for its checksum file',
  { timeout },
  async (quick) => {
    const one = await fiveRuns();
    const archives = await archivesOf(one);
    const counting = countingBackend();
    const report = await anHourLater({ backend: counting.layer(one.backend) }).verify({ quick });
    expect([report.damage, report.snapshots.map(({ ok }) => ok)]).toEqual([[], Array(5).fill(true)]);
    const asked = (verb: string, key: string): number => counting.calls.filter((call) => call.verb === verb && call.target === key).length;
    expect(archives.map((key) => [asked('stat', key), asked('read', `${key}.sha256`)])).toEqual(Array(5).fill([1, 1]));
  },
);

test('all snapshots: damage in a shared archive is told of each that it costs a file, and of no other', { timeout }, async () => {
  const one = await fiveRuns();
  const [first = '', , third = ''] = await archivesOf(one);
  await put(one.backend, third, flipped(Buffer.from(await readBytes(one.backend, third, { limit: 2 ** 30 })), 20_000));
  const { damage } = await one.verify();
  const lost = damage.filter(({ kind }) => kind === 'files').map(({ files }) => files.map(({ path }) => path));
  expect(lost).toEqual(Array(3).fill(['more2']));
  expect(damage.filter(({ object }) => object === first)).toEqual([]);
});

/** The first snapshot has a file in the first of two frames; the second says what it likes of that archive. */
async function second(entry: (frames: readonly FramePlace[]) => Record<string, unknown>): Promise<World> {
  const one = world();
  let places: readonly FramePlace[] = [];
  const first = await craftSnapshot(one, {
    time: Date.now() - 60_000,
    contents: ['one', 'two'],
    entries: (frames) => {
      places = frames;
      return [rootLine, ...frames.slice(0, 1).map((frame) => fileLine('file', frame))];
    },
  });
  await craftSnapshot(one, { contents: ['own'], more: [await archiveOf(one, first)], entries: () => [rootLine, entry(places)] });
  return one;
}

const shared = (frame: FramePlace | undefined, more: Record<string, unknown> = {}): Record<string, unknown> => {
  if (frame === undefined) throw new Error('there is no such frame');
  return fileLine('shared', frame, { extents: [[1, frame.offset, frame.stored, 0, frame.content.length]], ...more });
};

test.each([
  ['the same place and hash', 0, {}, true],
  ['another hash of the same place', 0, { sha256: 'ab'.repeat(32) }, false],
  ['a frame that no file before lay in', 1, {}, true],
  ['a wrong hash of such a frame', 1, { sha256: 'ab'.repeat(32) }, false],
] as const)('a later snapshot that names %s is checked for what it says', { timeout }, async (_, frame, more, ok) => {
  const one = await second((frames) => shared(frames[frame], more));
  const { damage, snapshots } = await one.verify();
  expect(snapshots[1]?.ok).toBe(snapshots[0]?.ok === true && ok);
  expect(damage.filter(({ kind }) => kind === 'files').map(({ files }) => files.map(({ path }) => path))).toEqual(ok ? [] : [['shared']]);
});

test('what finds no room among the verified files is only not known', () => {
  const files = new VerifiedFiles(8);
  const prints = Array.from({ length: 20 }, () => randomBytes(16));
  for (const print of prints) files.add(print);
  const other = new VerifiedFiles(files.shared);
  expect(prints.map((print) => other.has(print))).toEqual(prints.map((_, index) => index < 6));
});
