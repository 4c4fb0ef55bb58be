import * as files from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { folderBackend } from '../../main/adapters/storage/folder/folder-backend.ts';
import { codeOf, get, put } from '../conformance/suite-support.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** How often a file without a key is taken away at the moment before it gets its name. */
const taken = vi.hoisted(() => ({ left: 0 }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof files>();
  const rename: typeof files.rename = async (from, to) => {
    if (String(from).endsWith('.new') && taken.left-- > 0) await real.unlink(from);
    await real.rename(from, to);
  };
  return { ...real, rename };
});

test('an upload whose key is cleared away before it has its name writes it once more; where that never ends it is a fault', async () => {
  const root = tempFolder();
  const backend = folderBackend(root);
  taken.left = 3;
  await put(backend, 'server/object', Buffer.from('x'));
  expect((await get(backend, 'server/object')).toString()).toBe('x');
  taken.left = Infinity;
  expect(await codeOf(put(backend, 'server/object', Buffer.from('y')))).not.toBe('no fault');
  taken.left = 0;
  expect(await files.readdir(join(root, '.holdfast-uploads'))).toEqual([]);
});
