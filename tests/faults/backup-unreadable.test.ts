import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { differences, seeTree } from '../support/compare-trees.ts';
import { isRoot, nobody, Workshop } from '../support/run-holdfast.ts';
import { TreeMaker } from '../support/trees.ts';
import { archiveOpened, hasTracer, zipReaders } from '../support/other-readers.ts';

const shop = new Workshop('unreadable');

describe('what may not be read', () => {
  it('is left out and told of, and the rest goes on', async () => {
    const source = shop.path('forbidden');
    mkdirSync(source);
    const tree = new TreeMaker(source, 1);
    for (const name of ['a', 'open folder', 'open folder/inner', 'shut folder']) tree.folder(name);
    tree.file('a/first', 500);
    tree.file('b shut', 400);
    tree.file('open folder/inner/file', 300);
    tree.file('shut folder/file', 200);
    tree.file('z last', 100);
    const place = shop.path('nobody');
    mkdirSync(place);
    chmodSync(tree.at('b shut'), 0);
    chmodSync(tree.at('shut folder'), 0o300);
    shop.giveTo(nobody, source, place);
    const own = isRoot ? { uid: nobody } : {};
    const backup = await shop.run(['backup', source, '-d', `folder:${place}/backups`], own);
    expect(backup.code, backup.stdout).toBe(3);
    expect(backup.value).toMatchObject({
      outcome: 'written',
      warnings: [
        { code: 'unreadable', path: 'b shut' },
        { code: 'unreadable', path: 'shut folder' },
      ],
    });
    // It misses something: the next run must not rest on it.
    expect((await shop.run(['backup', source, '-d', `folder:${place}/backups`], own)).value).toMatchObject({ outcome: 'written' });
    const target = `${place}/target`;
    const restored = await shop.run(['restore', 'latest', '-d', `folder:${place}/backups`, '--target', target], own);
    expect(restored.code, restored.stdout).toBe(0);
    const back = await asRootMaySee(target);
    expect([...back.keys()].sort()).toEqual(
      ['.', 'a', 'a/first', 'open folder', 'open folder/inner', 'open folder/inner/file', 'shut folder', 'z last'].sort(),
    );
    expect(back.get('shut folder')?.mode).toBe('300');
    shop.giveTo(0);

    async function asRootMaySee(folder: string): Promise<ReturnType<typeof seeTree>> {
      if (!isRoot) chmodSync(`${folder}/shut folder`, 0o700);
      const seen = seeTree(folder, { owners: false });
      if (isRoot) return seen;
      return new Map([...seen].map(([path, entry]) => [path, path === 'shut folder' ? { ...entry, mode: '300' } : entry]));
    }
  });
});

describe.skipIf(!hasTracer)('a disk that fails in the middle of a file', () => {
  // Reads of the victim as the tracer counts them: the first is of its beginning.
  it.each([
    ['the first read of a small file', 'small', 10_000, 1],
    ['the first read of a large one', 'large', 20_000_000, 1],
    ['a later read of a large one', 'large', 20_000_000, 4],
    ['a read of the second piece of a file in pieces', 'pieces', 20_000_000, 4],
  ] as const)('%s leaves it out, and the archive is whole for every reader', async (_what, name, size, at) => {
    const server = `${name}-${at}`;
    const source = shop.path(server);
    mkdirSync(source);
    const tree = new TreeMaker(source, 2);
    tree.file('a before', 5000);
    tree.file('b before too', 5_000_000);
    tree.file('c victim', size);
    tree.file('d after', 6000);
    tree.file('e after too', 9_000_000);
    tree.folder('f');
    const victim = shop.path(server, 'c victim');
    const under = ['strace', '-f', '--seccomp-bpf', '-qq', '-o', shop.path('trace'), '-P', victim];
    const inject = ['-e', 'trace=pread64,read', '-e', `inject=pread64,read:error=EIO:when=${at}`];
    const volume = name === 'pieces' ? '8M' : '1G';
    const backup = await shop.backup(source, ['--volume-size', volume], { under: [...under, ...inject] });
    expect(readFileSync(shop.path('trace'), 'utf8')).toMatch(/EIO .*INJECTED/);
    expect(backup.code, backup.stdout).toBe(3);
    expect(backup.value).toMatchObject({
      outcome: 'written',
      warnings: [{ code: 'unreadable', path: 'c victim', message: 'could not be read (EIO)' }],
    });
    const verified = await shop.verify(['latest', '--server', server]);
    expect(verified.code, verified.stdout).toBe(0);
    const target = shop.path(`${server}-back`);
    expect((await shop.restore(target, ['--server', server])).code).toBe(0);
    const leaveOut = (path: string): boolean => path === 'c victim';
    expect(differences(seeTree(source, { owners: isRoot }), seeTree(target, { owners: isRoot }), { leaveOut })).toEqual([]);
    expect(seeTree(target, { owners: false }).has('c victim')).toBe(false);
    for (const archive of shop.objects(server).filter((object) => object.endsWith('.holdfast'))) {
      const zip = archiveOpened(shop, `${server}/${archive}`);
      for (const [reader, read] of Object.entries(zipReaders)) expect(read(zip), `${reader} on ${archive}`).toBe('');
    }
  });
});
