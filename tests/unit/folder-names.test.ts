import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { FolderReader, type FolderName } from '../../main/adapters/files/folder-names.ts';
import { walk } from '../../main/adapters/files/walk.ts';
import { tempFolder } from '../support/temp-folder.ts';

const count = 3000;

/** Names that are no UTF-8, and such as come before and behind them; some are the beginning of others. In byte order. */
function fill(folder: string, behind = ''): FolderName[] {
  const made = Array.from({ length: count }, (_, number): FolderName => {
    const name = Buffer.concat([
      Buffer.from([[0x61], [0xff], [0xc3, 0xa4], [0x2b], [0x01]][number % 5] ?? []),
      Buffer.from(`${String((number * 7919) % count)}${behind}`),
    ]);
    const path = Buffer.concat([Buffer.from(`${folder}/`), name]);
    const kind = (['file', 'directory', 'symlink'] as const)[number % 3] ?? 'file';
    if (kind === 'file') writeFileSync(path, '');
    else if (kind === 'directory') mkdirSync(path);
    else symlinkSync('nowhere', path);
    return { name: name.toString('latin1'), kind };
  });
  return made.toSorted((a, b) => Buffer.compare(Buffer.from(a.name, 'latin1'), Buffer.from(b.name, 'latin1')));
}

function read(reader: FolderReader, folder: string): FolderName[] {
  const names = reader.read(folder);
  const all = [...names.inOrder()];
  names.release();
  return all;
}

test.each([
  { where: 'in memory', limit: 2 ** 20 },
  { where: 'in four runs on the disk', limit: 40_000 },
  { where: 'in so many runs that they are merged twice before', limit: 2000 },
  { where: 'in a run for each name', limit: 0 },
])('the names of a folder come in byte order whatever they are: $where', ({ limit }) => {
  const folder = tempFolder();
  const wanted = fill(folder);
  expect(readdirSync(folder)).toHaveLength(count);
  const reader = new FolderReader(limit);
  expect(read(reader, folder)).toEqual(wanted);
  reader.close();
});

test.each([200_000, 120_000])('folders inside others share the memory and the disk, and give them back: %i bytes', (limit) => {
  const [outer, inner] = [tempFolder(), tempFolder()];
  const [outside, inside] = [fill(outer), fill(inner, '~')];
  // Of the first figure one of them fits, so that the others lie on the disk.
  const reader = new FolderReader(limit);
  const found: FolderName[] = [];
  const names = reader.read(outer);
  for (const name of names.inOrder()) {
    found.push(name);
    if (found.length % 1000 !== 1) continue;
    expect(read(reader, inner)).toEqual(inside);
    const left = reader.read(inner);
    const rest: FolderName[] = [];
    for (const first of left.inOrder()) {
      if (rest.length === 0) expect(read(reader, outer)).toEqual(outside);
      rest.push(first);
    }
    left.release();
    expect(rest).toEqual(inside);
  }
  names.release();
  expect(found).toEqual(outside);
  expect(read(reader, inner)).toEqual(inside);
  reader.close();
});

test('what fits takes nothing of the disk, however many folders come one after another', () => {
  const folder = tempFolder();
  const wanted = fill(folder);
  vi.stubEnv('TMPDIR', join(folder, 'missing'));
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const reader = new FolderReader(200_000);
  for (let times = 0; times < 3; times += 1) expect(read(reader, folder)).toEqual(wanted);
  const outside = reader.read(folder);
  expect(() => reader.read(folder)).toThrow(expect.objectContaining({ code: 'permission-denied' }));
  outside.release();
  reader.close();
});

test('an empty folder has none, and one that is not there is the system’s error', () => {
  const folder = tempFolder();
  const reader = new FolderReader();
  expect(read(reader, folder)).toEqual([]);
  expect(() => reader.read(join(folder, 'missing'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});

test('where names need the disk and cannot have it, the walk ends with that, and does not count the folder as unreadable', () => {
  const folder = tempFolder();
  const name = 'x'.repeat(240);
  // 37,000 names of this length are more than a walk has in memory.
  for (let number = 0; number < 37_000; number += 1) writeFileSync(join(folder, `${name}${String(number)}`), '');
  const told: unknown[] = [];
  const all = (): number =>
    [...walk({ root: folder, statFiles: false, excluded: () => false, onError: (_, error) => told.push(error) })].length;
  expect(all()).toBe(37_001);
  vi.stubEnv('TMPDIR', join(folder, 'missing'));
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  expect(all).toThrow(
    expect.objectContaining({ code: 'permission-denied', message: expect.stringContaining('temporary files') as string }),
  );
  expect(told).toEqual([]);
});
