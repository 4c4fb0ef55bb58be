import { createHash } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { compress } from 'zstd-napi';
import { Monitor, monitorWords } from '../../main/adapters/compute/monitor.ts';
import { ContentIndex } from '../../main/adapters/compute/pack/content-index.ts';
import { ContentRecords } from '../../main/adapters/compute/pack/content-records.ts';
import type { KnownContent } from '../../main/adapters/compute/pack/known-content.ts';
import { createOlderAnswer, readOlderAnswer, writeOlderAnswer, type OlderAnswer } from '../../main/adapters/compute/pack/older-answer.ts';
import { OlderContents } from '../../main/adapters/compute/pack/older-contents.ts';
import { openSpool, type FileSpool } from '../../main/adapters/files/spool.ts';
import { pathFromText } from '../../main/engine/archive/byte-path.ts';
import type { OlderListed } from '../../main/engine/archive/packer.ts';
import { entryLineEnd, entryLineStart, type Extent } from '../../main/engine/snapshots/manifest-entry.ts';

const [kib, mib] = [1024, 2 ** 20];
const spools: FileSpool[] = [];
afterEach(async () => {
  for (const spool of spools.splice(0)) await spool.dispose();
});

interface Looking {
  readonly older: OlderContents;
  readonly monitor: Monitor;
  /** The lists that were asked for, in order. */
  readonly asked: number[];
}

/** Who asks is answered at once. */
function looking(lists: readonly OlderListed[], answerTo: (index: number) => OlderAnswer | null = () => ({ kind: 'none' })): Looking {
  const monitor = new Monitor(new Int32Array(new SharedArrayBuffer(monitorWords * 4)));
  const answer = createOlderAnswer();
  const asked: number[] = [];
  const older = new OlderContents({ lists, answer }, monitor, (index) => {
    asked.push(index);
    const given = answerTo(index);
    if (given === null) monitor.stop();
    else writeOlderAnswer(answer, given);
  });
  return { older, monitor, asked };
}

const listsOf = (count: number, size: number): OlderListed[] =>
  Array.from({ length: count }, (_, index) => ({ size, time: (count - index) * 1000 }));
/** Later than all snapshots. */
const late = 1e9;
const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();

async function spooled(lines: readonly string[]): Promise<FileSpool> {
  const spool = openSpool();
  spools.push(spool);
  await spool.append(compress(Buffer.from(['{}\n', ...lines].join(''))));
  return spool;
}

const line = (size: number, content: string, extents: readonly Extent[], pieces?: Buffer): string =>
  entryLineStart({
    ...{ path: pathFromText(content), type: 'file', mode: 0o644, uid: 0, gid: 0, mtime: '0', ctime: '0', inode: '1', size },
    sha256: hashOf(content).toString('hex'),
    ...(pieces === undefined ? {} : { pieces: pieces.toString('base64') }),
  }) + entryLineEnd(extents);

test('of many lists in vain only a few are fetched for a small file, and more the more there is to send', () => {
  const count = (size: number, sent: number, atStake: number): number => {
    const { older, asked } = looking(listsOf(1000, size));
    older.sent(sent);
    expect(older.next(atStake, late)).toBeNull();
    return asked.length;
  };
  // Each counts 64 KiB at least, and once more for each before it that brought nothing.
  expect(count(1000, 0, 70_000)).toBe(3);
  expect(count(200 * kib, 0, 70_000)).toBe(1);
  expect(count(mib, 0, 70_000)).toBe(0);
  expect(count(mib, 2 * mib, 2 * mib)).toBe(1);
  expect(count(mib, 0, 1024 * mib)).toBe(15);
});

test('what is spent stays below an eighth of what is to be sent, and half a megabyte', () => {
  const size = 100 * kib;
  const { older, asked } = looking(listsOf(10_000, size));
  for (let sent = 0; sent < 1000; sent += 1) {
    older.next(mib, (sent % 7) * 1000);
    older.sent(mib);
  }
  expect(asked.length * size).toBeLessThanOrEqual(512 * kib + (1000 * mib) / 8);
  expect(new Set(asked).size).toBe(asked.length);
});

test('the list of the first snapshot after a file was last written comes first, then the others in their order; each once', () => {
  const { older, asked } = looking(listsOf(6, 1000));
  older.sent(1000 * mib);
  // Snapshots of 6000, 5000, … 1000.
  older.next(mib, 2500);
  expect(asked[0]).toBe(3);
  expect(asked).toEqual([3, 0, 1, 2, 4, 5]);
  expect(older.isOver).toBe(true);
});

test('lists from which something is taken do not become dearer', () => {
  const { older, asked } = looking(listsOf(1000, 1000), () => ({ kind: 'list', handle: 0, size: 0, numbers: [] }));
  while (older.next(70_000, late) !== null) older.found();
  expect(asked).toHaveLength(8);
});

test('when no list can be had any more, none is asked for; when the run is stopped, nobody waits', () => {
  const over = looking(listsOf(9, 1000), () => ({ kind: 'over' }));
  expect([over.older.next(mib, late), over.older.next(mib, late), over.asked, over.older.isOver]).toEqual([null, null, [0], true]);
  const stopped = looking(listsOf(9, 1000), () => null);
  expect(() => stopped.older.next(mib, late)).toThrow(expect.objectContaining({ code: 'cancelled' }));
});

test('an answer of many archives arrives as it was written', () => {
  const memory = createOlderAnswer();
  expect(readOlderAnswer(memory)).toBeNull();
  const numbers = Array.from({ length: 50_000 }, (_, index) => (index % 3 === 0 ? null : index * 7));
  const answer: OlderAnswer = { kind: 'list', handle: 77, size: 3 * 2 ** 32 + 5, numbers };
  writeOlderAnswer(memory, answer);
  expect(readOlderAnswer(memory)).toEqual(answer);
  writeOlderAnswer(memory, { kind: 'none' });
  expect(readOlderAnswer(memory)).toEqual({ kind: 'none' });
});

test('an index finds what only a list has, by the run’s numbers, and what the base has first', async () => {
  const spool = await spooled([
    line(70_000, 'both', [[0, 0, 9, 0, 70_000]]),
    line(70_000, 'older', [[1, 0, 9, 0, 70_000]]),
    line(70_000, 'lost', [[2, 0, 9, 0, 70_000]]),
  ]);
  const content: KnownContent = {
    ...{ size: 70_000, pieceSize: 8 * mib, hashes: hashOf('both'), stretches: [[3, 5, 10, 0, 70_000]] },
    isUsable: ([archive]) => archive === 3,
  };
  const { older, asked } = looking(listsOf(1, 1000), () => ({
    kind: 'list',
    handle: spool.handle,
    size: spool.size,
    numbers: [3, 11, null],
  }));
  const records = openSpool();
  spools.push(records);
  const base = { isUsable: content.isUsable, contents: () => [content] };
  const index = new ContentIndex(new ContentRecords(records.handle), base, older);
  expect([index.find(hashOf('both'), 70_000)?.stretches, asked]).toEqual([content.stretches, []]);
  expect([index.find(hashOf('older'), 70_000)?.stretches, asked]).toEqual([[[11, 0, 9, 0, 70_000]], [0]]);
  expect(index.find(hashOf('lost'), 70_000)).toBeNull();
  expect(index.find(hashOf('both'), 70_000)?.stretches).toEqual(content.stretches);
});

test('of a large file the pieces of which are missing one by one, lists are fetched once they are worth it', async () => {
  const size = 9 * mib;
  const first = hashOf('header');
  const inFrames = (archive: number): Extent[] => [0, 1, 2].map((frame) => [archive, frame * 9, 9, 0, 3 * mib]);
  const piecesOf = (rest: number): Buffer => Buffer.concat([first, Buffer.alloc(8 * 32, rest)]);
  const listed = await Promise.all([1, 2].map((rest) => spooled([line(size, `version ${rest}`, inFrames(rest), piecesOf(rest))])));
  const { older, asked } = looking(listsOf(2, 800 * kib), (index) => {
    const { handle = 0, size: bytes = 0 } = listed[index] ?? {};
    return { kind: 'list', handle, size: bytes, numbers: [null, 21, 22] };
  });
  const records = openSpool();
  spools.push(records);
  const index = new ContentIndex(new ContentRecords(records.handle), null, older);
  const found = index.older(first, { size, mtime: late }, true);
  const archive = (): number | null | undefined => found.next().value?.stretches[0]?.[0];
  // Half a megabyte and an eighth of a piece do not pay for a list.
  expect([archive(), asked]).toEqual([undefined, []]);
  index.sent(size, 2 * mib);
  expect([archive(), asked]).toEqual([21, [0]]);
  expect([archive(), asked]).toEqual([undefined, [0]]);
  index.sent(size, 20 * mib);
  expect([archive(), asked]).toEqual([22, [0, 1]]);
  expect(found.next().done).toBe(true);
  // One of which nothing is found goes out in one.
  expect(index.older(hashOf('other'), { size, mtime: late }, false).next()).toEqual({ done: true, value: undefined });
});
