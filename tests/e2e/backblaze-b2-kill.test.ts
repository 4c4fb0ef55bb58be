import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseToken } from '../../main/adapters/storage/backblaze-b2/tokens.ts';
import { collect, patterned } from '../conformance/suite-support.ts';
import { openB2Place, testBucket, type B2Place } from '../support/clouds/backblaze-b2/place.ts';
import { runCli, type CliRun } from '../support/run-cli.ts';

/** The real command, killed while a large file is under way: B2 charges for the parts of one that nobody finishes or cancels. */
const base = mkdtempSync(join(tmpdir(), 'holdfast-b2-kill-'));
const world = join(base, 'world');
let place: B2Place | undefined;

beforeAll(async () => {
  place = await openB2Place();
  mkdirSync(world);
  writeFileSync(join(world, 'level.dat'), 'one');
  writeFileSync(join(world, 'region.mca'), patterned(40_000_000));
});
afterAll(async () => {
  await place?.close();
  rmSync(base, { recursive: true, force: true });
});

function opened(): B2Place {
  if (place === undefined) throw new Error('no server');
  return place;
}

function holdfast(args: readonly string[], whileRunning?: (child: ChildProcess) => void): Promise<CliRun> {
  const { server } = opened();
  const keys = server.addKey({ buckets: [testBucket] });
  return runCli(args, {
    cwd: base,
    env: {
      HOLDFAST_PASSWORD: 'correct horse battery',
      HOLDFAST_STATE_DIR: join(base, 'state'),
      HOLDFAST_B2_ENDPOINT: server.endpoint,
      B2_APPLICATION_KEY_ID: keys.keyId,
      B2_APPLICATION_KEY: keys.applicationKey,
    },
    ...(whileRunning === undefined ? {} : { whileRunning }),
  });
}

/** Kills the command when its `nth` call of this name arrives. That call is never answered, nor done where the server can still wait. */
function killAt(name: string, nth: number): (child: ChildProcess) => void {
  const { server } = opened();
  let seen = 0;
  return (child) => {
    server.onCall = (call) => {
      if (call === name && ++seen === nth) child.kill('SIGKILL');
    };
    server.hold = () => (seen < nth ? Promise.resolve() : new Promise(() => undefined));
  };
}

test.each([
  ['b2_upload_part', 1],
  ['b2_upload_part', 2],
  ['b2_finish_large_file', 1],
] as const)('a backup that is killed at %s, call %i: the next one cancels the large file that it left', async (call, nth) => {
  const own = opened();
  const { server } = own;
  const prefix = `${call}-${nth}`;
  const at = ['-d', `b2:${testBucket}/${prefix}`, '--json'];
  const killed = await holdfast(['backup', world, ...at], killAt(call, nth));
  server.onCall = () => undefined;
  server.hold = () => Promise.resolve();
  expect([killed.code, killed.signal]).toEqual([null, 'SIGKILL']);
  const left = await collect(own.fresh({ prefix }).openUploads(''));
  const names = left.map(({ token }) => `${prefix}/${parseToken(token)?.key ?? ''}`);
  expect(names).toEqual([expect.stringMatching(/\/world\/.*\.holdfast$/)]);
  // As the server has it: begun, and no file.
  expect(names.map((name) => server.actionsOf(testBucket, name))).toEqual([['start']]);

  expect(await holdfast(['backup', world, ...at])).toMatchObject({ code: 0, stderr: '' });
  expect(names.map((name) => server.actionsOf(testBucket, name))).toEqual([[]]);
  expect(await collect(own.fresh({ prefix }).openUploads(''))).toEqual([]);
  expect(await holdfast(['verify', 'all', ...at])).toMatchObject({ code: 0, stderr: '' });
});
