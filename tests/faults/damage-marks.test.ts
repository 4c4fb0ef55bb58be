import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { flipped, makeTree } from '../support/damage.ts';
import { keysOf, put, world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

const limit = 2 ** 30;

/** Two whole snapshots of one folder; the archive of the second has a byte flipped in its first chunk. */
async function secondDamaged(): Promise<{ one: World; folder: string; first: string; second: string; archive: string; whole: Buffer }> {
  const one = world();
  const folder = tempFolder();
  makeTree(folder);
  const first = (await one.backup(folder, { force: true })).id;
  const { id: second, archives } = await one.backup(folder, { force: true, whole: 'always' });
  const [archive = ''] = archives;
  const whole = Buffer.from(await readBytes(one.backend, archive, { limit }));
  await put(one.backend, archive, flipped(whole, 2000));
  return { one, folder, first, second, archive, whole };
}

describe('damage that a verification found', () => {
  test('is no ZIP damage as well: one flipped bit is one finding, and the files it costs', async () => {
    const { one, second } = await secondDamaged();
    const { damage } = await one.verify({ snapshot: second });
    expect(damage.map(({ kind }) => kind)).toEqual(['corrupt', 'files', 'checksum']);
  });

  test('is marked: no prune rests on that snapshot, and the next backup writes a new one', async () => {
    const { one, folder, first, second, archive } = await secondDamaged();
    await one.verify({ snapshot: second });
    expect(await keysOf(one.backend, '')).toContain(`${archive}.damaged`);
    const { keep, remove } = await one.prune({ policy: { last: 1 } });
    expect(keep.map(({ id }) => id)).toEqual([first]);
    expect(remove).toEqual([]);
    expect((await one.backup(folder)).outcome).toBe('written');
  });

  test('is unmarked once the archive is whole again', async () => {
    const { one, second, archive, whole } = await secondDamaged();
    await one.verify({ snapshot: second });
    await put(one.backend, archive, whole);
    expect((await one.verify({ snapshot: second })).damage).toEqual([]);
    expect(await keysOf(one.backend, '')).not.toContain(`${archive}.damaged`);
  });
});

test('a folder without a single file is refused, as a disk that is not mounted', async () => {
  const one = world();
  const folder = tempFolder();
  mkdirSync(join(folder, 'mounted-below'));
  await expect(one.backup(folder)).rejects.toMatchObject({ code: 'config-invalid' });
  expect((await keysOf(one.backend, '')).filter((key) => key !== 'holdfast.vault')).toEqual([]);
});
