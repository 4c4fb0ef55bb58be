import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { entryStamps } from '../../main/adapters/files/stamps.ts';
import { storeSealed } from '../../main/engine/snapshots/sealed-object.ts';
import { loadVault } from '../../main/engine/snapshots/vault-store.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { collect } from '../conformance/suite-support.ts';
import { craftSnapshot, fileLine, plainLine, type Crafted } from '../support/craft-snapshot.ts';
import { keysOf, type World } from '../support/engine-on-memory.ts';
import { anHourLater, expectSame } from '../support/incremental.ts';
import { tempFolder } from '../support/temp-folder.ts';

/*
 * Memory that was bad at the backup: each frame opens, and what lies in it is not the file that was hashed. No stamp and no seal shows it.
 */

const content = 'what the disk has';
const stored = 'what was storeD..';
const sha256 = createHash('sha256').update(content).digest('hex');
let source = '';
let one: World;

beforeEach(() => {
  source = tempFolder();
  for (const name of ['good', 'file']) writeFileSync(join(source, name), name === 'file' ? content : name);
  one = anHourLater();
});

/** A snapshot of the folder as it is, in whose archive the content of `file` is another than the manifest says. */
async function craftWrong(): Promise<Crafted> {
  const line = (name: string): object => entryStamps(lstatSync(join(source, name), { bigint: true }), name === '.' ? 'directory' : 'file');
  return await craftSnapshot(one, {
    contents: [stored, 'good'],
    header: { root: source },
    entries: ([bad, good]) =>
      bad === undefined || good === undefined
        ? []
        : [
            plainLine('.', 'directory', { ...line('.') }),
            fileLine('file', bad, { ...line('file'), sha256 }),
            fileLine('good', good, { ...line('good') }),
          ],
  });
}

/** Lines of an archive's mark; null where there is none. */
async function markOf(archive: string): Promise<readonly unknown[] | null> {
  const key = `${archive}.damaged`;
  if (!(await keysOf(one.backend)).includes(key)) return null;
  const bytes = await readBytes(one.backend, key, { limit: 2 ** 20 });
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
  };
  const opened = await one.engine.openFile(source(), { credentials: one.destination.credentials }, {});
  const text = Buffer.concat(await collect(opened.content)).toString('utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

const finding = (archive: string): object => ({ object: archive, kind: 'content', message: 'file: its content is not what was backed up' });

test('a file whose content is not what its hash says is sent again once a verification has found it', async () => {
  const { id, archive } = await craftWrong();
  const { damage } = await one.verify();
  expect(damage).toEqual(expect.arrayContaining([expect.objectContaining(finding(archive))]));
  expect(damage.find(({ kind }) => kind === 'files')?.files).toEqual([{ path: 'file', ranges: [[0, content.length]] }]);
  expect(await markOf(archive)).toContainEqual({
    ...{ kind: 'content', message: 'file: its content is not what was backed up', snapshot: id },
    range: expect.arrayContaining([148]) as number[],
  });
  expect((await one.engine.snapshots(one.destination, {}, {})).map(({ complete }) => complete)).toEqual([false]);

  expect(await one.backup(source, { whole: 'never' })).toMatchObject({ outcome: 'written', kept: { files: 0 } });
  const back = join(tempFolder(), 'back');
  await one.restore(back);
  expect(readFileSync(join(back, 'file'), 'utf8')).toBe(content);
  await expectSame(one, source);
  expect((await one.engine.snapshots(one.destination, {}, {})).map(({ complete }) => complete)).toEqual([false, true]);
});

test('also one whose parts lie to and fro', async () => {
  const whole = `${stored}good`;
  const { archive } = await craftSnapshot(one, {
    contents: ['good', stored],
    entries: ([good, bad]) =>
      good === undefined || bad === undefined
        ? []
        : [
            plainLine('.', 'directory'),
            fileLine('file', bad, {
              size: whole.length,
              sha256,
              extents: [bad, good].map(({ offset, stored: length, content: bytes }) => [0, offset, length, 0, bytes.length]),
            }),
          ],
  });
  expect((await one.verify()).damage).toEqual(expect.arrayContaining([expect.objectContaining(finding(archive))]));
});

describe('the mark', () => {
  /** Another snapshot, in which `file` is not. */
  async function craftBeside({ archive }: Crafted): Promise<Crafted> {
    const [wrong] = (await one.engine.snapshots(one.destination, {}, {})).map(({ id }) => id);
    const { header, good } = await linesOf(wrong ?? '', archive);
    return await craftSnapshot(one, {
      time: Date.now() + 5000,
      header: { archives: header.archives },
      entries: () => [plainLine('.', 'directory'), good],
    });
  }

  async function linesOf(id: string, archive: string): Promise<{ header: { archives: unknown }; good: unknown }> {
    const bytes = await readBytes(one.backend, archive.replace(/[^/]*$/, `${id}.manifest`), { limit: 2 ** 20 });
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes;
    };
    const opened = await one.engine.openFile(stream(), { credentials: one.destination.credentials }, {});
    const lines = Buffer.concat(await collect(opened.content))
      .toString('utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as never);
    return { header: lines[0] as never, good: lines.at(-1) };
  }

  test('stays when another snapshot is verified that shares the archive and has not the file', async () => {
    const wrong = await craftWrong();
    const beside = await craftBeside(wrong);
    await one.verify({ snapshot: wrong.id });
    const mark = await markOf(wrong.archive);
    expect(mark).toContainEqual(expect.objectContaining({ kind: 'content', snapshot: wrong.id }));
    await one.verify({ snapshot: beside.id });
    expect(await markOf(wrong.archive)).toEqual(mark);
    await one.verify();
    expect(await markOf(wrong.archive)).toContainEqual(expect.objectContaining({ kind: 'content', snapshot: wrong.id }));
  });

  test('goes when the snapshot in which it was found is verified again, and the content is right, or when that one is gone', async () => {
    const report = await one.backup(source);
    const [archive = ''] = report.archives;
    const vault = await loadVault(one.backend, { credentials: one.destination.credentials });
    for (const snapshot of [report.id, '20200101T000000Z-aaaaaa']) {
      const line = { kind: 'content', message: 'file: its content is not what was backed up', range: [148, 100], snapshot };
      async function* plain(): AsyncGenerator<Uint8Array> {
        yield one.host.zstd.compress(Buffer.from(`${JSON.stringify(line)}\n`));
      }
      await storeSealed(
        one.host.random,
        one.backend,
        vault,
        { key: `${archive}.damaged`, label: 'holdfast/v2/damaged', plain: plain() },
        {},
      );
      expect((await one.verify()).damage).toEqual([]);
      expect(await markOf(archive)).toBeNull();
    }
  });
});
