import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../support/clouds/fault-proxy.ts';
import { s3Cli } from '../support/s3/cli.ts';
import { makeBucket } from '../support/s3/destinations.ts';
import { onSwift, startSwift, swiftMissing, type Swift } from '../support/s3/swift.ts';

const files = 100;
const size = 1_000_000;

/** What goes over the line is counted by a server in between, not by the program itself: retries and second looks would show. */
describe.skipIf(swiftMissing !== '')(onSwift('one file of many, over S3'), () => {
  const base = mkdtempSync(join(tmpdir(), 'holdfast-s3-one-file-'));
  const cli = s3Cli(base);
  let swift: Swift | undefined;
  let proxy: FaultProxy | undefined;
  let place = '';
  let report: { backendReads: number; backendBytes: number } = { backendReads: 0, backendBytes: 0 };

  beforeAll(async () => {
    swift = await startSwift();
    const bucket = await makeBucket(swift.endpoint);
    proxy = await startFaultProxy(swift.port, () => null, {});
    place = `s3:${bucket}/home?endpoint=${proxy.endpoint}`;
    mkdirSync(join(base, 'world'));
    for (let file = 0; file < files; file += 1) writeFileSync(join(base, 'world', `r.${file}.mca`), randomBytes(size));
    await cli.json(['backup', join(base, 'world'), '-d', place]);
  });
  afterAll(async () => {
    await proxy?.close();
    swift?.stop();
    rmSync(base, { recursive: true, force: true });
  });

  /** The requests of one command, without the prefix and what signs them. */
  async function requestsOf(args: readonly string[]): Promise<readonly string[]> {
    const from = proxy?.seen.length ?? 0;
    const file = join(base, 'report.json');
    await cli.json([...args, '-d', place], { env: { HOLDFAST_BENCH_REPORT: file } });
    report = JSON.parse(readFileSync(file, 'utf8')) as typeof report;
    const seen = (proxy?.seen ?? []).slice(from);
    process.stdout.write(
      `S3, ${args[0] ?? ''}: ${seen.length} requests, ${(report.backendBytes / 1e6).toFixed(2)} MB of ${(files * size) / 1e6} MB\n`,
    );
    return seen.map((request) => request.replace(/\/holdfast-[0-9a-f]+\//, '').replace(/\?list-type.*$|\?.*list-type.*$/, '?list'));
  }

  test('restore --include: the vault, a listing, the manifest, one range of one archive', async () => {
    const target = join(base, 'back');
    const args = ['restore', 'latest', '--server', 'world', '--target', target, '--include', 'r.57.mca'];
    const requests = await requestsOf(args);
    expect(requests.map((request) => request.replace(/\d{8}T\d{6}Z-[a-z0-9]{6}/, 'ID'))).toEqual([
      expect.stringContaining('GET home/holdfast.vault'),
      expect.stringContaining('?list'),
      expect.stringContaining('GET home/world/ID.manifest'),
      expect.stringContaining('GET home/world/ID.holdfast'),
    ]);
    // A frame of four such files and the manifest.
    expect(report.backendBytes).toBeLessThan(4.5 * size);
    expect(readFileSync(join(target, 'r.57.mca')).equals(readFileSync(join(base, 'world', 'r.57.mca')))).toBe(true);
  });

  test('ls: the vault, a listing and the manifest', async () => {
    expect(await requestsOf(['ls', 'latest', '--server', 'world'])).toHaveLength(3);
    expect(report.backendBytes).toBeLessThan(size / 10);
  });

  test('restore over a folder that holds all but one file as it was: as few requests as for that file alone', async () => {
    const target = join(base, 'over');
    cpSync(join(base, 'world'), target, { recursive: true });
    writeFileSync(join(target, 'r.57.mca'), randomBytes(size));
    const requests = await requestsOf(['restore', 'latest', '--server', 'world', '--target', target, '--replace', '--force']);
    expect(requests.filter((request) => request.includes('.holdfast') && !request.includes('vault'))).toHaveLength(1);
    expect(requests).toHaveLength(4);
    expect(report.backendBytes).toBeLessThan(4.5 * size);
    for (let file = 0; file < files; file += 1) {
      const name = `r.${file}.mca`;
      expect(readFileSync(join(target, name)).equals(readFileSync(join(base, 'world', name)))).toBe(true);
    }
  });
});
