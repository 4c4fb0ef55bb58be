import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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
    ['world', 'Wörld !!'],
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

  test('without a readable manifest it belongs to the first name that leads to it', async () => {
    const one = world();
    await one.backup(folderOf('other'), { server: 'other' });
    await put(one.backend, 'survival/20261123T220500Z-aaaaaa.manifest', 'not sealed');
    await one.backup(folderOf('a'), { server: 'Survival' });
    expect(await slugs(one)).toEqual(['other', 'survival']);
  });
});
