import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DestinationCheck } from '../../main/contract/reports.ts';
import { codeOf, collect, get, patterned } from '../conformance/suite-support.ts';
import type { FaultProxy } from '../support/clouds/fault-proxy.ts';
import { s3Cli } from '../support/s3/cli.ts';
import { freshPlace, makeBucket } from '../support/s3/destinations.ts';
import { startS3FaultProxy, type DecideS3 } from '../support/s3/faults.ts';
import { onSwift, otherSwiftKeys, startSwift, swiftMissing, type Swift } from '../support/s3/swift.ts';

/** Real keys of a real server; what a policy or a quota of the account would forbid is answered in front of it, in S3's own words. */
describe.skipIf(swiftMissing !== '')(onSwift('accounts with limited rights, on OpenStack Swift'), () => {
  const base = mkdtempSync(join(tmpdir(), 'holdfast-s3-accounts-'));
  const world = join(base, 'world');
  let swift: Swift | undefined;
  let proxy: FaultProxy | undefined;
  let bucket = '';
  let decide: DecideS3 = () => null;
  const cli = s3Cli(base);

  const removesObject: DecideS3 = ({ method, url = '' }) => (method === 'DELETE' && !url.includes('uploadId=') ? 'access-denied' : null);
  const writes: DecideS3 = ({ method }) => (method === 'PUT' || method === 'POST' ? 'access-denied' : null);
  const fillsUp: DecideS3 = ({ method }) => (method === 'PUT' ? 'quota-exceeded' : null);

  beforeAll(async () => {
    swift = await startSwift();
    bucket = await makeBucket(swift.endpoint);
    proxy = await startS3FaultProxy(swift.port, (request) => decide(request));
    mkdirSync(world);
    writeFileSync(join(world, 'level.dat'), patterned(300_000));
  });
  afterAll(async () => {
    await proxy?.close();
    swift?.stop();
    rmSync(base, { recursive: true, force: true });
  });
  beforeEach(() => {
    decide = () => null;
  });

  const place = (prefix: string): string => `s3:${bucket}/${prefix}?endpoint=${proxy?.endpoint ?? ''}`;

  async function crosses(): Promise<readonly DestinationCheck[]> {
    const { stdout } = await cli.run(['test', place('tried'), '--json']);
    return (JSON.parse(stdout) as readonly DestinationCheck[]).filter(({ ok }) => !ok);
  }

  test.each([
    [
      'may only read',
      writes,
      'write',
      /these keys may not write there, or may only read \(AccessDenied\)/,
      /s3:PutObject.*docs\/setup\/s3\.md/,
    ],
    [
      'may not delete',
      removesObject,
      'delete',
      /these keys may not delete \(AccessDenied\)/,
      /prune.*s3:DeleteObject.*docs\/setup\/s3\.md/,
    ],
    [
      'are full',
      fillsUp,
      'write',
      /found no space left in the account \(QuotaExceeded\)/,
      /limit of the bucket or account.*docs\/setup\/s3\.md/,
    ],
  ] as const)('test: accounts that %s are told so, each in its own words', async (_, rights, name, message, next) => {
    decide = rights;
    const found = await crosses();
    expect(found.map((check) => check.name)).toEqual([name]);
    expect(found[0]?.message).toMatch(message);
    expect(found[0]?.next).toMatch(next);
  });

  test('test: with all rights nothing is wrong, and of the space nothing is said, as S3 tells neither use nor quota', async () => {
    expect(await crosses()).toEqual([]);
    const all = await cli.json<readonly DestinationCheck[]>(['test', place('tried')]);
    expect(all.map(({ name }) => name)).not.toContain('space');
  });

  test('two accounts at once, under the same names, do not disturb each other, also when the keys of one are refused', async () => {
    const endpoint = swift?.endpoint ?? '';
    await makeBucket(endpoint, bucket, otherSwiftKeys);
    const same = { prefix: 'same' };
    const [mine, theirs] = [freshPlace(endpoint, bucket, same), freshPlace(endpoint, bucket, same, otherSwiftKeys)];
    // In parts, so that one upload is under way while the other begins, sends and ends.
    const part = 5_242_880;
    const contents = [patterned(2 * part + 1, 1), patterned(2 * part + 2, 2)] as const;
    const [first, second] = [await mine.beginUpload('server/x'), await theirs.beginUpload('server/x')];
    for (const index of [0, 1, 2]) {
      const bytes = (whole: Uint8Array): Uint8Array => whole.subarray(index * part, (index + 1) * part);
      await Promise.all([first.writePart(index, bytes(contents[0])), second.writePart(index, bytes(contents[1]))]);
    }
    const refused = freshPlace(endpoint, bucket, same, { ...otherSwiftKeys, secretAccessKey: 'not it' });
    const outcomes = await Promise.all([first.complete(), codeOf(collect(refused.list(''))), second.complete()]);
    expect(outcomes[1]).toBe('unauthenticated');
    for (const [place, content] of [
      [mine, contents[0]],
      [theirs, contents[1]],
    ] as const) {
      expect((await collect(place.list(''))).map(({ key, size }) => [key, size])).toEqual([['server/x', content.byteLength]]);
      expect((await get(place, 'server/x')).equals(content)).toBe(true);
    }
    await mine.remove('server/x');
    expect((await theirs.stat('server/x')).size).toBe(contents[1].byteLength);
  });

  test('keys that may not delete back up and restore; a prune says what they lack, and all stays', async () => {
    decide = removesObject;
    const where = ['-d', place('kept')];
    for (const content of ['one', 'two']) {
      writeFileSync(join(world, 'level.dat'), content);
      await cli.json(['backup', world, ...where]);
    }
    const { code, stdout } = await cli.run(['prune', ...where, '--server', 'world', '--keep-last', '1', '--json']);
    expect(code).not.toBe(0);
    expect(stdout).toMatch(/these keys may not delete/);
    expect(stdout).toMatch(/s3:DeleteObject/);
    expect(await cli.json<readonly unknown[]>(['snapshots', ...where])).toHaveLength(2);
    await cli.json(['restore', 'latest', ...where, '--target', join(base, 'back')]);
    decide = () => null;
    await cli.json(['prune', ...where, '--server', 'world', '--keep-last', '1']);
    expect(await cli.json<readonly unknown[]>(['snapshots', ...where])).toHaveLength(1);
  });

  test('an account that is full in the middle of a backup: told, nothing half-done is left, and what was there stays', async () => {
    const where = ['-d', place('full')];
    await cli.json(['backup', world, ...where]);
    writeFileSync(join(world, 'region.mca'), patterned(2_000_000));
    // The vault's and the probe's place is still there, the archive's is not.
    decide = (request) => (/\.holdfast(\?|$)/.test(request.url ?? '') ? fillsUp(request) : null);
    const { code, stdout } = await cli.run(['backup', world, ...where, '--json']);
    expect(code).not.toBe(0);
    expect(stdout).toMatch(/no space left in the account/);
    decide = () => null;
    expect(await cli.openUploads(swift?.endpoint ?? '', bucket)).toEqual([]);
    expect(await cli.json<readonly unknown[]>(['snapshots', ...where])).toHaveLength(1);
    await cli.json(['verify', 'all', ...where]);
  });
});
