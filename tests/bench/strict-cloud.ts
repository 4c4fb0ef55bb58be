import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CloudWork } from './cloud-work.ts';
import { peakOf } from './peak-memory.ts';
import { cache } from './run-command.ts';

/** What a whole command needs to get there: its destination is `before`, any name, `behind`. */
export interface CommandPlace {
  readonly before: string;
  readonly behind?: string;
  readonly env: Readonly<Record<string, string>>;
}

/** One of the tests' strict servers, running. */
export interface StrictCloud {
  readonly work: CloudWork;
  readonly command: CommandPlace;
  /** What rclone's configuration says of it; absent where rclone knows one address only. */
  readonly rclone?: Readonly<Record<string, string>>;
  /** The most that the server itself has had in memory so far, in bytes. */
  readonly peakBytes: () => number;
}

/** Runs the server for as long as `use` takes; what it stored is gone afterwards. */
export async function withStrictCloud<T>(provider: CloudWork['provider'], use: (cloud: StrictCloud) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(cache, `${provider}-`));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'cloud-server.ts'), provider, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  try {
    const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [unknown];
    if (!Buffer.isBuffer(line)) throw new Error(`the server of ${provider} did not start`);
    const { pid = 0 } = child;
    return await use({ ...(JSON.parse(line.toString()) as Omit<StrictCloud, 'peakBytes'>), peakBytes: () => peakOf(pid) });
  } finally {
    child.stdin.end();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}
