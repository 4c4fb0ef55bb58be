import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { peakOf } from './peak-memory.ts';
import { cache, password, root } from './run-command.ts';

export interface Watched {
  readonly seconds: number;
  /** The most that the process had in memory at once, by its own count at its end (VmHWM). */
  readonly peakBytes: number;
  /** The same with shared pages counted by how many share them (Pss), seen from outside twenty times a second: moments in between are missed. */
  readonly proportionalBytes: number;
}

const betweenLooks = 50;

/** One holdfast command whose memory is watched while it runs. `env`: what the destination needs. */
export async function watched(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Watched> {
  const file = join(cache, 'watched-report.json');
  rmSync(file, { force: true });
  const since = performance.now();
  const child = spawn(process.execPath, [join(root, 'bin', 'holdfast.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...{ ...process.env, HOLDFAST_BENCH_REPORT: file, HOLDFAST_STATE_DIR: join(cache, 'watched-state'), HOLDFAST_PASSWORD: password },
      ...env,
    },
  });
  const told = text(child.stderr);
  const ended = once(child, 'close');
  const { pid = 0 } = child;
  const seen = { resident: 0, proportional: 0 };
  while (child.exitCode === null && child.signalCode === null) {
    const proportional = proportionalOf(pid);
    if (proportional !== null) {
      seen.proportional = Math.max(seen.proportional, proportional);
      seen.resident = Math.max(seen.resident, peakOf(pid));
    }
    await Promise.race([ended, sleep(betweenLooks)]);
  }
  await ended;
  const seconds = (performance.now() - since) / 1000;
  if (child.exitCode !== 0) throw new Error(`holdfast ${args.join(' ')} failed (${String(child.exitCode)}):\n${await told}`);
  const { peakRssBytes } = JSON.parse(readFileSync(file, 'utf8')) as { readonly peakRssBytes: number };
  return { seconds, peakBytes: Math.max(peakRssBytes, seen.resident), proportionalBytes: seen.proportional };
}

/** Null once it has ended. */
function proportionalOf(pid: number): number | null {
  try {
    const [, kilobytes] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8')) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) * 1024;
  } catch {
    return null;
  }
}
