import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { StagedTree } from '../../main/adapters/files/staged-tree.ts';
import { Fault } from '../../main/contract/faults.ts';
import { asBytePath, checkInnerPath, pathFromText } from '../../main/engine/archive/byte-path.ts';
import { expectSame } from '../support/incremental.ts';
import { world } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { oddNames, TreeMaker } from '../support/trees.ts';

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Names on Linux, one character for each byte. */
const refused: readonly string[] = [
  ...['CON', 'con', 'Prn', 'AUX', 'nul', 'COM0', 'COM1', 'com9', 'LPT0', 'lpt1', 'LPT9', 'CONIN$', 'conout$'],
  ...['COM1.txt', 'nul.tar.gz', 'CON.', 'con ', 'NUL  .txt', 'aux.d', latin1('COM¹'), latin1('com².txt'), latin1('LPT³')],
  ...['back\\slash', '..\\..\\outside', '\\\\host\\share', 'C:colon', 'C:', 'file.txt:stream', ':'],
  ...['star*', 'what?', '"quoted"', '<less', 'more>', 'pi|pe', 'new\nline', 'tab\there', 'esc\x1b[31m', '\x01'],
  ...['dot.', 'dots..', '...', 'space ', ' ', '.. ', '. .'],
];
/** Like those, and names on Windows as well. */
const taken: readonly string[] = [
  ...[
    'console',
    'CON1',
    'xcon',
    'con_',
    'null',
    'auxiliary',
    'COM',
    'COM10',
    'com1x',
    'LPT',
    'lpt11',
    'my.con',
    'a.nul',
    '.con',
    ' con',
    'conin',
  ],
  ...[
    '..twice',
    '.hidden',
    ' leading',
    'a b',
    '$&+,;=@~^',
    '(round)[brack]{curl}',
    "quote'd",
    '`',
    '-rf',
    latin1('COM⁴'),
    latin1('世界'),
    '\xff\xfe',
  ],
];

const outcome = (path: string, platform: 'posix' | 'windows'): string => {
  try {
    checkInnerPath(asBytePath(path), platform);
    return 'taken';
  } catch (error) {
    return error instanceof Fault ? error.code : String(error);
  }
};

describe('names that Linux takes and Windows does not', () => {
  test.each(refused)('%j', (name) => {
    for (const path of [name, `${name}/inside`, `world/${name}`, `world/${name}/inside`]) {
      expect([path, outcome(path, 'windows')]).toEqual([path, 'unsupported']);
      expect([path, outcome(path, 'posix')]).toEqual([path, 'taken']);
    }
  });

  test('the fault names the path and says that it is Windows; nobody is told of damage', () => {
    expect(() => checkInnerPath(pathFromText('world/Üben?'), 'windows')).toThrow('world/Üben? cannot be written on Windows');
  });

  test.each(taken)('%j is one on both', (name) => {
    expect([outcome(`world/${name}`, 'windows'), outcome(`world/${name}`, 'posix')]).toEqual(['taken', 'taken']);
  });

  test.each(['', '/etc', 'a//b', 'a/', '.', '..', 'a/../b', './a', 'nul\0l'])('%j leads out or nowhere, and is damage on both', (path) => {
    const both = path === '.' ? 'taken' : 'corrupt';
    expect([outcome(path, 'windows'), outcome(path, 'posix')]).toEqual([both, both]);
  });

  test('a tree that is built on Windows gets none of them, whatever they are to be', () => {
    const staging = tempFolder();
    const attributes = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n };
    const tree = new StagedTree(staging, false);
    vi.spyOn(process, 'platform', 'get').mockReturnValue('win32');
    for (const name of refused) {
      const path = asBytePath(`world/${name}`);
      expect(() => tree.makeFolder(path), name).toThrow('on Windows');
      expect(() => tree.createFile(path), name).toThrow('on Windows');
      expect(() => tree.makeSymlink(path, asBytePath('x'), attributes), name).toThrow('on Windows');
      expect(() => tree.makeHardLink(path, asBytePath('world/first')), name).toThrow('on Windows');
    }
    expect(readdirSync(staging, { recursive: true })).toEqual([]);
    tree.makeFolder(asBytePath('world/console'));
    expect(readdirSync(staging, { recursive: true })).toEqual(['world', 'world/console']);
  });
});

test('on Linux all of them come back, as files, as folders and as what links are called', async () => {
  const one = world();
  const source = join(tempFolder(), 'server');
  mkdirSync(source);
  const tree = new TreeMaker(source, 11);
  const names = [...new Set([...refused, ...taken, ...oddNames])];
  for (const kind of ['files', 'folders', 'links', 'names']) tree.folder(kind);
  tree.file('first', 100);
  for (const name of names) {
    tree.file(`files/${name}`, 10);
    tree.folder(`folders/${name}`);
    tree.file(`folders/${name}/inside`, 10);
    tree.link(`links/${name}`, name);
    tree.hardLink(`names/${name}`, 'first');
  }
  expect(await one.backup(source)).toMatchObject({ files: 1 + 3 * names.length, warnings: [] });
  await expectSame(one, source);
});
