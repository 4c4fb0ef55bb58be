import { expect, test } from 'vitest';
import { createFrameRingMemory, FrameRing, slotState } from '../../main/adapters/compute/frame-ring.ts';
import { readNotes } from '../../main/adapters/compute/pack/frame-notes.ts';
import { FrameWriter } from '../../main/adapters/compute/pack/frame-writer.ts';
import { thisRun, type Stretch } from '../../main/adapters/compute/pack/stretches.ts';
import { ExtentCutter, ExtentList } from '../../main/engine/snapshots/extents.ts';
import { decodePieces, pieceSizeFor } from '../../main/engine/snapshots/file-pieces.ts';
import { entryLineEnd, type Extent } from '../../main/engine/snapshots/manifest-entry.ts';
import { maxEntryLine } from '../../main/engine/snapshots/read-entry.ts';
import { seededNumbers } from '../support/seeded-random.ts';

const mib = 2 ** 20;
const gib = 2 ** 30;

test('files of up to 8 MiB are not cut, larger ones in pieces of 1 MiB, and huge ones so that they are not too many', () => {
  const sizes = [0, 8 * mib, 8 * mib + 1, 256 * gib, 256 * gib + 1, 1024 * gib, 4096 * gib, 4096 * gib + 1];
  expect(sizes.map(pieceSizeFor)).toEqual([null, null, mib, mib, 2 * mib, 4 * mib, 16 * mib, null]);
});

test('the hashes of an entry count only where they are as many as its size has', () => {
  const pieces = Buffer.alloc(9 * 32, 1).toString('base64');
  const good = [8 * mib + 1, 9 * mib].map((size) => decodePieces(pieces, size)?.length);
  expect(good).toEqual([288, 288]);
  for (const size of [0, 8 * mib, 9 * mib + 1, 2 ** 43]) expect(decodePieces(pieces, size)).toBeNull();
  expect(decodePieces(undefined, 9 * mib)).toBeNull();
  expect(decodePieces(pieces.slice(1), 9 * mib)).toBeNull();
});

test('the longest line of a file, each piece of which lies by itself and over two frames, is within the limit', () => {
  const longest: Extent = [9999, 2 ** 40, 2 ** 22, 2 ** 22, 2 ** 19];
  const most = 2 ** 18;
  expect(entryLineEnd(Array.from({ length: 2 * most }, () => longest)).length + Math.ceil((most * 32) / 3) * 4).toBeLessThan(maxEntryLine);
});

/** What stretches stand for: of each byte, where it lies. */
const bytesOf = (stretches: readonly Stretch[]): string[] =>
  stretches.flatMap(([archive, at, , start, length]) => Array.from({ length }, (_, index) => `${archive} ${at} ${start + index}`));

test('what is cut out of stretches in any ranges, and joined again, is what it was, in no more stretches', () => {
  const next = seededNumbers(5);
  const below = (most: number): number => Math.floor(next() * most);
  for (let round = 0; round < 300; round += 1) {
    const list = new ExtentList();
    for (let count = below(8); count > 0; count -= 1) list.add([below(3), below(2), 0, below(4) * 5, below(9)]);
    const all = bytesOf(list.all);
    const cutter = new ExtentCutter(list.all);
    const joined = new ExtentList();
    for (let at = 0; at < all.length;) {
      const length = Math.min(1 + below(7), all.length - at);
      const cut = cutter.cut(at, length);
      expect(bytesOf(cut ?? [])).toEqual(all.slice(at, at + length));
      joined.addAll(cut ?? []);
      at += length;
    }
    expect(joined.all).toEqual(list.all);
    expect(new ExtentCutter(list.all).cut(below(all.length + 1), all.length + 1)).toBeNull();
  }
});

test('an entry that is longer than the notes of a frame is handed over in parts, none of them cut off', () => {
  const ring = new FrameRing(createFrameRingMemory({ slots: 6, partSizes: [1024] }));
  const frames = new FrameWriter(ring);
  const long = `{"path":"${'\u00e9'.repeat(70_000)}","pieces":"${'A'.repeat(1_300_000)}"`;
  const stretches = Array.from({ length: 50_000 }, (_, index): Stretch => [index % 2 === 0 ? thisRun : 3, index * 2 ** 33, 7, index, 1]);
  frames.note('{"first":1', []);
  frames.note(long, stretches);
  frames.note('{"last":1', []);
  frames.finish();
  const texts: string[] = [];
  let text = '';
  const found: Stretch[] = [];
  for (let slot = 0; slot < ring.slots && ring.state(slot) === slotState.filled; slot += 1) {
    for (const note of readNotes(ring.notes(slot), ring.sizes(slot).notes)) {
      text += Buffer.from(note.text).toString('latin1');
      found.push(...note.stretches);
      if (note.more) continue;
      texts.push(text);
      text = '';
    }
  }
  expect(texts).toEqual(['{"first":1', Buffer.from(long).toString('latin1'), '{"last":1']);
  expect(found).toEqual(stretches);
});
