import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConnectProxy } from './connect-proxy.ts';

/** Two generations of rclone: two readings of each protocol that are not ours. Unpacked by the test command. */
export const rcloneVersions = ['1.60', '1.7x'] as const;
export type RcloneVersion = (typeof rcloneVersions)[number];

const binaryOf = (version: RcloneVersion): string =>
  fileURLToPath(new URL(`../../../.cache/rclone-${version}/usr/bin/rclone`, import.meta.url));

/** Why tests with this rclone cannot run here; empty when they can. */
export function rcloneMissing(version: RcloneVersion): string {
  return existsSync(binaryOf(version)) ? '' : `no rclone ${version}: run npm test as root on Debian once`;
}

export interface Rclone {
  /** One command, `remote:` being the configured remote. Rejects with what rclone printed when it fails. */
  run(args: readonly string[], input?: Uint8Array): Promise<Buffer>;
  close(): void;
}

/** rclone with one remote called `remote`, configured by `section` (without its heading), and nothing of this computer's own. */
export function openRclone(
  version: RcloneVersion,
  section: Readonly<Record<string, string>>,
  proxy?: Pick<ConnectProxy, 'url' | 'caFile'>,
): Rclone {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-rclone-'));
  const config = join(folder, 'rclone.conf');
  const lines = Object.entries(section).map(([name, value]) => `${name} = ${value}\n`);
  writeFileSync(config, `[remote]\n${lines.join('')}`, { mode: 0o600 });
  const through = proxy === undefined ? [] : ['--ca-cert', proxy.caFile];
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    ...(proxy === undefined ? {} : { HTTPS_PROXY: proxy.url }),
  };
  return {
    run: async (args, input) =>
      await new Promise((settle, reject) => {
        const child = spawn(binaryOf(version), ['--config', config, '--retries', '1', '--low-level-retries', '3', ...through, ...args], {
          env,
        });
        const out: Buffer[] = [];
        const err: Buffer[] = [];
        child.stdout.on('data', (piece: Buffer) => out.push(piece));
        child.stderr.on('data', (piece: Buffer) => err.push(piece));
        child.on('error', reject);
        child.on('close', (status) => {
          if (status === 0) settle(Buffer.concat(out));
          else reject(new Error(`rclone ${args.join(' ')} ended with ${String(status)}:\n${Buffer.concat(err).toString()}`));
        });
        child.stdin.on('error', () => undefined);
        child.stdin.end(input);
      }),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
