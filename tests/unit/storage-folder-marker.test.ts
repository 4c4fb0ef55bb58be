import { mkdirSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderBackend } from '../../main/adapters/storage/folder/folder-backend.ts';
import { markedFolder, markerName } from '../../main/adapters/storage/folder/marker.ts';
import { fileMemory } from '../../main/adapters/system/memory.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { stack } from '../../main/engine/storage/stack.ts';
import { codeOf, collect, put } from '../conformance/suite-support.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Each as a process of its own would see it. */
function open(base: string): Backend {
  const root = join(base, 'mnt');
  return stack(
    folderBackend(root),
    markedFolder(
      root,
      fileMemory(() => Promise.resolve(base)),
    ),
  );
}

function world(): string {
  const base = tempFolder();
  mkdirSync(join(base, 'mnt'));
  return base;
}

/** The disk goes away: what is left is the empty folder that it was mounted on. */
function unmount(base: string): void {
  renameSync(join(base, 'mnt'), join(base, 'disk'));
  mkdirSync(join(base, 'mnt'));
}

test('a folder that was never used is empty, and is not marked by looking', async () => {
  const base = world();
  expect(await collect(open(base).list(''))).toEqual([]);
  expect(readdirSync(join(base, 'mnt'))).toEqual([]);
});

test('a used one whose disk is not mounted is a fault in every verb, and nothing is written below it', async () => {
  const base = world();
  const used = open(base);
  await put(used, 'server/object', Buffer.from('x'));
  unmount(base);
  const gone = open(base);
  // The one that has written there, as a service's does for years, and one that comes anew.
  for (const backend of [used, gone]) {
    const attempts = [
      () => backend.stat('server/object'),
      () => collect(backend.list('')),
      async () => collect(await backend.read('server/object')),
      () => put(backend, 'holdfast.vault', Buffer.from('new')),
      () => backend.remove('server/object'),
      () => collect(backend.openUploads('')),
    ];
    for (const attempt of attempts) expect(await codeOf(attempt())).toBe('unavailable');
  }
  expect(readdirSync(join(base, 'mnt'))).toEqual([]);
  // Mounted again, all is there; also for the one that had found it gone.
  rmSync(join(base, 'mnt'), { recursive: true });
  renameSync(join(base, 'disk'), join(base, 'mnt'));
  expect((await gone.stat('server/object')).size).toBe(1);
});

test('the test of a place does not mark it, a server that is called like one does', async () => {
  const base = world();
  await put(open(base), 'holdfast.test-0011223344556677/probe', Buffer.from('x'));
  expect(readdirSync(join(base, 'mnt'))).not.toContain(markerName);
  await put(open(base), 'holdfast-test-world/object', Buffer.from('x'));
  expect(readdirSync(join(base, 'mnt'))).toContain(markerName);
});

test('the fault is not tried again and says what to do; what it says helps with a new disk', async () => {
  const base = world();
  await put(open(base), 'server/object', Buffer.from('x'));
  unmount(base);
  const fault: unknown = await open(base)
    .stat('server/object')
    .catch((error: unknown) => error);
  expect(fault).toMatchObject({ persistence: 'permanent', context: { next: expect.stringContaining(markerName) } });
  writeFileSync(join(base, 'mnt', markerName), '');
  expect(await collect(open(base).list(''))).toEqual([]);
});

test('the marker is no object, and one from before there were markers is known by its vault', async () => {
  const base = world();
  await put(folderBackend(join(base, 'mnt')), 'holdfast.vault', Buffer.from('vault'));
  await put(open(base), 'server/object', Buffer.from('x'));
  expect(readdirSync(join(base, 'mnt')).sort()).toContain(markerName);
  expect((await collect(open(base).list(''))).map(({ key }) => key).sort()).toEqual(['holdfast.vault', 'server/object']);
  rmSync(join(base, 'mnt', markerName));
  expect(await collect(open(base).list(''))).toHaveLength(2);
});

test('more than the disk has room for is refused before it is written, with figures', async () => {
  const base = world();
  const backend = open(base);
  const { bavail, bsize } = statfsSync(base);
  const begun = backend.beginUpload('server/huge', { sizeHint: bavail * bsize });
  const fault: unknown = await begun.catch((error: unknown) => error);
  expect(fault).toMatchObject({ code: 'disk-full', context: { needed: bavail * bsize }, message: expect.stringMatching(/\d+ are free/) });
});
