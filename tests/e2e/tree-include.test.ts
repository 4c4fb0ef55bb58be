import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { differences, seeTree } from '../support/compare-trees.ts';
import type { SeenEntry } from '../support/compare-trees.ts';
import { isRoot, Workshop } from '../support/run-holdfast.ts';
import { buildOddTree, TreeMaker } from '../support/trees.ts';

const shop = new Workshop('include');
const source = shop.path('survival');
let targets = 0;

beforeAll(async () => {
  mkdirSync(source);
  const tree = new TreeMaker(source, 5);
  tree.folder('a/b/c');
  tree.folder('a/empty folder');
  tree.file('a/first', 3000);
  tree.hardLink('a/b/second', 'a/first');
  tree.hardLink('z third', 'a/first');
  tree.file('a/nothing', 0);
  tree.hardLink('a/b/nothing two', 'a/nothing');
  tree.hardLink('a/b/nothing three', 'a/nothing');
  tree.file('a/b/c/lonely and empty', 0);
  tree.link('a/b/c/link', '../second');
  tree.file('large', 700_000);
  tree.hardLink('a/large too', 'large');
  tree.file('a/b/\xffbytes', 20);
  tree.file('other', 10);
  for (const folder of ['a/b/c', 'a/b', 'a']) {
    chmodSync(tree.at(folder), 0o751);
    utimesSync(tree.at(folder), 1_000_000_000, 1_000_000_000 + folder.length);
  }
  const { code, stdout } = await shop.backup(source, ['--volume-size', '128K']);
  expect(code, stdout).toBe(0);
});

/** Restores what the patterns name into a new folder and gives what is there then. */
async function restored(...patterns: string[]): Promise<Map<string, SeenEntry>> {
  targets += 1;
  const target = shop.path(`target-${targets}`);
  const args = patterns.flatMap((pattern) => ['--include', pattern]);
  const { code, stdout } = await shop.restore(target, args);
  expect(code, stdout).toBe(0);
  return seeTree(target, { owners: isRoot });
}

/** The entry is as it is in the source, but for what must differ when only a part comes back. */
function sameAsSource(got: Map<string, SeenEntry>, paths: readonly string[], ignore: readonly (keyof SeenEntry)[] = ['names']): void {
  const wanted = seeTree(source, { owners: isRoot });
  const part = (of: Map<string, SeenEntry>): Map<string, SeenEntry> => new Map([...of].filter(([path]) => path !== '.'));
  expect([...part(got).keys()].sort()).toEqual([...paths].sort());
  expect(differences(new Map([...wanted].filter(([path]) => paths.includes(path))), part(got), { ignore })).toEqual([]);
}

describe('restoring a part', () => {
  it('brings a further name of a hard-linked file back with its content', async () => {
    sameAsSource(await restored('/z third'), ['z third']);
    sameAsSource(await restored('/large'), ['large']);
  });

  it('links the names that come back without the first one to each other', async () => {
    const got = await restored('/a/first', '/z third');
    sameAsSource(got, ['a', 'a/first', 'z third']);
    expect(got.get('z third')?.names).toBe('a/first = z third');
  });

  it('brings further names of an empty file back', async () => {
    // The first name is the one that the walk meets first: `a/b/nothing three`.
    sameAsSource(await restored('/a/nothing'), ['a', 'a/nothing']);
    const got = await restored('/a/nothing', '/a/b/nothing two');
    sameAsSource(got, ['a', 'a/nothing', 'a/b', 'a/b/nothing two']);
    expect(got.get('a/nothing')?.names).toBe('a/b/nothing two = a/nothing');
  });

  it('gives folders on the way their attributes, also when only empty files and links lie in them', async () => {
    sameAsSource(await restored('/a/b/c/lonely*'), ['a', 'a/b', 'a/b/c', 'a/b/c/lonely and empty']);
    sameAsSource(await restored('/a/first', '/a/b/c/link'), ['a', 'a/first', 'a/b', 'a/b/c', 'a/b/c/link']);
  });

  it('brings a folder back with all that is in it', async () => {
    const inside = [...seeTree(source, { owners: false }).keys()].filter((path) => path === 'a' || path.startsWith('a/'));
    sameAsSource(await restored('/a'), inside);
  });

  it('takes a lone link or an empty folder for something', async () => {
    sameAsSource(await restored('/a/b/c/link'), ['a', 'a/b', 'a/b/c', 'a/b/c/link']);
    sameAsSource(await restored('/a/empty folder'), ['a', 'a/empty folder']);
  });

  it('ends with 10 and touches nothing when a pattern matches nothing', async () => {
    const target = shop.path('untouched');
    mkdirSync(target);
    writeFileSync(`${target}/mine`, 'stays');
    const before = seeTree(shop.path('untouched'), { owners: true });
    const { code, value } = await shop.restore(target, ['--include', '/no/such', '--replace']);
    expect(code).toBe(10);
    expect(value).toMatchObject({ ok: false, fault: { code: 'not-found' } });
    expect(differences(before, seeTree(target, { owners: true }))).toEqual([]);
    expect(readdirSync(shop.base).filter((name) => name.includes('untouched'))).toEqual(['untouched']);
    expect((await shop.restore(shop.path('never'), ['--include', '/no/such'])).code).toBe(10);
    expect(existsSync(shop.path('never'))).toBe(false);
  });

  it('asks for --replace where something is there, and says that the rest would stay', async () => {
    const target = shop.path('taken');
    mkdirSync(target);
    writeFileSync(`${target}/mine`, 'stays');
    const { code, value } = await shop.restore(target, ['--include', '/a/first']);
    expect(code).toBe(2);
    expect(value).toMatchObject({
      fault: { message: expect.stringContaining('--replace exchanges what is asked for, leaves the rest,') as string },
    });
    expect(readdirSync(target)).toEqual(['mine']);
  });

  it('takes no snapshot for the one that a script forgot to name', async () => {
    const { code, value } = await shop.restore(shop.path('nameless'), [], {}, '');
    expect(code).toBe(2);
    expect(value).toMatchObject({ fault: { message: expect.stringContaining('the snapshot is empty') as string } });
    expect(existsSync(shop.path('nameless'))).toBe(false);
  });
});

describe.each(['archive', 'classic'])('of a snapshot of the %s format', (format) => {
  const server = `only-${format}`;

  beforeAll(async () => {
    if (!existsSync(shop.path('mixed'))) {
      const tree = new TreeMaker(shop.path('mixed'), 6);
      tree.folder('a/empty');
      tree.file('a/file', 10);
      tree.link('a/link', 'file');
    }
    const { code, stdout } = await shop.backup(shop.path('mixed'), ['--format', format, '--server', server]);
    expect(code, stdout).toBe(0);
  });

  it.each([
    ['a folder with nothing in it', '/a/empty', 'a/empty', '1 folder, 0 symbolic links'],
    ['a symbolic link', 'link', 'a/link', '0 folders, 1 symbolic link'],
  ])('%s is something, and that there is no file is said', async (_, pattern, path, said) => {
    const target = shop.path(server, path);
    const { code, value } = await shop.restore(target, ['--server', server, '--include', pattern]);
    expect([code, Object.keys(Object.fromEntries(seeTree(target, { owners: false })))]).toEqual([0, ['.', 'a', path]]);
    const message = `no file was among what was restored: ${said}`;
    expect(value).toMatchObject({ files: 0, warnings: expect.arrayContaining([{ code: 'target', message, level: 'note' }]) });
  });

  it('a pattern that matches nothing is an error, and nothing is made', async () => {
    const target = shop.path(server, 'never');
    const { code, value } = await shop.restore(target, ['--server', server, '--include', '/a/none', '--include', '/none']);
    expect([code, value]).toMatchObject([10, { fault: { code: 'not-found', message: 'nothing in the snapshot matches /a/none, /none' } }]);
    expect(existsSync(target)).toBe(false);
  });
});

describe('the classic format', () => {
  it('keeps all but hard links, holes and times that a ZIP cannot say', async () => {
    const odd = shop.path('odd');
    buildOddTree(odd, { seed: 4, asRoot: isRoot, volumeSize: 5 * 2 ** 20 });
    const backup = await shop.backup(odd, ['--format', 'classic']);
    expect(backup.code, backup.stdout).toBe(0);
    const target = shop.path('odd-back');
    const back = await shop.restore(target, ['--server', 'odd']);
    expect(back.code, back.stdout).toBe(0);
    const outOfRange = (path: string): boolean => /^times\/.* [2345]$/.test(path);
    const options = { ignore: ['names', 'holes'] as const, leaveOut: (path: string): boolean => path === '.' || outOfRange(path) };
    const wanted = seeTree(odd, { owners: isRoot });
    const got = seeTree(target, { owners: isRoot });
    expect(differences(wanted, got, options)).toEqual([]);
    const timeless = { ignore: ['names', 'holes', 'mtimeNs'] as const, leaveOut: (path: string): boolean => !outOfRange(path) };
    expect(differences(wanted, got, timeless)).toEqual([]);
    // A classic snapshot does not say it of its folder; the one it was made in is for its owner alone.
    expect(lstatSync(target).mode & 0o777).toBe(0o755);
    expect(lstatSync(`${target}/hard/inner/third`).nlink).toBe(1);
    expect(readlinkSync(`${target}/links/to file`)).toBe('plain');
    expect(readFileSync(`${target}/across`)).toEqual(readFileSync(`${odd}/across`));
  });
});
