import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { patterned } from '../conformance/suite-support.ts';
import type { FaultProxy } from '../support/clouds/fault-proxy.ts';
import { s3Cli } from '../support/s3/cli.ts';
import { makeBucket } from '../support/s3/destinations.ts';
import { isComplete, isCreate, isPart, startS3FaultProxy, type DecideS3, type S3Fault } from '../support/s3/faults.ts';
import { onSwift, startSwift, swiftMissing, type Swift } from '../support/s3/swift.ts';

interface Checked {
  readonly damage: readonly unknown[];
  readonly snapshots: readonly { readonly server: string; readonly ok: boolean }[];
}

interface Row {
  readonly complete: boolean;
}

/** The real command, killed. */
describe.skipIf(swiftMissing !== '')(onSwift('crashes, on OpenStack Swift'), () => {
  const base = mkdtempSync(join(tmpdir(), 'holdfast-s3-kill-'));
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
    writeFileSync(join(world, 'level.dat'), 'one');
    writeFileSync(join(world, 'region.mca'), patterned(40_000_000));
  });
  afterAll(async () => {
    await proxy?.close();
    swift?.stop();
    rmSync(base, { recursive: true, force: true });
  });
  beforeEach(() => {
    decide = () => null;
  });

  const place = (prefix: string): string[] => ['-d', `s3:${bucket}/${prefix}?endpoint=${proxy?.endpoint ?? ''}`];

  const partStalls: DecideS3 = (request) => (isPart(request) ? 'stall' : null);
  const second = (of: DecideS3, how: S3Fault): DecideS3 => {
    let seen = 0;
    return (request) => (of(request) !== null && ++seen === 2 ? how : null);
  };

  /** The second attempt shows that the first has been carried out. */
  function lostThenStalled(): DecideS3 {
    let seen = 0;
    return (request) => (isComplete(request) ? (++seen === 1 ? 'lost-reply' : 'stall') : null);
  }

  test.each([
    ['while the first part is sent', partStalls, 1],
    ['while the second part is sent', second(partStalls, 'stall'), 1],
    ['after the archive was put together, before it knew', lostThenStalled(), 0],
  ] as [string, DecideS3, number][])('a backup that is killed %s: the next one leaves no open upload', async (name, strike, open) => {
    const prefix = `killed-${name.length}`;
    const killed = await cli.run(['backup', world, ...place(prefix)], {
      whileRunning: (child) => {
        decide = (request) => {
          const fault = strike(request);
          if (fault === 'stall') setImmediate(() => child.kill('SIGKILL'));
          return fault;
        };
      },
    });
    expect([killed.code, killed.signal]).toEqual([null, 'SIGKILL']);
    decide = () => null;
    expect(await cli.openUploads(swift?.endpoint ?? '', bucket)).toHaveLength(open);
    const left = await cli.json<readonly Row[]>(['snapshots', ...place(prefix)]);
    expect(left.filter(({ complete }) => complete)).toEqual([]);

    await cli.json(['backup', world, ...place(prefix)]);
    expect(await cli.openUploads(swift?.endpoint ?? '', bucket)).toEqual([]);
    const checked = await cli.json<Checked>(['verify', 'all', ...place(prefix)]);
    expect([checked.damage, checked.snapshots.map(({ ok }) => ok)]).toEqual([[], [true]]);
  });

  test('the reply to the beginning of an upload is lost: it begins another, and the next run clears the first away', async () => {
    const where = place('begun-twice');
    let left = 1;
    decide = (request) => (isCreate(request) && left-- > 0 ? 'lost-reply' : null);
    await cli.json(['backup', world, ...where]);
    expect(left).toBeLessThan(0);
    const orphans = await cli.openUploads(swift?.endpoint ?? '', bucket);
    expect(orphans).toEqual([expect.stringMatching(/^begun-twice\/world\/.*\.holdfast$/)]);
    // Nothing has changed, and nothing is uploaded: it is cleared away all the same.
    await cli.json(['backup', world, ...where]);
    expect(await cli.openUploads(swift?.endpoint ?? '', bucket)).toEqual([]);
    await cli.json(['verify', 'all', ...where]);
  });
});
