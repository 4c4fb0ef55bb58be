import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FaultProxy } from '../support/clouds/fault-proxy.ts';
import { differences, seeTree } from '../support/compare-trees.ts';
import { s3Cli } from '../support/s3/cli.ts';
import { makeBucket, plainClient } from '../support/s3/destinations.ts';
import { isPart, startS3FaultProxy, type DecideS3 } from '../support/s3/faults.ts';
import { onSwift, startSwift, swiftMissing, type Swift } from '../support/s3/swift.ts';
import { noise } from '../support/seeded-random.ts';

const files = 24;
const fileSize = 500_000;
const dataSize = files * fileSize;
const volumeSize = 3 * 2 ** 20;
/** Seals, checksum files, the vault and its recovery programs, manifests and partials. */
const overhead = 300_000;
const timeout = 120_000;

/** The real command on a real S3 server, killed with -9 when some of its volumes are stored and written down. */
describe.skipIf(swiftMissing !== '')(onSwift('a backup that was cut off, on OpenStack Swift'), () => {
  const base = mkdtempSync(join(tmpdir(), 'holdfast-s3-going-on-'));
  const world = join(base, 'world');
  const cli = s3Cli(join(base, 'cli'));
  let swift: Swift | undefined;
  let proxy: FaultProxy | undefined;
  let bucket = '';
  let decide: DecideS3 = () => null;

  beforeAll(async () => {
    swift = await startSwift();
    bucket = await makeBucket(swift.endpoint);
    proxy = await startS3FaultProxy(swift.port, (request) => decide(request));
    for (const folder of ['cli', 'world']) mkdirSync(join(base, folder));
    for (let file = 0; file < files; file += 1) writeFileSync(join(world, `r.${file}.mca`), noise(file, fileSize));
  });
  afterAll(async () => {
    await proxy?.close();
    swift?.stop();
    rmSync(base, { recursive: true, force: true });
  });

  async function objects(prefix: string): Promise<ReadonlyMap<string, number>> {
    const s3 = plainClient(swift?.endpoint ?? '');
    const { Contents = [] } = await s3.listObjectsV2({ Bucket: bucket, Prefix: `${prefix}/` });
    s3.destroy();
    return new Map(Contents.map(({ Key = '', Size = 0 }) => [Key, Size]));
  }

  /** What is done meanwhile: the bytes of bodies that came to the server, and the requests. */
  async function counted(work: () => Promise<unknown>): Promise<{ readonly bytes: number; readonly requests: readonly string[] }> {
    const [bytes, requests] = [proxy?.received() ?? 0, proxy?.seen.length ?? 0];
    await work();
    return { bytes: (proxy?.received() ?? 0) - bytes, requests: proxy?.seen.slice(requests) ?? [] };
  }

  test.each([1, 2])('after %i volumes were written down: the next one sends the rest', { timeout }, async (volumes) => {
    const prefix = `after-${volumes}`;
    const where = ['-d', `s3:${bucket}/${prefix}?endpoint=${proxy?.endpoint ?? ''}`];
    const first = await counted(async () => {
      let writtenDown = 0;
      const { code, signal } = await cli.run(['backup', world, ...where, '--volume-size', '3M'], {
        whileRunning: (child) => {
          decide = (request) => {
            if (request.method === 'PUT' && request.url?.includes('.partial') === true) writtenDown += 1;
            if (writtenDown < volumes || !isPart(request)) return null;
            // The next volume is on its way, and never gets there.
            request.on('end', () => child.kill('SIGKILL'));
            return 'stall';
          };
        },
      });
      expect([code, signal]).toEqual([null, 'SIGKILL']);
    });
    decide = () => null;
    const left = [...(await objects(prefix))];
    const endingOf = (ending: string): (readonly [string, number])[] => left.filter(([key]) => key.endsWith(ending));
    expect([endingOf('.partial').length, endingOf('.manifest').length]).toEqual([volumes, 0]);
    const finished = endingOf('.holdfast');
    expect(finished).toHaveLength(volumes);
    const finishedBytes = finished.reduce((sum, [, size]) => sum + size, 0);
    // As many whole files as a volume takes; its last one may make it a tenth longer.
    expect(finishedBytes).toBeGreaterThan(volumes * (volumeSize - fileSize));
    expect(finishedBytes).toBeLessThan(volumes * 1.1 * volumeSize);

    const second = await counted(() => cli.json(['backup', world, ...where, '--volume-size', '3M']));
    expect([second.bytes >= dataSize - finishedBytes, second.bytes]).toEqual([true, second.bytes]);
    expect([second.bytes <= dataSize - finishedBytes + overhead, second.bytes]).toEqual([true, second.bytes]);
    const sent = first.bytes + second.bytes;
    expect([sent <= dataSize + 1.1 * volumeSize + 2 * overhead, sent]).toEqual([true, sent]);
    for (const [key] of finished)
      expect(second.requests.filter((request) => /^(PUT|POST) /.test(request) && request.includes(`${key}?`))).toEqual([]);

    const after = await objects(prefix);
    expect(finished.filter(([key, size]) => after.get(key) !== size)).toEqual([]);
    expect([...after.keys()].filter((key) => key.endsWith('.partial'))).toEqual([]);
    expect(await cli.openUploads(swift?.endpoint ?? '', bucket)).toEqual([]);
    await cli.json(['verify', 'all', ...where]);
    const back = join(base, `back-${volumes}`);
    await cli.json(['restore', 'latest', ...where, '--target', back]);
    expect(differences(seeTree(world, { owners: false }), seeTree(back, { owners: false }))).toEqual([]);
  });
});
