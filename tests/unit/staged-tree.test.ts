import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { finishFolders, type FinishedFolder } from '../../main/adapters/files/finish-folders.ts';
import { KnownFolders } from '../../main/adapters/files/known-folders.ts';
import { StagedTree, type Attributes } from '../../main/adapters/files/staged-tree.ts';
import { asBytePath } from '../../main/engine/archive/byte-path.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('of thirty thousand folders a third are held, and still the last one and those on the way to it are known', () => {
  const known = new KnownFolders();
  let most = 0;
  for (let number = 0; number < 30_000; number += 1) {
    known.add(asBytePath(`a/b/${String(number)}`));
    most = Math.max(most, known.size);
    expect(known.has(asBytePath(`a/b/${String(number)}`)) && known.has(asBytePath('a/b')) && known.has(asBytePath('a'))).toBe(true);
  }
  expect(most).toBeLessThan(10_000);
  expect([known.has(asBytePath('a/b/7')), known.has(asBytePath('b')), known.has(asBytePath('a/b/7999'))]).toEqual([false, false, false]);
});

test('a folder that was forgotten is found to be there', () => {
  const staging = tempFolder();
  const tree = new StagedTree(staging, false);
  const way = Array.from({ length: 8 }, () => 'x'.repeat(250)).join('/');
  const folders = Array.from({ length: 700 }, (_, number) => asBytePath(`${way}/${String(number)}`));
  for (const folder of folders) tree.makeFolder(folder);
  for (const folder of folders.slice(0, 5)) {
    expect(tree.hasFolder(folder)).toBe(true);
    tree.makeFolder(asBytePath(`${folder}/inside`));
  }
  tree.close();
  expect(readdirSync(join(staging, way))).toHaveLength(folders.length);
});

test('no folder is found through a link', () => {
  const [staging, outside] = [tempFolder(), tempFolder()];
  mkdirSync(join(outside, 'deep', 'deeper'), { recursive: true });
  symlinkSync(outside, join(staging, 'way'));
  mkdirSync(join(staging, 'own'));
  const tree = new StagedTree(staging, false);
  const found = ['way', 'way/deep', 'way/deep/deeper', 'own', 'nothing', 'nothing/in'].map((path) => tree.hasFolder(asBytePath(path)));
  expect(found).toEqual([false, false, false, true, false, false]);
});

test.each([
  { where: 'in memory', limit: 2 ** 20 },
  { where: 'on the disk', limit: 0 },
])(
  'folders that nobody can go through get their attributes last, from the innermost outwards, in whatever order they come: kept $where',
  ({ limit }) => {
    const folder = (path: string, mode: number): FinishedFolder => ({
      ...{ path: asBytePath(path), mode, uid: 1000, gid: 65_534, mtimeNs: -1_234_567_890_123_456_789n },
    });
    const finished: unknown[] = [];
    const [inner, open, deepest, unread, closed] = [
      folder('closed/b', 0o755),
      folder('open', 0o500),
      folder(`closed/b/unread/closed\n\u00ff${'x'.repeat(200_000)}`, 0),
      folder('closed/b/unread', 0o311),
      folder('closed', 0o1600),
    ];
    const tree = {
      finishFolder: (path: string, { mode, uid, gid, mtimeNs }: Attributes) => finished.push({ path, mode, uid, gid, mtimeNs }),
    };
    finishFolders(tree, [inner, unread, closed, open, deepest], limit);
    expect(finished).toEqual([inner, open, deepest, unread, closed]);
  },
);
