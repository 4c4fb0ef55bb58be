import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { collect } from '../conformance/suite-support.ts';
import { flipped, makeTree } from '../support/damage.ts';
import { keysOf, put, world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { anHourLater } from '../support/incremental.ts';
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

  test('is written down in the mark, line by line, as the format says', async () => {
    const { one, second, archive } = await secondDamaged();
    await one.verify({ snapshot: second });
    const mark = await readBytes(one.backend, `${archive}.damaged`, { limit });
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield mark;
    };
    const { kind, content } = await one.engine.openFile(source(), { credentials: one.destination.credentials }, {});
    expect(kind).toBe('json-lines');
    const text = Buffer.concat(await collect(content)).toString('utf8');
    expect(text.endsWith('\n')).toBe(true);
    const lines = text.split('\n').slice(0, -1);
    // The flipped byte lies in the first chunk, behind the 148 bytes of the head.
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { kind: 'corrupt', message: 'chunk 0 has been altered', range: [148, 16_400] },
    ]);
  });

  test('counts by the name of its mark: one that is empty or damaged holds as well, and is made anew or taken away by the next reading', async () => {
    const { one, second, first, archive, whole } = await secondDamaged();
    for (const content of ['', 'no seal'.repeat(100)]) {
      await put(one.backend, `${archive}.damaged`, content);
      expect((await one.prune({ policy: { last: 1 } })).keep.map(({ id }) => id)).toEqual([first]);
    }
    await one.verify({ snapshot: second });
    expect((await readBytes(one.backend, `${archive}.damaged`, { limit })).byteLength).toBeGreaterThan(148);
    await put(one.backend, `${archive}.damaged`, 'no seal');
    await put(one.backend, archive, whole);
    expect((await one.verify({ snapshot: second })).damage).toEqual([]);
    expect(await keysOf(one.backend, '')).not.toContain(`${archive}.damaged`);
  });

  test('is marked by the machine that the server belongs to now, whoever wrote the snapshot, and by no other', async () => {
    const { one, folder, second, archive } = await secondDamaged();
    const two = world({ backend: one.backend, machine: 'machine-two' });
    await two.backup(folder, { force: true, whole: 'always', takeOver: true });
    await one.verify({ snapshot: second });
    expect(await keysOf(one.backend, '')).not.toContain(`${archive}.damaged`);
    await two.verify({ snapshot: second });
    expect(await keysOf(one.backend, '')).toContain(`${archive}.damaged`);
  });

  test('is unmarked once the archive is whole again', async () => {
    const { one, second, archive, whole } = await secondDamaged();
    await one.verify({ snapshot: second });
    await put(one.backend, archive, whole);
    expect((await one.verify({ snapshot: second })).damage).toEqual([]);
    expect(await keysOf(one.backend, '')).not.toContain(`${archive}.damaged`);
  });
});

describe('an archive that is not there', () => {
  test('is damage and not marked: when it comes back, it can be built on again', async () => {
    const one = anHourLater();
    const folder = tempFolder();
    makeTree(folder);
    const { archives } = await one.backup(folder);
    const [archive = ''] = archives;
    const bytes = await readBytes(one.backend, archive, { limit });
    await one.backend.remove(archive);
    expect((await one.verify()).damage).toEqual(
      expect.arrayContaining([expect.objectContaining({ object: archive, kind: 'missing', message: `${archive} is gone` })]),
    );
    expect(await keysOf(one.backend, 'survival/')).not.toContain(`${archive}.damaged`);
    await put(one.backend, archive, bytes);
    expect(await one.backup(folder)).toMatchObject({ outcome: 'unchanged' });
  });

  test('is not built on', async () => {
    const one = anHourLater();
    const folder = tempFolder();
    makeTree(folder);
    const { archives, files } = await one.backup(folder);
    await one.backend.remove(archives[0] ?? '');
    await one.verify();
    const report = await one.backup(folder, { whole: 'never' });
    expect(report).toMatchObject({ outcome: 'written', files, kept: { files: 0 } });
    expect((await one.verify({ snapshot: report.id })).damage).toEqual([]);
  });
});

test('a folder without a single file is refused, as a disk that is not mounted', async () => {
  const one = world();
  const folder = tempFolder();
  mkdirSync(join(folder, 'mounted-below'));
  await expect(one.backup(folder)).rejects.toMatchObject({ code: 'config-invalid' });
  expect((await keysOf(one.backend, '')).filter((key) => key !== 'holdfast.vault')).toEqual([]);
});
