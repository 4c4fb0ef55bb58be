import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { DestinationSettings } from '../../main/contract/destination-settings.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Job } from '../../main/contract/jobs.ts';
import type { ScheduleSettings } from '../../main/contract/schedule-settings.ts';
import type { SignIn } from '../../main/contract/sign-in-calls.ts';
import { isSignedInSince } from '../../main/engine/service/facts.ts';
import type { BegunSignIn, Secrets } from '../../main/engine/service/settings-ports.ts';
import { createSignIns, type SignIns, type SignInsHost } from '../../main/engine/service/sign-ins.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { fakeClock, settle, type FakeClock } from '../support/fake-clock.ts';
import { memoryStore, serviceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

const drive: DestinationSettings = { provider: 'google-drive', folder: 'Backups', clientId: 'mine' };
const minute = 60_000;

let clock: FakeClock;
let ended: SignIn[];
let hidden: string[];
let signIns: SignIns;
let browser: PromiseWithResolvers<Secrets>;
let closed: number;

function begun(): BegunSignIn {
  browser = Promise.withResolvers();
  browser.promise.catch(() => undefined);
  const { promise, resolve, reject } = browser;
  return {
    ...{ link: 'https://example.org/sign-in', expiresAt: clock.now() + 5 * minute, settings: drive },
    clientSecrets: { clientSecret: 'planted-secret' },
    finished: () => promise,
    answer: (address) => {
      if (!address.startsWith('http://127.0.0.1')) throw new Fault('config-invalid', 'no such address');
      if (address.endsWith('no')) reject(new Fault('permission-denied', 'the person said no'));
      else resolve({ refreshToken: 'planted-token' });
    },
    close: () => Promise.resolve(void (closed += 1)),
  };
}

function open(more: Partial<SignInsHost> = {}): void {
  signIns = createSignIns({
    ...{ clock, random: systemRandom },
    accountOf: async () => ({ name: 'person@example.org', usedBytes: 5 }),
    onEnd: (signIn) => void ended.push(signIn),
    register: (secret) => void hidden.push(secret),
    ...more,
  });
}

beforeEach(() => {
  clock = fakeClock();
  [ended, hidden, closed] = [[], [], 0];
  open();
});

const start = async (): Promise<string> => (await signIns.start('google-drive', () => Promise.resolve(begun()))).id;

describe('a sign-in', () => {
  test('waits, is done with its account, and tells so once; its secrets are hidden and stay inside', async () => {
    const id = await start();
    expect(signIns.get(id)).toEqual({ id, state: 'waiting', account: null, fault: null });
    expect(() => signIns.brought(id, 'google-drive')).toThrow('not finished');
    browser.resolve({ refreshToken: 'planted-token' });
    await settle();
    const done = { id, state: 'done', account: { name: 'person@example.org', usedBytes: 5, quotaBytes: null }, fault: null };
    expect([signIns.get(id), ended]).toEqual([done, [done]]);
    expect(hidden.sort()).toEqual(['planted-secret', 'planted-token']);
    expect(signIns.brought(id, 'google-drive')).toMatchObject({
      secrets: { clientSecret: 'planted-secret', refreshToken: 'planted-token' },
      settings: drive,
      at: clock.now(),
    });
    expect(() => signIns.brought(id, 'dropbox')).toThrow('with google-drive');
  });

  test('is forgotten ten minutes after it was done, or once its secrets have found their place', async () => {
    for (const forgets of [() => clock.advance(10 * minute), (id: string) => Promise.resolve(signIns.forget(id))]) {
      const id = await start();
      browser.resolve({ refreshToken: 'planted-token' });
      await settle();
      await clock.advance(10 * minute - 1);
      expect(signIns.get(id).state).toBe('done');
      await forgets(id);
      expect(() => signIns.get(id)).toThrow('unknown');
      expect(() => signIns.brought(id, 'google-drive')).toThrow('unknown');
    }
    expect(clock.sleepers()).toEqual([]);
  });

  test('a token that the provider changes while it tells of the account is the one that counts', async () => {
    open({
      accountOf: (_settings, _secrets, { onRefreshToken }) => {
        onRefreshToken('planted-newer');
        return Promise.reject(new Fault('permission-denied', 'the account may not be looked at'));
      },
    });
    const id = await start();
    browser.resolve({ refreshToken: 'planted-token' });
    await settle();
    expect(signIns.get(id)).toMatchObject({ state: 'done', account: null });
    expect(signIns.brought(id, 'google-drive').secrets['refreshToken']).toBe('planted-newer');
    expect(hidden).toContain('planted-newer');
  });

  test('a wrong address that is pasted changes nothing, the right one ends it, a refusal fails it', async () => {
    const id = await start();
    expect(await codeOf(signIns.paste(id, 'https://example.org'))).toBe('config-invalid');
    expect(signIns.get(id).state).toBe('waiting');
    await signIns.paste(id, 'http://127.0.0.1:1/?code=x');
    expect(signIns.get(id).state).toBe('done');
    expect(await codeOf(signIns.paste(id, 'http://127.0.0.1:1/?code=x'))).toBe('config-invalid');
    const other = await start();
    await signIns.paste(other, 'http://127.0.0.1:1/no');
    expect(signIns.get(other)).toMatchObject({ state: 'failed', fault: { code: 'permission-denied' } });
  });

  test('one that is cancelled brings nothing, also when the browser comes back after all', async () => {
    const id = await start();
    await signIns.cancel(id);
    browser.resolve({ refreshToken: 'planted-token' });
    await settle();
    expect([signIns.get(id).state, closed, ended.map(({ state }) => state)]).toEqual(['cancelled', 1, ['cancelled']]);
    expect(() => signIns.brought(id, 'google-drive')).toThrow('not finished');
  });

  test('the newest counts: another one with the same provider gives up the one that waits, and frees its port first', async () => {
    const first = await start();
    const order: string[] = [];
    await signIns.start('google-drive', () => {
      order.push(`${closed} closed`);
      return Promise.resolve(begun());
    });
    expect([order, signIns.get(first).state]).toEqual([['1 closed'], 'cancelled']);
  });

  test('nothing is left when the service ends', async () => {
    const id = await start();
    await signIns.close();
    expect([closed, clock.sleepers()]).toEqual([1, []]);
    expect(() => signIns.get(id)).toThrow('unknown');
  });
});

describe('after somebody has signed in again', () => {
  const failed = (endedAt: number, more: Partial<Job> = {}): Job => ({
    ...{ id: 'a', kind: 'backup', server: 'survival', destination: null, state: 'failed', reason: 'schedule', snapshot: null },
    ...{ queuedAt: endedAt, startedAt: endedAt, endedAt, progress: null, summary: '', unchanged: false, bytes: 0, storedBytes: 0 },
    ...{ warnings: [], fault: new Fault('sign-in-needed', 'sign in', { context: { destination: 'here' } }).toWire() },
    ...more,
  });

  test('only a failure for that reason, in that place, before it, is over', () => {
    const at = (time: number | null) => (destination: string) => (destination === 'here' ? time : null);
    expect(isSignedInSince(failed(5), at(6))).toBe(true);
    expect(isSignedInSince(failed(5, { kind: 'verify', destination: 'here' }), at(6))).toBe(true);
    expect(isSignedInSince(failed(7), at(6))).toBe(false);
    expect(isSignedInSince(failed(5), at(null))).toBe(false);
    expect(isSignedInSince(failed(5, { destination: 'there' }), at(6))).toBe(false);
    expect(isSignedInSince(failed(5, { fault: new Fault('corrupt', 'x').toWire() }), at(6))).toBe(false);
    expect(isSignedInSince(null, at(6))).toBe(false);
  });

  test('the state is sign-in-needed no more, and the missed backup runs by itself', async () => {
    const now = Date.UTC(2026, 10, 24, 12, 0);
    const before = now - 8 * 3_600_000;
    const store = memoryStore(now - 40 * 3_600_000);
    store.putJob(failed(before));
    store.changeFacts('survival', {
      lastSuccess: now - 32 * 3_600_000,
      failures: { count: 1, at: before, mayPass: false },
    });
    let signedIn: number | null = null;
    const folder = tempFolder();
    writeFileSync(join(folder, 'level.dat'), 'blocks');
    const schedule: ScheduleSettings = { kind: 'daily', at: ['04:00'] };
    const world = serviceWorld({
      ...{ folder, store, now },
      servers: [{ schedule, verify: 'never', drill: 'never' }],
      host: { signedInAt: () => signedIn },
    });
    const stop = new AbortController();
    const running = world.service.run(stop.signal);
    await world.clock.untilSomebodySleeps();
    await world.clock.advance(3 * minute);
    expect([world.service.status('survival').state, world.store.puts.length]).toEqual(['sign-in-needed', 1]);
    signedIn = world.clock.now();
    world.service.settingsChanged();
    expect(world.service.status('survival')).toMatchObject({ state: 'late', why: expect.stringContaining('signed in again') as string });
    const ended = world.ended('backup');
    await world.clock.advance(minute);
    expect(await ended).toMatchObject({ state: 'done', reason: 'catch-up' });
    await settle();
    expect(world.service.status('survival').state).toBe('ok');
    stop.abort();
    await running;
  });

  test('a missed backup that a person cancels then does not begin again by itself, until somebody signs in once more', async () => {
    const now = Date.UTC(2026, 10, 24, 12, 0);
    const store = memoryStore(now - 40 * 3_600_000);
    store.putJob(failed(now - 8 * 3_600_000));
    store.changeFacts('survival', {
      lastSuccess: now - 32 * 3_600_000,
      failures: { count: 1, at: now - 8 * 3_600_000, mayPass: false },
    });
    let signedIn = now - 3_600_000;
    let held = 0;
    const pause = (signal: AbortSignal): Promise<void> =>
      new Promise((_, reject) => {
        held += 1;
        signal.addEventListener('abort', () => reject(new Fault('cancelled', 'cancelled')), { once: true });
      });
    const folder = tempFolder();
    writeFileSync(join(folder, 'level.dat'), 'blocks');
    const rcon = { host: '127.0.0.1', port: 1, timeoutSeconds: 1 };
    const world = serviceWorld({
      ...{ folder, store, now, quiesce: { pause } },
      servers: [
        {
          ...{ schedule: { kind: 'daily', at: ['04:00'] }, verify: 'never', drill: 'never' },
          quiesce: { kind: 'minecraft', rcon, warnPlayersSeconds: 0 },
        },
      ],
      host: { signedInAt: () => signedIn },
    });
    const stop = new AbortController();
    const running = world.service.run(stop.signal);
    await world.clock.untilSomebodySleeps();
    const untilHeld = async (times: number): Promise<void> => {
      while (held < times) await world.clock.advance(minute / 2);
    };
    await untilHeld(1);
    const [job] = await world.service.calls['jobs.list']({ limit: 1 }, stop.signal);
    const ended = world.ended('backup');
    await world.service.calls['job.cancel']({ job: job?.id ?? '' }, stop.signal);
    expect(await ended).toMatchObject({ state: 'cancelled', reason: 'catch-up' });
    for (let times = 0; times < 20; times += 1) await world.clock.advance(minute);
    expect(held).toBe(1);
    signedIn = world.clock.now();
    world.service.settingsChanged();
    await untilHeld(2);
    stop.abort();
    await running;
  });
});
