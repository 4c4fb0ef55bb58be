import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../contract/faults.ts';
import type { Memory } from '../../engine/host.ts';
import { notWritten } from '../files/not-written.ts';

/** Files in `<state folder>/memory`, for this user only; each is replaced in one step. What cannot be written is a fault that names it. */
export function fileMemory(stateDir: () => Promise<string>): Memory {
  async function pathOf(name: string): Promise<string> {
    if (!/^[a-z0-9-]{1,100}$/.test(name)) throw new Fault('unexpected', `'${name}' cannot be remembered by`, { operation: 'remember' });
    return join(await stateDir(), 'memory', name);
  }
  return {
    async recall(name) {
      const path = await pathOf(name);
      const there = await stat(path).then(
        (stats) => stats.isFile(),
        () => false,
      );
      return there ? (createReadStream(path) as AsyncIterable<Uint8Array>) : null;
    },
    async remember(name, content) {
      const path = await pathOf(name);
      const fresh = `${path}.${randomBytes(6).toString('hex')}`;
      try {
        await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
        const handle = await open(fresh, 'wx', 0o600);
        try {
          for await (const piece of content) await handle.writeFile(piece);
        } finally {
          await handle.close();
        }
        await rename(fresh, path);
      } catch (error) {
        throw notWritten(path, error, 'remember');
      } finally {
        await rm(fresh, { force: true });
      }
    },
  };
}
