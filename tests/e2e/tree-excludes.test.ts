import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Workshop } from '../support/run-holdfast.ts';
import type { HoldfastRun } from '../support/run-holdfast.ts';
import { TreeMaker } from '../support/trees.ts';

const shop = new Workshop('excludes');

function newServer(name: string): TreeMaker {
  mkdirSync(shop.path(name));
  const tree = new TreeMaker(shop.path(name), 1);
  for (const folder of ['world/region', 'logs', 'cache/deep', 'plugins', 'crash-reports']) tree.folder(folder);
  const files = [
    'world/region/r.0.0.mca',
    'world/session.lock',
    'logs/latest.log',
    'cache/deep/mojang.jar',
    'cache/deep/blob',
    'plugins/tool.jar',
  ];
  for (const file of [...files, 'server.jar', 'half.tmp', 'crash-reports/one.txt', 'notes.txt', 'Notes.TMP']) tree.file(file, 30);
  return tree;
}

async function stored(server: string): Promise<readonly string[]> {
  const { value, code, stdout } = await shop.run(['ls', 'latest', '-d', `folder:${shop.place}`, '--server', server]);
  expect(code, stdout).toBe(0);
  return (value as { path: string; type: string }[])
    .filter(({ type }) => type !== 'directory')
    .map(({ path }) => path)
    .sort();
}

describe('what is left out', () => {
  it('by --exclude, in the order given, a later one over an earlier one', async () => {
    newServer('by-option');
    const args = ['--exclude', '*.jar', '--exclude', '/logs/', '--exclude', '!server.jar'];
    expect((await shop.backup(shop.path('by-option'), args)).code).toBe(0);
    const paths = await stored('by-option');
    expect(paths).toContain('server.jar');
    expect(paths).not.toContain('plugins/tool.jar');
    expect(paths.some((path) => path.startsWith('logs'))).toBe(false);
    expect(paths).toContain('Notes.TMP');
  });

  it('by .holdfastignore, which is itself kept, and which --exclude goes over', async () => {
    const tree = newServer('by-file');
    writeFileSync(tree.at('.holdfastignore'), '# not the logs\r\n/logs/\n*.tmp\n\nnotes.txt\n');
    expect((await shop.backup(shop.path('by-file'), ['--exclude', '!notes.txt'])).code).toBe(0);
    const paths = await stored('by-file');
    expect(paths).toContain('.holdfastignore');
    expect(paths).toContain('notes.txt');
    expect(paths).toContain('Notes.TMP');
    expect(paths).not.toContain('half.tmp');
    expect(paths).not.toContain('logs/latest.log');
  });

  it('by --preset minecraft, but never a jar', async () => {
    newServer('by-preset');
    expect((await shop.backup(shop.path('by-preset'), ['--preset', 'minecraft'])).code).toBe(0);
    expect(await stored('by-preset')).toEqual(
      ['Notes.TMP', 'cache/deep/mojang.jar', 'notes.txt', 'plugins/tool.jar', 'server.jar', 'world/region/r.0.0.mca'].sort(),
    );
  });

  it('is refused where a pattern file is no text', async () => {
    const tree = newServer('bad-file');
    writeFileSync(tree.at('.holdfastignore'), Buffer.from('logs\n\xff\n', 'latin1'));
    const { code, value } = await shop.backup(shop.path('bad-file'));
    expect(code).toBe(2);
    expect(value).toMatchObject({ fault: { code: 'config-invalid' } });
    expect(shop.objects('bad-file')).toEqual([]);
  });

  it.each([
    ['a folder', (path: string) => mkdirSync(path)],
    ['a link that leads nowhere', (path: string) => symlinkSync('nowhere', path)],
  ])('is nothing where .holdfastignore is %s', async (what, make) => {
    const name = `ignore-${what.length}`;
    newServer(name);
    make(shop.path(name, '.holdfastignore'));
    expect((await shop.backup(shop.path(name))).code).toBe(0);
    expect((await stored(name)).length).toBeGreaterThan(5);
  });
});

describe('places that must not mix', () => {
  const refused = ({ code, value }: HoldfastRun, message: RegExp): void => {
    expect(code).toBe(2);
    expect(value).toMatchObject({ ok: false, fault: { code: 'config-invalid', message: expect.stringMatching(message) as string } });
  };

  it('a destination inside the folder is refused, also through links and when it does not exist yet', async () => {
    newServer('outer');
    mkdirSync(shop.path('outer', 'backups'));
    symlinkSync(shop.path('outer'), shop.path('way-in'));
    symlinkSync(shop.path('outer', 'backups'), shop.path('short-cut'));
    for (const place of [
      shop.path('outer', 'backups'),
      shop.path('outer'),
      shop.path('way-in', 'backups'),
      shop.path('short-cut'),
      shop.path('way-in', 'not', 'yet'),
    ]) {
      refused(await shop.run(['backup', shop.path('outer'), '-d', `folder:${place}`]), /inside/);
    }
    for (const source of [shop.path('way-in'), `${shop.path('outer')}/../outer/.`]) {
      refused(await shop.run(['backup', source, '-d', `folder:${shop.path('outer', 'backups')}`]), /inside/);
    }
    rmSync(shop.path('outer', 'backups'), { recursive: true });
    mkdirSync(shop.path('outer-but-not-inside'));
    expect((await shop.run(['backup', shop.path('outer'), '-d', `folder:${shop.path('outer-but-not-inside')}`])).code).toBe(0);
  });

  it('a folder inside the destination is refused, also through links', async () => {
    mkdirSync(shop.path('big place', 'server'), { recursive: true });
    writeFileSync(shop.path('big place', 'server', 'file'), 'x');
    symlinkSync(shop.path('big place'), shop.path('other way'));
    const source = shop.path('big place', 'server');
    refused(await shop.run(['backup', source, '-d', `folder:${shop.path('big place')}`]), /inside/);
    refused(await shop.run(['backup', source, '-d', `folder:${shop.path('other way')}`]), /inside/);
    refused(await shop.run(['backup', shop.path('other way', 'server'), '-d', `folder:${shop.path('big place')}`]), /inside/);
  });
});

describe('a source that is none', () => {
  it('ends with a code for each reason, and leaves no snapshot', async () => {
    mkdirSync(shop.path('empty'));
    writeFileSync(shop.path('a file'), 'x');
    newServer('all-excluded');
    const codes = async (source: string, ...args: string[]): Promise<readonly unknown[]> => {
      const { code, value } = await shop.backup(source, args);
      return [code, (value as { fault?: { code: string } }).fault?.code];
    };
    expect(await codes(shop.path('missing'))).toEqual([10, 'not-found']);
    expect(await codes(shop.path('a file', 'below'))).toEqual([10, 'not-found']);
    expect(await codes(shop.path('empty'))).toEqual([2, 'config-invalid']);
    expect(await codes(shop.path('a file'))).toEqual([2, 'config-invalid']);
    expect(await codes(shop.path('all-excluded'), '--exclude', '*')).toEqual([2, 'config-invalid']);
    expect(await codes(shop.path('all-excluded'), '--exclude', '*', '--format', 'classic')).toEqual([2, 'config-invalid']);
    for (const server of ['missing', 'empty', 'a-file', 'all-excluded']) expect(shop.objects(server), server).toEqual([]);
    expect(shop.unfinished()).toEqual([]);
  });
});
