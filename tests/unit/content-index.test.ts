import { createHash } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { compress } from 'zstd-napi';
import { BaseEntries } from '../../main/adapters/compute/pack/base-entries.ts';
import { ContentIndex } from '../../main/adapters/compute/pack/content-index.ts';
import { ContentRecords } from '../../main/adapters/compute/pack/content-records.ts';
import { KnownPieces, type KnownContent } from '../../main/adapters/compute/pack/known-content.ts';
import { PlaceTable } from '../../main/adapters/compute/pack/place-table.ts';
import { inFrame, type Stretch } from '../../main/adapters/compute/pack/stretches.ts';
import { openSpool, type FileSpool } from '../../main/adapters/files/spool.ts';
import { pathFromText } from '../../main/engine/archive/byte-path.ts';
import { entryLineEnd, entryLineStart } from '../../main/engine/snapshots/manifest-entry.ts';

const mib = 2 ** 20;
const spools: FileSpool[] = [];
afterEach(async () => {
  for (const spool of spools.splice(0)) await spool.dispose();
});

function records(): ContentRecords {
  const spool = openSpool();
  spools.push(spool);
  return new ContentRecords(spool.handle);
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
const stretchesOf = (number: number): readonly Stretch[] => [inFrame(number, 5, 100_000 + number)];

test('of a hundred thousand contents each is found, and memory is a few bytes for each', () => {
  const places = new PlaceTable();
  const index = new ContentIndex(records(), null, null, places);
  const count = 100_000;
  for (let number = 0; number < count; number += 1) {
    const path = pathFromText(`file ${number}`);
    index.add({ size: 100_000 + number, hashes: hashOf(String(number)), stretches: stretchesOf(number), path });
  }
  for (let number = 0; number < count; number += 7) {
    const found = index.find(hashOf(String(number)), 100_000 + number);
    expect([found?.path, found?.stretches]).toEqual([`file ${number}`, stretchesOf(number)]);
    // The same hash with another size, and another hash with the same size.
    expect(index.find(hashOf(String(number)), 100_001 + number)).toBeNull();
    expect(index.find(hashOf(`not ${number}`), 100_000 + number)).toBeNull();
  }
  expect(places.bytes).toBeLessThanOrEqual(count * 48);
});

test('a table that is full takes no more and keeps what it has', () => {
  const places = new PlaceTable(2 ** 13);
  const key = (number: number): readonly [number, number] => [Math.imul(number, 0x9e37_79b1) >>> 0, number];
  for (let number = 0; number < 20_000; number += 1) places.set(key(number), number);
  const most = 2 ** 13 * 0.75;
  const found = Array.from({ length: 20_000 }, (_, number) => places.get(key(number)));
  expect(found).toEqual(Array.from({ length: 20_000 }, (_, number) => (number < most ? number : null)));
  places.set(key(3), 99);
  expect(places.get(key(3))).toBe(99);
});

test('of larger files that begin alike, the one of the same size comes first, then the one that came last; one that is cut otherwise is none', () => {
  const index = new ContentIndex(records(), null);
  const first = hashOf('header');
  for (const [number, size] of [9 * mib, 10 * mib, 11 * mib].entries()) {
    const hashes = Buffer.concat([first, Buffer.alloc((size / mib - 1) * 32, number)]);
    index.add({ size, hashes, stretches: [inFrame(number, 0, size)], path: pathFromText(`${size / mib}`) });
  }
  const found = [9, 10, 11, 12, 300 * 1024, 8].map((size) => index.find(first, size * mib)?.path);
  expect(found).toEqual(['9', '10', '11', '11', undefined, undefined]);
});

test('of larger files that begin alike and have one size, each is found: the last first, and a copy does not count once more', () => {
  const index = new ContentIndex(records(), null);
  const [first, size] = [hashOf('header'), 9 * mib];
  const add = (number: number, path: string, bytes = size): void => {
    const hashes = Buffer.concat([first, Buffer.alloc((bytes / mib - 1) * 32, number)]);
    index.add({ size: bytes, hashes, stretches: [inFrame(number, 0, bytes)], path: pathFromText(path) });
  };
  const pathsOf = (bytes: number): unknown[] => [...index.alike(first, bytes)].map(({ path }) => path);
  add(1, 'one');
  add(2, 'two');
  add(3, 'longer', 10 * mib);
  for (let copy = 0; copy < 20; copy += 1) add(2, `copy ${copy}`);
  expect(pathsOf(size)).toEqual(['two', 'one', 'longer']);
  expect(pathsOf(10 * mib)).toEqual(['longer', 'two', 'one']);
  // Of more than can be compared, those that came last.
  for (let number = 4; number < 30; number += 1) add(number, String(number));
  expect(pathsOf(size)).toEqual(Array.from({ length: 16 }, (_, back) => String(29 - back)));
});

test('of larger files that begin alike so many are compared as fit into a few megabytes, and one always', () => {
  const index = new ContentIndex(records(), null);
  const size = 2 ** 36;
  for (let number = 0; number < 5; number += 1) {
    const hashes = Buffer.concat([hashOf('header'), Buffer.alloc((size / mib - 1) * 32, number)]);
    index.add({ size, hashes, stretches: [inFrame(number, 0, mib)], path: pathFromText(`${number}`) });
  }
  const most = 1 + Math.floor((4 * mib) / ((size / mib) * 32 + 24));
  expect([...index.alike(hashOf('header'), size)].map(({ path }) => path)).toEqual(['4', '3', '2'].slice(0, most));
});

test('a file that is put together from pieces of several contents is kept whole, and one like it is the same', () => {
  const size = 9 * mib;
  const hash = (piece: number, of: string): Buffer => hashOf(piece === 0 ? 'header' : `${piece} ${of}`);
  const hashesOf = (of: (piece: number) => string): Buffer[] => Array.from({ length: 9 }, (_, piece) => hash(piece, of(piece)));
  const known = (number: number, name: string): KnownContent => ({
    size,
    pieceSize: mib,
    hashes: Buffer.concat(hashesOf(() => name)),
    stretches: [inFrame(number, 0, size)],
    isUsable: ([, frame]) => frame !== 3,
    path: pathFromText(name),
  });
  let fetched = 0;
  function* contents(): Generator<KnownContent> {
    for (const [index, name] of ['a', 'b', 'lost', 'c'].entries()) {
      fetched += 1;
      yield known(index + 1, name);
    }
  }
  const pieces = new KnownPieces(contents());
  const turns = ['a', 'a', 'b', 'b', 'a', 'lost', 'c', 'none', 'b'];
  const asked = hashesOf((piece) => turns[piece] ?? '');
  const found = asked.map((sum, piece) => [pieces.find(piece * mib, mib, sum)?.[0]?.[1], fetched]);
  expect(found).toEqual([
    [1, 1],
    [1, 1],
    [2, 2],
    [2, 2],
    [1, 2],
    [undefined, 4],
    [4, 4],
    [undefined, 4],
    [2, 4],
  ]);
  expect(pieces.pathOf(size, Buffer.concat(asked))).toBeNull();
  expect(pieces.pathOf(size, known(2, 'b').hashes)).toBe('b');
});

test('the base is gone through when something is looked for that can be found, and once', () => {
  let times = 0;
  const content: KnownContent = {
    size: 70_000,
    pieceSize: 8 * mib,
    hashes: hashOf('base'),
    stretches: [[3, 0, 10, 0, 70_000]],
    isUsable: ([archive]) => archive === 3,
  };
  const base = {
    isUsable: content.isUsable,
    contents: (): KnownContent[] => {
      times += 1;
      return [content, { ...content, hashes: hashOf('lost'), stretches: [[4, 0, 10, 0, 70_000]] }];
    },
  };
  const index = new ContentIndex(records(), base);
  expect([index.find(hashOf('base'), 60_000), times]).toEqual([null, 0]);
  expect(index.find(hashOf('base'), 70_000)?.stretches).toEqual(content.stretches);
  expect([index.find(hashOf('lost'), 70_000), times]).toEqual([null, 1]);
});

test('of the lines of a manifest, those of files that are large enough are read, whatever their paths say', async () => {
  const stat = { mode: 0o644, uid: 0, gid: 0, mtime: '0', ctime: '0', inode: '1' };
  const sha256 = hashOf('x').toString('hex');
  const line = (path: string, size: number): string =>
    entryLineStart({ ...stat, path: pathFromText(path), type: 'file', size, sha256 }) + entryLineEnd([[0, 0, 9, 0, size]]);
  const odd = line('with blanks', 80_000).replace(',"size":', ', "size": ');
  const text = [
    '{"holdfast":"manifest"}\n',
    line('small', 65_535),
    line('a","size":99999,"', 10),
    line('b,"size":1,', 65_536),
    odd,
    line('large', 70_000),
    'no JSON, but long: ,"size":70000\n',
    line('behind it', 70_000),
  ].join('');
  const spool = openSpool();
  spools.push(spool);
  await spool.append(compress(Buffer.from(text)));
  const manifest = { handle: spool.handle, size: spool.size, name: 'a manifest' };
  const base = new BaseEntries({ manifest, usable: [true], settled: 1, older: null, trustStamps: true, ignoreInode: false });
  expect([...base.contents(65_536)].map(({ size }) => size)).toEqual([65_536, 80_000, 70_000]);
});
