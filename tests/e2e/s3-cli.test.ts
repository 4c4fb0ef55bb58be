import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { patterned } from '../conformance/suite-support.ts';
import type { CliRun } from '../support/run-cli.ts';
import { s3Cli } from '../support/s3/cli.ts';
import { makeBucket, plainClient } from '../support/s3/destinations.ts';
import { onSwift, startSwift, swiftKeys, swiftMissing, type Swift } from '../support/s3/swift.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
  readonly next: string;
}

describe.skipIf(swiftMissing !== '')(onSwift('the command line on a bucket of OpenStack Swift'), () => {
  const base = mkdtempSync(join(tmpdir(), 'holdfast-s3-cli-'));
  let swift: Swift | undefined;
  let bucket = '';

  beforeAll(async () => {
    swift = await startSwift();
    bucket = await makeBucket(swift.endpoint);
  });
  afterAll(() => {
    swift?.stop();
    rmSync(base, { recursive: true, force: true });
  });

  const place = (name = bucket): string => `s3:${name}/home?endpoint=${swift?.endpoint ?? ''}`;

  const cli = s3Cli(base);
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliRun> => cli.run(args, { env });
  const json = <T>(args: readonly string[]): Promise<T> => cli.json<T>(args);

  async function storedKeys(): Promise<readonly string[]> {
    const s3 = plainClient(swift?.endpoint ?? '');
    const { Contents } = await s3.listObjectsV2({ Bucket: bucket });
    s3.destroy();
    return (Contents ?? []).map(({ Key }) => Key ?? '').sort();
  }

  test('backup, snapshots, verify, restore, prune', async () => {
    const world = join(base, 'world');
    mkdirSync(join(world, 'region'), { recursive: true });
    const large = patterned(40_000_000);
    writeFileSync(join(world, 'region', 'r.0.0.mca'), large);
    writeFileSync(join(world, 'level.dat'), 'one');
    const first = await json<{ id: string }>(['backup', world, '-d', place()]);
    writeFileSync(join(world, 'level.dat'), 'two');
    const second = await json<{ id: string }>(['backup', world, '-d', place()]);

    const rows = await json<readonly { id: string; complete: boolean }[]>(['snapshots', '-d', place()]);
    expect(rows.map(({ id, complete }) => [id, complete]).sort()).toEqual([first.id, second.id].sort().map((id) => [id, true]));
    const checked = await json<{ damage: readonly unknown[]; snapshots: readonly { ok: boolean }[] }>(['verify', 'all', '-d', place()]);
    expect([checked.damage, checked.snapshots.map(({ ok }) => ok)]).toEqual([[], [true, true]]);

    await json(['restore', first.id, '-d', place(), '--target', join(base, 'back')]);
    expect(readFileSync(join(base, 'back', 'level.dat'), 'utf8')).toBe('one');
    expect(readFileSync(join(base, 'back', 'region', 'r.0.0.mca')).equals(large)).toBe(true);

    const before = await storedKeys();
    expect(before.every((key) => key.startsWith('home/'))).toBe(true);
    const pruned = await json<{ objects: readonly string[] }>(['prune', '-d', place(), '--server', 'world', '--keep-last', '1']);
    expect(pruned.objects.some((key) => key.endsWith(`${first.id}.manifest`))).toBe(true);
    const after = await storedKeys();
    expect(after).not.toContain(`home/world/${first.id}.manifest`);
    await json(['restore', 'latest', '-d', place(), '--target', join(base, 'again')]);
    expect(readFileSync(join(base, 'again', 'level.dat'), 'utf8')).toBe('two');
    expect(readFileSync(join(base, 'again', 'region', 'r.0.0.mca')).equals(large)).toBe(true);
  });

  test('the recovery kit names the bucket and holds no keys', async () => {
    const file = join(base, 'kit.txt');
    await run(['backup', base, '-d', place(), '--server', 'kit', '--exclude', 'world', '--exclude', 'back', '--exclude', 'again']);
    expect((await run(['kit', '-d', place(), '-o', file])).code).toBe(0);
    const kit = readFileSync(file, 'utf8');
    expect(kit).toContain(bucket);
    expect(kit).not.toContain(swiftKeys.secretAccessKey);
    expect(kit).not.toContain(swiftKeys.accessKeyId);
  });

  describe('keys of the AWS tools', () => {
    const file = join(base, 'credentials');
    beforeAll(() => {
      const section = (name: string, id: string, secret: string): string =>
        `[${name}]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`;
      writeFileSync(
        file,
        section('default', swiftKeys.accessKeyId, 'wrong') + section('games', swiftKeys.accessKeyId, swiftKeys.secretAccessKey),
      );
    });
    const none = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
    const wrong = { AWS_ACCESS_KEY_ID: swiftKeys.accessKeyId, AWS_SECRET_ACCESS_KEY: 'wrong' };

    // A place in which nothing is: only who may look can tell.
    const empty = /holds no Holdfast snapshots/;

    test.each([
      ['a profile by its name', { ...none, AWS_PROFILE: 'games' }, empty],
      ['a profile by its name, before other keys in the environment', { ...wrong, AWS_PROFILE: 'games' }, empty],
      ['keys in the environment, before a profile that nobody named', {}, empty],
      ['else the profile “default”', none, /access key or its secret is not right/],
      ['a profile that is not there', { ...none, AWS_PROFILE: 'nobody' }, /needs access keys/],
      ['half a pair', { AWS_ACCESS_KEY_ID: '' }, /AWS_ACCESS_KEY_ID is missing/],
    ] as const)('%s', async (_, env, says) => {
      const nowhere = place().replace('/home', '/nothing');
      const { stdout, stderr } = await run(['snapshots', '-d', nowhere], { AWS_SHARED_CREDENTIALS_FILE: file, ...env });
      expect([stdout, stderr]).toEqual(['', expect.stringMatching(says)]);
    });
  });

  async function checks(
    env: Readonly<Record<string, string>> = {},
    name = bucket,
  ): Promise<{ code: number | null; checks: readonly Check[] }> {
    const { code, stdout } = await run(['test', place(name), '--json'], env);
    return { code, checks: JSON.parse(stdout) as readonly Check[] };
  }

  test('test: all is well with the right keys, and nothing of it stays', async () => {
    const before = await storedKeys();
    const { code, checks: found } = await checks();
    expect(found.filter(({ ok }) => !ok)).toEqual([]);
    expect(code).toBe(0);
    expect(found.find(({ name }) => name === 'checksum')?.message).toBe('the md5 checksum is right');
    // Swift looks at what it is sent; nothing is sent unasked to a server that is not AWS.
    expect(found.find(({ name }) => name === 'checksums sent')?.message).toMatch(/could compare a CRC-32.*“checksums=true”/);
    expect(await storedKeys()).toEqual(before);
  });

  test.each([
    ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'wrong' }, undefined, /access key or its secret is not right/, /keys/],
    [
      'keys nobody knows',
      { AWS_ACCESS_KEY_ID: 'nobody:none' },
      undefined,
      /access key or its secret is not right|may not write there/,
      /docs.setup.s3\.md/,
    ],
    ['no keys at all', { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' }, undefined, /needs access keys/, /keys/],
    ['a bucket that does not exist', {}, 'holdfast-no-such-bucket', /the bucket does not exist/, /docs\/setup\/s3\.md/],
  ] as const)('test: %s is told with its own sentence', async (_, env, name, message, next) => {
    const { code, checks: found } = await checks(env, name);
    expect(code).toBe(1);
    expect(found).toHaveLength(1);
    expect(found[0]?.message).toMatch(message);
    expect(found[0]?.next).toMatch(next);
    expect(JSON.stringify(found)).not.toContain('testing');
  });

  test('test: keys that may only read are told so', async () => {
    const { code, checks: found } = await checks({ AWS_ACCESS_KEY_ID: 'test:reader', AWS_SECRET_ACCESS_KEY: 'reading' });
    expect(code).toBe(1);
    expect(found[0]?.message).toMatch(/these keys may not write there, or may only read/);
    expect(found[0]?.next).toContain('s3:PutObject');
  });

  test('a missing bucket is never taken for a place without snapshots', async () => {
    const { code, stdout, stderr } = await run(['snapshots', '-d', place('holdfast-no-such-bucket')]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('the bucket does not exist');
  });
});
