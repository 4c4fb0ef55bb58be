import { lstatSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { entryStamps } from '../../main/adapters/files/stamps.ts';
import type { BackupRequest } from '../../main/contract/reports.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { craftSnapshot, fileLine, plainLine } from '../support/craft-snapshot.ts';
import { manifestLines } from '../support/damage.ts';
import { world, type World } from '../support/engine-on-memory.ts';
import { anHourLater } from '../support/incremental.ts';
import { tempFolder } from '../support/temp-folder.ts';

/*
 * What stamps decide. No program can give a file another inode and the ctime that it had, so it is the base that says otherwise: its lines have the file's own
 * stamps but for one, and its archive has another content of the same length. What the new snapshot restores then tells whether the file was read.
 */

const inBase = 'as the base has it';
const onDisk = 'as the disk has it';
let source = '';
let file = '';

beforeEach(() => {
  source = tempFolder();
  file = join(source, 'file');
  writeFileSync(file, onDisk);
});

/** A base in which the file has its stamps, but for `more`. */
async function craftBase(one: World, more: Readonly<Record<string, unknown>> = {}, content = inBase): Promise<void> {
  const root = plainLine('.', 'directory', { ...entryStamps(lstatSync(source, { bigint: true }), 'directory') });
  const stamps = entryStamps(lstatSync(file, { bigint: true }), 'file');
  await craftSnapshot(one, {
    contents: [content],
    header: { root: source },
    entries: ([frame]) => (frame === undefined ? [] : [root, fileLine('file', frame, { ...stamps, ...more })]),
  });
}

async function restored(one: World): Promise<string> {
  const back = join(tempFolder(), 'back');
  await one.restore(back);
  return readFileSync(join(back, 'file'), 'utf8');
}

const otherInode = (): Record<string, unknown> => ({ inode: String(lstatSync(file, { bigint: true }).ino + 1n) });
const anHourAgo = String(BigInt(Date.now() - 3_600_000) * 1_000_000n);

describe('a file of a run that has something to write', () => {
  const cases: readonly (readonly [what: string, more: () => Record<string, unknown>, content: string, request: Partial<BackupRequest>])[] =
    [
      ['is not read where its stamps are those of the base', () => ({}), inBase, {}],
      ['is read where its inode is another', otherInode, onDisk, {}],
      ['is not read for its inode where inodes are left out', otherInode, inBase, { ignoreInode: true }],
      ['is read where inodes are left out and its ctime is another', () => ({ ctime: anHourAgo }), onDisk, { ignoreInode: true }],
      ['is read where its mtime is another', () => ({ mtime: anHourAgo }), onDisk, {}],
      ['is read where its mode is another', () => ({ mode: 0o600 }), onDisk, {}],
      ['is read where the base has read it too young', () => ({ racy: true }), onDisk, {}],
      ['is read for that also where inodes are left out', () => ({ racy: true }), onDisk, { ignoreInode: true }],
    ];
  test.each(cases)('%s', async (_what, more, content, request) => {
    const one = anHourLater();
    await craftBase(one, more());
    writeFileSync(join(source, 'new'), 'what the run has to write');
    const report = await one.backup(source, request);
    expect([report.outcome, report.kept.files]).toEqual(['written', content === inBase ? 1 : 0]);
    expect(await restored(one)).toBe(content);
  });

  test('is read where its size is another', async () => {
    const one = anHourLater();
    const longer = `${inBase}, and longer`;
    await craftBase(one, { size: longer.length }, longer);
    writeFileSync(join(source, 'new'), 'what the run has to write');
    expect(await one.backup(source)).toMatchObject({ outcome: 'written', kept: { files: 0 } });
    expect(await restored(one)).toBe(onDisk);
  });

  test('is read where it was written twice in one tick of a clock of 2 seconds, and a run came between', async () => {
    const tick = Math.floor(Date.now() / 2000) * 2;
    utimesSync(file, tick, tick);
    const between = world();
    const { id } = await between.backup(source);
    const { entries } = await manifestLines(between, await readBytes(between.backend, `survival/${id}.manifest`, { limit: 2 ** 20 }));
    const first = entries.find(({ path }) => path === 'file');
    writeFileSync(file, 'second of that tick.'.slice(0, onDisk.length));
    utimesSync(file, tick, tick);
    // As that clock has it, both times are those of the first write; what the run made of them is its own.
    const one = anHourLater();
    await craftBase(one, { ...(first?.racy === true ? { racy: true } : {}) }, onDisk);
    writeFileSync(join(source, 'new'), 'what the run has to write');
    await one.backup(source);
    expect(await restored(one)).toBe(readFileSync(file, 'utf8'));
  });

  test('is read while it is young, or from the future', async () => {
    const now = world();
    await craftBase(now);
    await now.backup(source);
    expect(await restored(now)).toBe(onDisk);

    const tomorrow = Date.now() / 1000 + 86_400;
    utimesSync(file, tomorrow, tomorrow);
    const later = anHourLater();
    await craftBase(later);
    writeFileSync(join(source, 'new'), 'what the run has to write');
    await later.backup(source);
    expect(await restored(later)).toBe(onDisk);
  });
});

describe('a folder in which nothing else has changed', () => {
  test.each([
    ['is written once more where an inode is another', {}, 'written', onDisk],
    ['is not where inodes are left out', { ignoreInode: true }, 'unchanged', inBase],
  ] as const)('%s', async (_what, request, outcome, content) => {
    const one = anHourLater();
    await craftBase(one, otherInode());
    expect(await one.backup(source, request)).toMatchObject({ outcome });
    expect(await restored(one)).toBe(content);
  });

  test('is written once more where a size is another', async () => {
    const one = anHourLater();
    const longer = `${inBase}, and longer`;
    await craftBase(one, { size: longer.length }, longer);
    expect(await one.backup(source)).toMatchObject({ outcome: 'written' });
    expect(await restored(one)).toBe(onDisk);
  });
});
