import { linkSync, lstatSync, mkdirSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createRestoreTargets } from '../../main/adapters/files/restore-targets.ts';
import { openSpool } from '../../main/adapters/files/spool.ts';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { RestoreRequest } from '../../main/contract/reports.ts';
import type { SpoolNeeds } from '../../main/engine/host.ts';
import type { PrepareRequest } from '../../main/engine/snapshots/restore-target.ts';
import { around } from '../../main/engine/storage/layers/around.ts';
import { world } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

const block = 4096;
let source = '';

beforeEach(() => {
  source = tempFolder();
  mkdirSync(join(source, 'a/b/c'), { recursive: true });
  mkdirSync(join(source, 'a b/empty'), { recursive: true });
  writeFileSync(join(source, 'a/b/c/file'), 'x'.repeat(block + 1));
  for (const name of ['a/b/second', 'a b/third', 'top']) linkSync(join(source, 'a/b/c/file'), join(source, name));
  writeFileSync(join(source, 'a/nothing'), '');
  writeFileSync(join(source, 'a/b/one'), '1');
  writeFileSync(join(source, 'a/hole'), '');
  truncateSync(join(source, 'a/hole'), 100 * block);
  symlinkSync('b/one', join(source, 'a/link'));
});

/** What a restore asks its target's disk for, and the inodes of the tree that it makes. */
async function needs(
  request: Partial<RestoreRequest>,
  format: 'archive' | 'classic' = 'archive',
): Promise<{ asked: PrepareRequest; made: number }> {
  const targets = createRestoreTargets({ refuseWhenUsed: async () => 0 });
  const asked: PrepareRequest[] = [];
  const one = world({
    host: {
      targets: {
        ...targets,
        prepare: (wish) => {
          asked.push(wish);
          return targets.prepare(wish);
        },
      },
    },
  });
  await one.backup(source, { format });
  const target = join(tempFolder(), 'back');
  await one.restore(target, request);
  const inodes = readdirSync(target, { recursive: true }).map((name) => lstatSync(join(target, String(name))).ino);
  if (asked[0] === undefined) throw new Error('nothing was asked for');
  return { asked: asked[0], made: new Set(inodes).size };
}

describe('a restore asks for the room', () => {
  test('of files, folders and links, and of a file with several names once', async () => {
    const { asked, made } = await needs({});
    // Five folders, the file of four names, the one of a byte, the link; a hole takes what its frame may hold, which is one block.
    expect([asked.entriesNeeded, made, asked.bytesNeeded]).toEqual([10, 10, (5 + 2 + 1 + 1 + 1) * block]);
  });

  test.each([
    ['a/b/c/file', 4, 3 + 2],
    ['/top', 1, 2],
    ['/a b/third', 2, 1 + 2],
    ['/a/b/second', 3, 2 + 2],
    ['/a/link', 2, 1 + 1],
    ['empty', 2, 2],
    ['/a/b', 5, 3 + 2 + 1],
  ])('of what is asked for and the folders that lead to it: %s', async (include, entries, blocks) => {
    const { asked, made } = await needs({ include: [include] });
    expect([asked.entriesNeeded, made, asked.bytesNeeded]).toEqual([entries, entries, blocks * block]);
  });

  test('of a large file with holes, for what it holds and not for how small that gets', async () => {
    const mib = 2 ** 20;
    writeFileSync(join(source, 'large'), Buffer.alloc(9 * mib, 'the same '));
    truncateSync(join(source, 'large'), 12 * mib + 5);
    const { asked } = await needs({ include: ['/large'] });
    expect(asked.bytesNeeded).toBe(9 * mib);
  });

  test('of a classic snapshot, whose names are files of their own', async () => {
    const { asked, made } = await needs({}, 'classic');
    expect([asked.entriesNeeded, made, asked.bytesNeeded]).toEqual([13, 13, (5 + 4 * 2 + 1 + 1 + 100) * block]);
  });
});

test('a classic snapshot is not begun with where its temporary files have no room: not a byte of it is read', async () => {
  const inner = memoryBackend();
  const read: string[] = [];
  const backend = around(inner, {
    call: (call, run) => run(call.signal),
    stream: (call, open) => {
      read.push(call.target);
      return open(call.signal);
    },
  });
  let free = Number.POSITIVE_INFINITY;
  const openWithin = ({ room = 0 }: SpoolNeeds = {}): ReturnType<typeof openSpool> => {
    if (room > free) throw new Fault('disk-full', 'no room', { operation: 'test' });
    return openSpool();
  };
  const one = world({ backend, host: { openSpool: openWithin } });
  const { id } = await one.backup(source, { format: 'classic' });
  const { size } = await inner.stat(`survival/${id}.zip.zst.enc`);
  free = 2 * size - 1;
  const target = join(tempFolder(), 'back');
  await expect(one.restore(target)).rejects.toMatchObject({ code: 'disk-full' });
  await expect(one.verify()).rejects.toMatchObject({ code: 'disk-full' });
  expect(read.filter((key) => key.endsWith('.enc'))).toEqual([]);
  expect(() => lstatSync(target)).toThrow('ENOENT');
  free = 2 * size;
  await one.restore(target);
  expect((await one.verify()).damage).toEqual([]);
});
