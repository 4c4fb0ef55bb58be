import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderBackend } from '../../main/adapters/storage/folder/folder-backend.ts';
import { collect, get } from '../conformance/suite-support.ts';

const writer = fileURLToPath(new URL('../support/write-until-killed.ts', import.meta.url));
let root = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-kill-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

/** Kills the writer as soon as it has told of `events` things done. */
async function runAndKill(events: number): Promise<void> {
  const child = spawn(process.execPath, [writer, root], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  let seen = 0;
  for await (const text of child.stdout) {
    seen += String(text).length;
    if (seen >= events) break;
  }
  child.kill('SIGKILL');
  await ended;
}

test.each([1, 2, 3, 4, 5, 6, 9, 14, 37, 101])(
  'a process killed after %i steps leaves a whole object or none, and an upload that can be cleared',
  async (events) => {
    await runAndKill(events);
    const backend = folderBackend(root);
    const objects = await collect(backend.list(''));
    // Four parts and complete() are the first five steps.
    if (events >= 5) expect(objects.length).toBe(1);
    else expect(objects.length).toBeLessThanOrEqual(1);
    for (const { key, size } of objects) {
      const bytes = await get(backend, key);
      const version = bytes[0] ?? 0;
      expect([bytes.byteLength, size]).toEqual([300_000 + version * 1_000, 300_000 + version * 1_000]);
      expect(bytes.every((byte) => byte === version)).toBe(true);
    }
    const left = await collect(backend.openUploads(''));
    expect(left.length).toBeLessThanOrEqual(1);
    for (const { token } of left) await backend.abandon(token);
    expect(await readdir(join(root, '.holdfast-uploads'))).toEqual([]);
  },
);
