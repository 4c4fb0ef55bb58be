import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { BackupReport } from '../../main/contract/reports.ts';
import { craftSnapshot } from '../support/craft-snapshot.ts';
import { keysOf, put, world, type World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** A folder with one file, which says whose it is. */
function folderOf(name: string, content = name): string {
  const folder = join(tempFolder(), name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'level.dat'), content);
  return folder;
}

async function restored(one: World, server: string): Promise<string> {
  const target = join(tempFolder(), 'back');
  await one.restore(target, { server });
  return readFileSync(join(target, 'level.dat'), 'utf8');
}

const slugs = async (one: World): Promise<string[]> => [
  ...new Set((await keysOf(one.backend)).filter((key) => key.includes('/')).map((key) => key.split('/')[0] ?? '')),
];

describe('the folder of a server', () => {
  test.each([
    ['survival', 'Survival'],
    ['Wörld !!', 'world'],
  ])('%s and %s are two, and a prune of one leaves the other', async (first, second) => {
    const one = world();
    const [here, there] = [folderOf('a', 'first'), folderOf('b', 'second')];
    for (const [folder, server] of [[here, first] as const, [there, second] as const]) await one.backup(folder, { server });
    writeFileSync(join(here, 'level.dat'), 'first, later');
    await one.backup(here, { server: first });
    expect(await slugs(one)).toHaveLength(2);
    await one.prune({ server: second, policy: { last: 1 } });
    await one.prune({ server: first, policy: { last: 1 } });
    expect(await restored(one, first)).toBe('first, later');
    expect(await restored(one, second)).toBe('second');
  });

  test('is another one when somebody else has taken it between the choice and the lock', async () => {
    const one = world();
    let first: Promise<BackupReport> | null = null;
    const two = world({
      backend: one.backend,
      host: {
        lock: async (name) => {
          await (first ??= one.backup(folderOf('a', 'first'), { server: 'survival' }));
          return await one.host.lock(name);
        },
      },
    });
    await two.backup(folderOf('b', 'second'), { server: 'Survival' });
    expect((await slugs(one)).sort()).toEqual(['survival', 'survival-2']);
    expect(await restored(one, 'survival')).toBe('first');
  });

  test('without a readable manifest it belongs to the first name that leads to it', async () => {
    const one = world();
    await one.backup(folderOf('other'), { server: 'other' });
    await put(one.backend, 'survival/20261123T220500Z-aaaaaa.manifest', 'not sealed');
    await one.backup(folderOf('a'), { server: 'Survival' });
    expect(await slugs(one)).toEqual(['other', 'survival']);
  });
});

describe('the server that a name means', () => {
  test('is the one with that display name, also where another one’s folder is called so', async () => {
    const one = world();
    await craftSnapshot(one, { server: 'Creative!', slug: 'creative', time: Date.UTC(2026, 0, 1), contents: ['A'] });
    const other = await craftSnapshot(one, { server: 'creative', slug: 'creative-2', time: Date.UTC(2026, 0, 2), contents: ['B'] });
    const chosen = async (server: string, snapshot = 'latest'): Promise<string | undefined> =>
      (await one.verify({ snapshot, server, quick: true })).snapshots[0]?.server;
    expect(await chosen('creative')).toBe('creative');
    expect(await chosen('creative', '2026')).toBe('creative');
    expect(await chosen('creative', other.id)).toBe('creative');
    expect(await chosen('Creative!')).toBe('Creative!');
    expect(await chosen('creative-2')).toBe('creative');
  });

  test('is nobody where two have it and no folder is called so: both are told', async () => {
    const one = world();
    for (const slug of ['creative-2', 'creative-3', 'creative']) await craftSnapshot(one, { server: 'Creative!', slug });
    const fault: unknown = await one.prune({ server: 'Creative!', policy: { last: 1 } }).catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: 'config-invalid', message: expect.stringContaining('creative-2, creative-3') as string });
    expect((await one.verify({ server: 'creative-3', quick: true })).snapshots).toHaveLength(1);
    await craftSnapshot(one, { server: 'creative', slug: 'creative-4' });
    await craftSnapshot(one, { server: 'creative', slug: 'creative', time: Date.UTC(2030, 0, 1) });
    expect((await one.engine.snapshots(one.destination, { server: 'creative' }, {})).map(({ slug }) => slug)).toContain('creative');
  });
});

describe('two folders that are called alike', () => {
  test('are not one server unless that is said; then it has moved, which is noted once', async () => {
    const one = world();
    const how = { excludes: [], format: 'archive', level: 1, volumeSize: 2 ** 30, force: false, takeOver: false } as const;
    const unnamed = (folder: string): Promise<BackupReport> => one.engine.backup(one.destination, { folder, ...how }, {});
    const [here, there] = [folderOf('world', 'A'), folderOf('world', 'B')];
    await unnamed(here);
    const before = await keysOf(one.backend);
    const fault: unknown = await unnamed(there).catch((error: unknown) => error);
    expect(fault).toMatchObject({
      code: 'config-invalid',
      message: expect.stringMatching(`${here}.*${there}`) as string,
      context: { next: expect.stringContaining('--server NAME') as string },
    });
    expect(await keysOf(one.backend)).toEqual(before);

    const moved = await one.backup(there, { server: 'world' });
    expect(moved.warnings).toMatchObject([{ code: 'other-folder', level: 'note', message: expect.stringContaining(here) as string }]);
    writeFileSync(join(there, 'level.dat'), 'B, later');
    expect(await unnamed(there)).toMatchObject({ outcome: 'written', warnings: [] });
    expect(await one.backup(there, { server: 'world' })).toMatchObject({ warnings: [] });
  });

  test('on another computer are told apart by their owner alone', async () => {
    const one = world();
    await one.backup(folderOf('world', 'A'), { server: 'world' });
    const other = world({ backend: one.backend, machine: 'machine-two' });
    const { warnings } = await other.backup(folderOf('world', 'B'), { server: 'world', takeOver: true });
    expect(warnings).toEqual([]);
  });
});
