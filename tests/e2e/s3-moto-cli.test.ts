import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { patterned } from '../conformance/suite-support.ts';
import { s3Cli } from '../support/s3/cli.ts';
import { makeBucket } from '../support/s3/destinations.ts';
import { startS3FaultProxy } from '../support/s3/faults.ts';
import { motoMissing, startMoto, type Moto } from '../support/s3/moto.ts';

describe.skipIf(motoMissing !== '')(`the command line on moto${motoMissing === '' ? '' : ` (left out: ${motoMissing})`}`, () => {
  const base = mkdtempSync(join(tmpdir(), 'holdfast-moto-cli-'));
  const cli = s3Cli(base);
  let moto: Moto | undefined;
  let place = '';

  beforeAll(async () => {
    moto = await startMoto();
    place = `s3:${await makeBucket(moto.endpoint)}/home?endpoint=${moto.endpoint}&checksums=true`;
  });
  afterAll(() => {
    moto?.stop();
    rmSync(base, { recursive: true, force: true });
  });

  test('backup, restore, verify, prune', async () => {
    const world = join(base, 'world');
    mkdirSync(world);
    const large = patterned(40_000_000);
    writeFileSync(join(world, 'r.0.0.mca'), large);
    writeFileSync(join(world, 'level.dat'), 'one');
    const first = await cli.json<{ id: string }>(['backup', world, '-d', place]);
    writeFileSync(join(world, 'level.dat'), 'two');
    const second = await cli.json<{ id: string }>(['backup', world, '-d', place]);
    await cli.json(['restore', first.id, '-d', place, '--target', join(base, 'back')]);
    expect(readFileSync(join(base, 'back', 'level.dat'), 'utf8')).toBe('one');
    expect(readFileSync(join(base, 'back', 'r.0.0.mca')).equals(large)).toBe(true);
    const { damage } = await cli.json<{ damage: readonly unknown[] }>(['verify', 'all', '-d', place]);
    expect(damage).toEqual([]);
    await cli.json(['prune', '-d', place, '--server', 'world', '--keep-last', '1']);
    const rows = await cli.json<readonly { id: string; complete: boolean }[]>(['snapshots', '-d', place]);
    expect(rows.map(({ id, complete }) => [id, complete])).toEqual([[second.id, true]]);
    await cli.json(['restore', 'latest', '-d', place, '--target', join(base, 'again')]);
    expect(readFileSync(join(base, 'again', 'r.0.0.mca')).equals(large)).toBe(true);
  });

  test('a backup that is killed in its third volume is gone on with', async () => {
    const world = join(base, 'killed');
    mkdirSync(world);
    // Two fill a volume.
    const files = Array.from({ length: 6 }, () => randomBytes(2_000_000));
    for (const [index, bytes] of files.entries()) writeFileSync(join(world, `r${index}`), bytes);
    let strike: (url: string) => void = () => undefined;
    const proxy = await startS3FaultProxy(moto?.port ?? 0, ({ url = '' }) => {
      strike(url);
      return null;
    });
    try {
      const bucket = await makeBucket(moto?.endpoint ?? '');
      const to = ['-d', `s3:${bucket}/home?endpoint=${proxy.endpoint}&checksums=true`, '--volume-size', '4M'];
      const killed = await cli.run(['backup', world, ...to], {
        whileRunning: (child) => {
          strike = (url) => {
            if (url.includes('.003.holdfast')) child.kill('SIGKILL');
          };
        },
      });
      expect([killed.code, killed.signal]).toEqual([null, 'SIGKILL']);
      strike = () => undefined;
      const { kept } = await cli.json<{ kept: { files: number } }>(['backup', world, ...to]);
      expect(kept.files).toBe(4);
      expect(await cli.openUploads(moto?.endpoint ?? '', bucket)).toEqual([]);
      const back = join(base, 'killed back');
      await cli.json(['restore', 'latest', ...to.slice(0, 2), '--target', back]);
      for (const [index, bytes] of files.entries()) expect(readFileSync(join(back, `r${index}`)).equals(bytes)).toBe(true);
    } finally {
      await proxy.close();
    }
  });
});
