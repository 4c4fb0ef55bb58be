import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { openRclone, rcloneMissing } from '../support/clouds/rclone.ts';
import { runCli } from '../support/run-cli.ts';
import { swiftMissing } from '../support/s3/swift.ts';

interface Cloud {
  readonly provider: string;
  readonly destination: string;
  readonly env: Readonly<Record<string, string>>;
  readonly rclone: Readonly<Record<string, string>>;
  readonly rcloneProxy?: { readonly HTTPS_PROXY: string; readonly caCert: string };
}

const version = '1.7x';

/** The names of what lies in the place, as rclone sees it with nothing but the printed line. */
async function listed({ destination, rclone, rcloneProxy }: Cloud): Promise<readonly string[]> {
  const proxy = rcloneProxy === undefined ? undefined : { url: rcloneProxy.HTTPS_PROXY, caFile: rcloneProxy.caCert };
  const remote = openRclone(version, rclone, proxy);
  try {
    const [, path = ''] = /^[^:]+:([^?]+)/.exec(destination) ?? [];
    return (await remote.run(['lsf', '-R', '--files-only', `remote:${path}`])).toString().trim().split('\n').sort();
  } finally {
    remote.close();
  }
}

test(
  `npm run clouds: each server that it names takes a backup as its line says, rclone sees it there, and nothing is left afterwards${rcloneMissing(version) === '' ? '' : ` (${rcloneMissing(version)})`}`,
  { timeout: 600_000 },
  async () => {
    const base = mkdtempSync(join(tmpdir(), 'holdfast-clouds-command-'));
    mkdirSync(join(base, 'world'));
    writeFileSync(join(base, 'world', 'level.dat'), 'blocks');
    const child = spawn(process.execPath, [join(import.meta.dirname, '..', '..', 'scripts', 'clouds.ts')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | null>((settle) => child.once('close', settle));
    try {
      const clouds: Cloud[] = [];
      const lines = createInterface({ input: child.stdout });
      lines.on('line', (line) => line.startsWith('{') && clouds.push(JSON.parse(line) as Cloud));
      await new Promise<void>((settle, fail) => {
        child.once('close', () => fail(new Error('it ended')));
        createInterface({ input: child.stderr }).on('line', (line) => line.startsWith('Running') && settle());
      });
      expect(clouds.map(({ provider }) => provider)).toEqual([
        ...(swiftMissing === '' ? ['s3'] : []),
        'backblaze-b2',
        'google-drive',
        'dropbox',
      ]);
      for (const cloud of clouds) {
        const { provider, destination, env } = cloud;
        const common = {
          HOLDFAST_PASSWORD: 'correct horse battery',
          HOLDFAST_STATE_DIR: join(base, 'state'),
          AWS_PROFILE: '',
          AWS_EC2_METADATA_DISABLED: 'true',
        };
        const backup = await runCli(['backup', join(base, 'world'), '-d', destination, '--json'], { env: { ...common, ...env } });
        expect([provider, backup.code, backup.stderr]).toEqual([provider, 0, '']);
        if (rcloneMissing(version) !== '') continue;
        const { archives } = JSON.parse(backup.stdout) as { readonly archives: readonly string[] };
        expect([provider, await listed(cloud)]).toEqual([provider, expect.arrayContaining(['holdfast.vault', ...archives])]);
      }
      const certificate = clouds.find(({ rcloneProxy }) => rcloneProxy !== undefined)?.rcloneProxy?.caCert ?? '';
      expect(existsSync(certificate)).toBe(true);
      child.kill('SIGINT');
      expect(await ended).toBe(0);
      expect(existsSync(dirname(certificate))).toBe(false);
    } finally {
      child.kill('SIGKILL');
      rmSync(base, { recursive: true, force: true });
    }
  },
);
