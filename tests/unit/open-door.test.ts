import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireLock } from '../../main/adapters/system/lock.ts';
import { composeHost } from '../../main/compose/compose-host.ts';
import type { Host } from '../../main/compose/host.ts';
import { openDoor } from '../../main/compose/open-door.ts';
import { runningService } from '../../main/compose/service/connect.ts';
import { servicePlaces } from '../../main/compose/service/places.ts';
import type { CallReply } from '../../main/contract/calls.ts';
import type { Clock } from '../../main/engine/ports.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { closed, listening } from '../support/clouds/serve.ts';

const info: CallReply<'service.info'> = {
  ...{ version: '0.1.0', startedAt: 1, settingsProblem: '', stateProblem: '', host: 'here', zone: 'UTC', features: [] },
  keychain: { kind: 'system', strong: true, locked: false, says: 'in the keyring' },
};

let base = '';
let server: Server;
let lock: Awaited<ReturnType<typeof acquireLock>>;
/** How often somebody has asked to listen. */
let asked = 0;
/** As many times it is gone at that moment, as one that restarts. */
let gone = 0;

/** What is asked of a service that is just about to restart: it says that it is there, and has gone when it is to be listened to. */
const restarting: RequestListener = (request, response) => {
  request.resume();
  if (request.url === '/api/call/service.info') {
    response.end(JSON.stringify({ ok: true, value: info }));
    return;
  }
  asked += 1;
  if (asked <= gone) response.destroy();
  else response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n');
};

function host(): Host {
  const env = { HOLDFAST_CONFIG_DIR: join(base, 'config'), HOLDFAST_STATE_DIR: join(base, 'state') };
  return { ...composeHost(new AbortController().signal, {}), env };
}

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'holdfast-door-'));
  mkdirSync(join(base, 'config'));
  asked = 0;
  const places = await servicePlaces(host().env);
  lock = await acquireLock(places.stateDir, places.lock);
  server = createServer(restarting);
  const port = await listening(server);
  writeFileSync(join(places.folder, 'token'), `${'a'.repeat(64)}\n`);
  writeFileSync(join(places.folder, 'address.json'), JSON.stringify({ port, pid: process.pid }));
});
afterEach(async () => {
  await closed(server);
  await lock.release();
  rmSync(base, { recursive: true, force: true });
});

/** Rests without waiting, and counts. */
const restful = (): Clock & { readonly rests: number[] } => {
  const rests: number[] = [];
  return { rests, now: () => 0, sleep: async (ms) => void rests.push(ms) };
};

test('a service that restarts when it is to be listened to is tried again', async () => {
  gone = 2;
  const clock = restful();
  const door = await openDoor(host(), {}, clock);
  expect([door.isOwn, asked, clock.rests.length]).toEqual([false, 3, 2]);
  await door.close();
});

test('but not for ever', async () => {
  gone = Infinity;
  const clock = restful();
  expect(await codeOf(openDoor(host(), {}, clock))).toBe('unavailable');
  expect([asked, clock.rests.length]).toEqual([20, 19]);
});

test('a damaged address is as good as none', async () => {
  const places = await servicePlaces(host().env);
  expect(await runningService(places)).not.toBeNull();
  writeFileSync(join(places.folder, 'address.json'), '{"port":');
  const warned = new Promise((settle) => process.once('warning', settle));
  expect(await runningService(places)).toBeNull();
  expect(String(await warned)).toContain('address.json');
});
