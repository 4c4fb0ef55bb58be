import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('puts call, cancel and subscribe into the window, and nothing else', async () => {
  const support = join(import.meta.dirname, '..', 'support');
  const args = ['--import', join(support, 'electron-hooks.mjs'), join(support, 'preload-driver.ts')];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    ...{ names: ['holdfast'], members: ['call', 'cancel', 'subscribe'], answer: { ok: true, value: 'answer' } },
    invoked: [
      // JSON has no undefined: no ticket.
      ['holdfast:call', 'servers.list', { a: 1 }, null],
      ['holdfast:cancel', '7'],
    ],
    ...{ heard: [[{ event: 'server-removed', data: { slug: 'creative' } }]], listening: 1, left: 0 },
  });
});
