import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { flipped } from '../support/damage.ts';
import { keysOf, password, put, restoreRequest, world, type World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** A classic file keeps the password that it was written with, and shares the place with what the vault opens. */

let one: World;
let source = '';
const id = { first: '', classic: '', last: '' };

beforeEach(async () => {
  one = world();
  source = tempFolder();
  for (const [name, format] of [
    ['first', 'archive'],
    ['classic', 'classic'],
    ['last', 'archive'],
  ] as const) {
    writeFileSync(join(source, 'level'), name);
    id[name] = (await one.backup(source, { server: 'survival', format, force: true, whole: 'always' })).id;
  }
});

const changed = (): Promise<unknown> => one.engine.changePassword(one.destination, { newPassword: 'second', newKey: false }, {});
const keyOf = async (snapshot: string, end: string): Promise<string> =>
  (await keysOf(one.backend)).find((key) => key.startsWith(`survival/${snapshot}`) && key.endsWith(end)) ?? '';

async function restored(credentials: string, snapshot: string): Promise<string> {
  const target = join(tempFolder(), 'back');
  await one.engine.restore(one.as(credentials), restoreRequest(target, { snapshot }), {});
  return readFileSync(join(target, 'level'), 'utf8');
}

describe('after the password was changed', () => {
  beforeEach(changed);

  test('a classic snapshot that is named comes back with its own password, and every other with the new one', async () => {
    expect(await restored(password, id.classic)).toBe('classic');
    expect(await restored('second', id.first)).toBe('first');
    expect(await restored('second', 'latest')).toBe('last');
    const { snapshots, damage } = await one.engine.verify(one.as(password), { snapshot: id.classic, quick: false }, {});
    expect([snapshots, damage]).toEqual([[{ id: id.classic, server: 'survival', ok: true, files: 1, bytes: 7 }], []]);
  });

  test('with the new password it is refused, and the way out is told; the former one opens nothing else', async () => {
    const refused = {
      code: 'wrong-password',
      context: { next: expect.stringContaining('keeps the password that it was written with') as string },
    };
    await expect(restored('second', id.classic)).rejects.toMatchObject(refused);
    await expect(one.engine.verify(one.as('second'), { snapshot: id.classic, quick: false }, {})).rejects.toMatchObject(refused);
    for (const snapshot of [id.first, 'latest', id.classic.slice(0, 4)])
      await expect(restored(password, snapshot)).rejects.toMatchObject({ code: 'wrong-password' });
    await expect(restored('neither', id.classic)).rejects.toMatchObject({ code: 'wrong-password' });
  });
});

describe('a verification of all goes past a classic file that it cannot open', () => {
  test.each([
    ['after the password was changed', async () => (await changed(), one.as('second'))],
    [
      'with a recovery key',
      async () => {
        const { recoveryKeys } = await one.engine.kit(one.destination, { recoveryKey: true }, {});
        return one.as({ kind: 'recovery-key', text: recoveryKeys.join('\n') });
      },
    ],
  ])('%s: it is told, and damage elsewhere is named', async (_, open) => {
    const place = await open();
    for (const snapshot of [id.first, id.last]) {
      const archive = await keyOf(snapshot, '.holdfast');
      await put(one.backend, archive, flipped(Buffer.from(await readBytes(one.backend, archive, { limit: 2 ** 20 })), 200));
    }
    const { snapshots, damage, warnings } = await one.engine.verify(place, { snapshot: 'all', quick: false }, {});
    expect(snapshots.map(({ id: name, ok }) => [name, ok])).toEqual([
      [id.first, false],
      [id.classic, true],
      [id.last, false],
    ]);
    expect(new Set(damage.map(({ snapshot }) => snapshot))).toEqual(new Set([id.first, id.last]));
    expect(warnings).toMatchObject([
      { code: 'checksum', message: expect.stringContaining(`${id.classic}.zip.zst.enc is as its checksum`) as string },
    ]);
  });

  test('and names it when it is not as its checksum says', async () => {
    await changed();
    const key = await keyOf(id.classic, '.enc');
    await put(one.backend, key, flipped(Buffer.from(await readBytes(one.backend, key, { limit: 2 ** 20 })), 50));
    const { damage } = await one.engine.verify(one.as('second'), { snapshot: 'all', quick: false }, {});
    expect(damage).toMatchObject([{ snapshot: id.classic, kind: 'checksum' }]);
  });
});

test('a classic restore over a folder says that what had been left out lies with the former content', async () => {
  writeFileSync(join(source, 'log'), 'never backed up');
  const { before, warnings } = await one.restore(source, { snapshot: id.classic, replace: true });
  expect(readFileSync(join(before ?? '', 'log'), 'utf8')).toBe('never backed up');
  expect(warnings).toMatchObject([
    { code: 'target', level: 'note', message: expect.stringContaining('does not tell what it had left out') as string },
  ]);
});
