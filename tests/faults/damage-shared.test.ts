import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { storeSealed } from '../../main/engine/snapshots/sealed-object.ts';
import { loadVault } from '../../main/engine/snapshots/vault-store.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { flipped, headSize, manifestLines, sealedChunk } from '../support/damage.ts';
import { keysOf, put, world, type World } from '../support/engine-on-memory.ts';
import { noise } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';

const mib = 2 ** 20;

/** Two snapshots that name one archive: of `kept` both have the same content in it, `changed` is another file in the second. */
async function twoOnOneArchive(): Promise<{ one: World; source: string; archive: string; older: string; newer: string }> {
  const one = world();
  const source = tempFolder();
  for (const [index, name] of ['changed', 'kept'].entries()) writeFileSync(join(source, name), noise(index, 6 * mib));
  const first = await one.backup(source);
  appendFileSync(join(source, 'changed'), 'and more');
  const second = await one.backup(source);
  return { one, source, archive: first.archives[0] ?? '', older: first.id, newer: second.id };
}

/** Alters a byte in the middle of what a snapshot's file lies in, and verifies. */
async function damage(one: World, archive: string, snapshot: string, file: string): Promise<void> {
  const { header, entries } = await manifestLines(one, await readBytes(one.backend, `survival/${snapshot}.manifest`, { limit: mib }));
  const [number, offset, length] = entries.find(({ path }) => path === file)?.extents[0] ?? [0, 0, 0];
  expect(header.archives[number]?.key).toBe(archive);
  const place = headSize + Math.floor((offset + length / 2) / 16_384) * sealedChunk + 5;
  await put(one.backend, archive, flipped(Buffer.from(await readBytes(one.backend, archive, { limit: 64 * mib })), place));
  expect((await one.verify()).damage).not.toEqual([]);
  expect(await keysOf(one.backend)).toContain(`${archive}.damaged`);
}

const states = async (one: World): Promise<readonly (readonly [string, boolean])[]> =>
  (await one.engine.snapshots(one.destination, {}, {})).map(({ id, complete }) => [id, complete] as const);

test('damage where only the older snapshot has a file leaves the newer one whole: it counts, and the older one is not what is kept', async () => {
  const { one, archive, older, newer, source } = await twoOnOneArchive();
  await damage(one, archive, older, 'changed');
  expect(await states(one)).toEqual([
    [older, false],
    [newer, true],
  ]);
  const { servers } = await one.engine.usage(one.destination, {}, {});
  expect(servers[0]?.snapshots.map(({ state, damagedFiles }) => [state, damagedFiles])).toEqual([
    ['damaged', 1],
    ['whole', 0],
  ]);
  const quick = await one.verify({ quick: true });
  expect(quick.snapshots.map(({ id, ok }) => [id, ok])).toEqual(await states(one));
  expect(quick.damage).toMatchObject([{ snapshot: older, object: archive, kind: 'marked' }]);
  const { keep, remove, warnings } = await one.prune({ policy: { last: 1 } });
  expect([keep.map(({ id }) => id), remove]).toEqual([[newer], []]);
  expect(warnings.map(({ message }) => message)).toEqual([
    `${older}: changed: ${archive} is damaged there, as a verification found; it was left as it is`,
  ]);
  const target = join(tempFolder(), 'back');
  await one.restore(target, { snapshot: newer });
  expect(readFileSync(join(target, 'kept')).equals(readFileSync(join(source, 'kept')))).toBe(true);
});

test('damage where both have a file makes both damaged, and a whole one before them is kept', async () => {
  const { one, archive, older, newer, source } = await twoOnOneArchive();
  const { id: whole } = await one.backup(source, { whole: 'always', force: true });
  await damage(one, archive, newer, 'kept');
  expect(await states(one)).toEqual([
    [older, false],
    [newer, false],
    [whole, true],
  ]);
  expect((await one.verify({ quick: true })).snapshots.map(({ id, ok }) => [id, ok])).toEqual(await states(one));
  expect((await one.prune({ policy: { last: 2 } })).keep.map(({ id }) => id)).toEqual([whole]);
});

test('damage in what only the newer snapshot has leaves the older one whole, which is then the one that is kept', async () => {
  const { one, older, newer } = await twoOnOneArchive();
  const own = (await keysOf(one.backend)).find((key) => key.endsWith(`${newer}.holdfast`)) ?? '';
  await damage(one, own, newer, 'changed');
  expect(await states(one)).toEqual([
    [older, true],
    [newer, false],
  ]);
  expect((await one.prune({ policy: { last: 1 } })).keep.map(({ id }) => id)).toEqual([older]);
});

test('an archive of an earlier snapshot that has lost its checksum file is warned of, though it is not read whole', async () => {
  const { one, archive, newer } = await twoOnOneArchive();
  await one.backend.remove(`${archive}.sha256`);
  const missing = { code: 'checksum', message: `${archive}.sha256 is missing` };
  expect((await one.restore(join(tempFolder(), 'back'), { snapshot: newer })).warnings).toMatchObject([missing]);
  // A part takes no listing more.
  expect((await one.restore(join(tempFolder(), 'part'), { snapshot: newer, include: ['/kept'] })).warnings).toEqual([]);
});

async function sealMark({ host, backend, destination }: World, key: string, lines: string): Promise<void> {
  const vault = await loadVault(backend, { credentials: destination.credentials });
  async function* plain(): AsyncGenerator<Uint8Array> {
    yield host.zstd.compress(Buffer.from(lines));
  }
  await storeSealed(host.random, backend, vault, { key, label: 'holdfast/v2/damaged', plain: plain() }, {});
}

test('a mark that cannot be read, that names no place or that may be short of some, speaks of the whole archive', async () => {
  const { one, archive, older, newer } = await twoOnOneArchive();
  const key = `${archive}.damaged`;
  const expectBoth = async (complete: boolean): Promise<void> =>
    expect(await states(one)).toEqual([
      [older, complete],
      [newer, complete],
    ]);
  for (const mark of ['', 'no seal'.repeat(100)]) {
    await put(one.backend, key, mark);
    await expectBoth(false);
  }
  const line = (range?: readonly [number, number]): string => `${JSON.stringify({ kind: 'corrupt', message: 'a finding', range })}\n`;
  // Before the data of any file.
  const nowhere = [0, 16] as const;
  await sealMark(one, key, line(nowhere));
  await expectBoth(true);
  await sealMark(one, key, line(nowhere) + line());
  await expectBoth(false);
  // Of so many findings others may have been left out.
  await sealMark(one, key, line(nowhere).repeat(1000));
  await expectBoth(false);
});
