import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { CloudWork } from './cloud-work.ts';
import { root } from './run-command.ts';
import type { Row } from './table.ts';

export interface Transfer {
  /** Of the whole process, its start included. */
  readonly whole: number;
  /** Of the transfer alone. */
  readonly seconds: number;
  readonly bytes: number;
  readonly peakBytes: number;
}

/** What is sent: a file, so many times one after the other; null: nothing. */
export type Input = { readonly file: string; readonly times?: number } | null;

export function transfer(direction: 'up' | 'down' | 'remove', work: CloudWork, key: string, input: Input = null): Transfer {
  const program = join(import.meta.dirname, 'clouds-transfer.ts');
  const { whole, stdout } = shell(`"${process.execPath}" "${program}" ${direction} '${key}' '${JSON.stringify(work)}'`, input);
  return { whole, ...(JSON.parse(stdout) as Omit<Transfer, 'whole'>) };
}

/** Seconds that rclone took, with the configuration in a file. */
export function rclone(config: string, args: readonly string[], input: Input): number {
  const binary = join(root, '.cache', 'rclone-1.7x', 'usr', 'bin', 'rclone');
  return shell(`env -u AWS_CA_BUNDLE "${binary}" --config "${config}" -q ${args.join(' ')} > /dev/null`, input).whole;
}

function shell(script: string, input: Input): { readonly whole: number; readonly stdout: string } {
  // What the run before has left unwritten must not slow this one down.
  spawnSync('sync');
  const { file = '', times = 1 } = input ?? {};
  const stdin = input === null || times > 1 ? 'ignore' : openSync(file, 'r');
  const command = times > 1 ? `(for i in $(seq ${times}); do cat "${file}"; done) | ${script}` : script;
  const since = performance.now();
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -euo pipefail; ${command}`], {
    stdio: [stdin, 'pipe', 'pipe'],
    encoding: 'utf8',
    // As the command itself sets it.
    env: { NODE_COMPILE_CACHE: join(root, '.cache', 'compile'), ...process.env },
  });
  const whole = (performance.now() - since) / 1000;
  if (typeof stdin === 'number') closeSync(stdin);
  if (status !== 0) throw new Error(`${script} failed (${String(status)}):\n${stderr}`);
  return { whole, stdout };
}

export function memoryRow(what: string, bytes: number): Row {
  const shown = `${(bytes / 1e6).toFixed(0)} MB`;
  return { what, ours: shown, peer: '', result: shown, goal: '≤ 250 MB', met: bytes <= 250e6 };
}

export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

export function randomFile(path: string, bytes: number): void {
  const file = openSync(path, 'w');
  for (let written = 0; written < bytes;) written += writeSync(file, randomBytes(Math.min(bytes - written, 16 * 1024 * 1024)));
  closeSync(file);
}

export function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}
