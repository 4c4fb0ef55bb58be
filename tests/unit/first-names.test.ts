import { fstatSync, type BigIntStats } from 'node:fs';
import { expect, test } from 'vitest';
import { FirstNames } from '../../main/adapters/compute/pack/first-names.ts';
import { PathTable } from '../../main/adapters/compute/path-table.ts';
import { openSpool } from '../../main/adapters/files/spool.ts';
import { asBytePath } from '../../main/engine/archive/byte-path.ts';

/** A file of which only what tells it from others counts. */
function file(inode: number, names = 2, ctimeNs = 5n): BigIntStats {
  return { dev: 1n, ino: BigInt(inode), size: 3n, mtimeNs: 4n, ctimeNs, nlink: BigInt(names) } as BigIntStats;
}

const pathOf = (inode: number) => asBytePath(`folder ${String(inode % 7)}/\xe9\xff name of ${String(inode)}`);
const all = Array.from({ length: 1000 }, (_, inode) => inode);

test('each of a thousand is found by its own name, however often the table grew, and none is when all its names were met', () => {
  const names = new FirstNames(new PathTable(openSpool().handle, 16));
  for (const inode of all) names.add(pathOf(inode), file(inode, 3));
  expect(all.map((inode) => names.find(file(inode, 3)))).toEqual(all.map(pathOf));
  for (const inode of all) names.met(file(inode, 3));
  expect([names.size, names.find(file(7, 3))]).toEqual([1000, pathOf(7)]);
  for (const inode of all) names.met(file(inode, 3));
  expect([names.size, names.find(file(7, 3))]).toEqual([0, undefined]);
  // One that is met once more than it said it would be is nobody's business.
  names.met(file(7, 3));
  expect(names.size).toBe(0);
});

test('what came and went leaves no room taken, and what stays is found beside it', () => {
  const { handle } = openSpool();
  const names = new FirstNames(new PathTable(handle, 16));
  for (const inode of all) {
    names.add(pathOf(inode), file(inode));
    names.met(file(inode));
  }
  expect(fstatSync(handle).size).toBeLessThan(2048);
  names.add(pathOf(5000), file(5000));
  for (const inode of all) {
    names.add(pathOf(inode), file(inode));
    names.met(file(inode));
  }
  expect([names.size, names.find(file(5000)), names.find(file(7))]).toEqual([1, pathOf(5000), undefined]);
});

test('a file with one name is not written down, and one that took the number of another is not that one', () => {
  const names = new FirstNames(new PathTable(openSpool().handle));
  names.add(pathOf(1), file(1, 1));
  expect([names.size, names.find(file(1, 1))]).toEqual([0, undefined]);
  names.add(pathOf(1), file(1));
  expect([names.find(file(1, 2, 6n)), names.find(file(2)), names.find(file(1))]).toEqual([undefined, undefined, pathOf(1)]);
});
