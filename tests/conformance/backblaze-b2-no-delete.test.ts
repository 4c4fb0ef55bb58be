import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { checkDestination } from '../../main/engine/storage/check-destination.ts';
import { openB2Place, type B2Place } from '../support/clouds/backblaze-b2/place.ts';
import { Refusal } from '../support/clouds/backblaze-b2/refusal.ts';
import { keysOf, movableClock, newStateDir, world } from '../support/engine-on-memory.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { codeOf, collect } from './suite-support.ts';

/** A whole life of a server with a key that may not delete: what the engine makes of it. */
let opened: B2Place | undefined;
beforeAll(async () => {
  opened = await openB2Place();
});
afterAll(() => opened?.close());

function place(): B2Place {
  if (opened === undefined) throw new Error('no server');
  return opened;
}

const addOnly = ['listBuckets', 'listFiles', 'readFiles', 'writeFiles'];

test('with a key that may not delete one backs up, restores and verifies; prune says what it may not; a key that may ends it', async () => {
  const { server } = place();
  const source = tempFolder();
  writeFileSync(join(source, 'level.dat'), 'first');
  const stateDir = newStateDir();
  const clock = movableClock();
  const one = world({ backend: place().fresh({ keys: server.addKey({ capabilities: addOnly }), prefix: 'home' }), stateDir, clock });
  await one.backup(source);
  writeFileSync(join(source, 'level.dat'), 'second, and longer');
  await one.backup(source);
  expect(await one.verify()).toMatchObject({ damage: [] });
  const back = join(tempFolder(), 'back');
  await one.restore(back);
  expect(readFileSync(join(back, 'level.dat'), 'utf8')).toBe('second, and longer');

  const before = await keysOf(one.backend, 'survival/');
  const failure = await one.prune({ policy: { last: 1 } }).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'permission-denied',
    message: expect.stringMatching(/^survival\/.*\.manifest was not removed: this application key may not delete/) as string,
    context: { next: expect.stringContaining('run prune where a key with deleteFiles is at hand') as string },
  });
  const manifests = (keys: readonly string[]): readonly string[] => keys.filter((key) => key.endsWith('.manifest'));
  expect(manifests(await keysOf(one.backend, 'survival/'))).toEqual(manifests(before));

  const trusted = world({ backend: place().fresh({ keys: server.addKey(), prefix: 'home' }), stateDir, clock });
  await trusted.prune({ policy: { last: 1 } });
  expect(manifests(await keysOf(one.backend, 'survival/')).length).toBe(1);
  expect(await one.verify()).toMatchObject({ damage: [] });
});

test.each([
  ['all that is needed', undefined, []],
  ['no right to delete', addOnly, ['delete']],
  ['no right to write', ['listBuckets', 'listFiles', 'readFiles'], ['write']],
])('the destination test with %s', async (_, capabilities, failing) => {
  const keys = place().server.addKey(capabilities === undefined ? {} : { capabilities });
  const backend = place().fresh({ keys });
  const checks = await collect(checkDestination(backend, { clock: systemClock, random: seededRandom(1) }));
  expect(checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(failing);
  // B2 tells neither use nor quota, so nothing is said of them.
  expect(checks.map(({ name }) => name)).not.toContain('space');
  for (const { ok, message } of checks) if (!ok) expect(message).toMatch(/this application key (may not|has not the right)/);
});

test('the destination test stops at an account whose storage cap is reached', async () => {
  const { server } = place();
  server.refuse = (call) => (call === 'b2_upload_file' ? new Refusal(403, 'storage_cap_exceeded') : null);
  const backend = place().fresh();
  const checks = await collect(checkDestination(backend, { clock: systemClock, random: seededRandom(1) }));
  server.refuse = () => null;
  expect(checks.map(({ name, ok }) => [name, ok])).toEqual([['write', false]]);
  expect(checks[0]?.message).toContain("the account's storage cap is reached");
  expect(await codeOf(collect(backend.list('')))).toBe('no fault');
});
