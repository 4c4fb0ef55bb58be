import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { finishFolders, type FinishedFolder } from '../../main/adapters/files/finish-folders.ts';
import { KnownFolders } from '../../main/adapters/files/known-folders.ts';
import { StagedTree } from '../../main/adapters/files/staged-tree.ts';
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

test('folders that nobody can go through get their attributes last, from the innermost outwards, in whatever order they come', () => {
  const folder = (path: string, mode: number): FinishedFolder => ({ path: asBytePath(path), mode, uid: 0, gid: 0, mtimeNs: 0n });
  const finished: string[] = [];
  finishFolders({ finishFolder: (path) => finished.push(path) }, [
    folder('closed/b', 0o755),
    folder('closed/b/unread', 0o311),
    folder('closed', 0o600),
    folder('open', 0o500),
    folder('closed/b/unread/closed', 0),
  ]);
  expect(finished).toEqual(['closed/b', 'open', 'closed/b/unread/closed', 'closed/b/unread', 'closed']);
});
