import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { costOfRandomKey as cost, sealedFileKeychain } from '../../main/adapters/keychain/sealed-file.ts';
import { systemKeyring, type Keyring } from '../../main/adapters/keychain/system-keyring.ts';
import { openableKeychain } from '../../main/compose/service/openable-keychain.ts';
import type { Host } from '../../main/compose/host.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Job } from '../../main/contract/jobs.ts';
import type { ScheduleSettings } from '../../main/contract/schedule-settings.ts';
import { destinationRow, keptNames } from '../../main/engine/service/destination-calls.ts';
import { isOpenedSince } from '../../main/engine/service/facts.ts';
import type { Keychain } from '../../main/engine/service/keychain.ts';
import { keychainCalls } from '../../main/engine/service/keychain-calls.ts';
import { unlessLocked } from '../../main/engine/service/kept-secrets.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { world as realEngine } from '../support/engine-on-memory.ts';
import { settle } from '../support/fake-clock.ts';
import { memorySettings } from '../support/memory-settings.ts';
import { memoryStore, serviceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

const signal = new AbortController().signal;

/** A service that nobody gave a passphrase to, and its key file. */
function lockedService() {
  const path = join(tempFolder(), 'keys.sealed');
  const nobody = () => Promise.reject(new Fault('config-invalid', 'there is no terminal to ask on'));
  let inForce: Keychain = sealedFileKeychain({ path, passphrase: nobody, cost });
  const opened: string[] = [];
  const { host } = memorySettings(
    {},
    {
      keychain: () =>
        openableKeychain({ openKeychain: () => Promise.resolve(inForce) } as Pick<Host, 'openKeychain'> as Host, 'sealed-file', true),
      keychainOf: async (_kind, passphrase = '') => {
        const other = sealedFileKeychain({ path, passphrase: () => Promise.resolve(passphrase), cost });
        if (await other.exists()) await other.names();
        inForce = other;
        return other;
      },
    },
  );
  const calls = keychainCalls(
    host,
    () => undefined,
    () => void opened.push('opened'),
    () => Promise.resolve(),
  );
  return { host, opened, calls, seal: (word: string) => sealedFileKeychain({ path, passphrase: () => Promise.resolve(word), cost }) };
}

describe('a key file that is locked', () => {
  test('says so, opens with its passphrase and no other, and stays open', async () => {
    const { host, opened, calls, seal } = lockedService();
    await seal('open sesame').set({ 'destination/nas/password': 'words' });
    expect(await calls['keychain.describe']({}, signal)).toMatchObject({ kind: 'sealed-file', locked: true, exists: true });
    expect(await codeOf(calls['keychain.open']({}, signal))).toBe('config-invalid');
    expect(await codeOf(calls['keychain.open']({ passphrase: 'open barley' }, signal))).toBe('wrong-password');
    expect([opened, await codeOf((await host.keychain()).get('destination/nas/password'))]).toEqual([[], 'locked']);
    expect(await calls['keychain.open']({ passphrase: 'open sesame' }, signal)).toMatchObject({ locked: false });
    expect([opened, await (await host.keychain()).get('destination/nas/password')]).toEqual([['opened'], 'words']);
    // A wrong one later on takes nothing away.
    expect(await codeOf(calls['keychain.open']({ passphrase: 'open barley' }, signal))).toBe('wrong-password');
    expect(await (await host.keychain()).get('destination/nas/password')).toBe('words');
  });

  test('is made by the first passphrase, which it keeps to', async () => {
    const { calls, seal } = lockedService();
    expect(await calls['keychain.describe']({}, signal)).toMatchObject({ locked: false, exists: false });
    await calls['keychain.open']({ passphrase: 'the first one' }, signal);
    expect(await codeOf(seal('another').names())).toBe('wrong-password');
    expect(await seal('the first one').names()).toEqual([]);
  });

  test('keeps nobody from seeing what there is', async () => {
    const { host, seal } = lockedService();
    await seal('open sesame').set({ 'destination/nas/password': 'words' });
    const kept = await keptNames(host);
    expect(kept).toBeNull();
    const row = destinationRow('nas', { settings: { provider: 'folder', path: '/mnt' } }, kept);
    expect(row).toMatchObject({ name: 'nas', secrets: [], hasPassword: null });
    expect(await codeOf(unlessLocked(() => Promise.reject(new Fault('corrupt', 'x')), null))).toBe('corrupt');
  });
});

describe('a keyring that is locked', () => {
  /** As libsecret under keytar does it: nothing is there, changes are refused, and looking for all ends the process. */
  function ring() {
    const kept = new Map<string, string>();
    const it = { locked: false, asked: 0 };
    const keyring: Keyring = {
      getPassword: async (_service, account) => {
        it.asked += 1;
        return it.locked ? null : (kept.get(account) ?? null);
      },
      setPassword: async (_service, account, password) => {
        if (it.locked) throw new Error('Cannot create an item in a locked collection');
        kept.set(account, password);
      },
      deletePassword: async (_service, account) => !it.locked && kept.delete(account),
      findCredentials: async () => {
        if (it.locked) throw new Error('a segmentation fault');
        return [...kept].map(([account, password]) => ({ account, password }));
      },
    };
    return {
      it,
      kept,
      keychain: systemKeyring(
        'Holdfast',
        () => Promise.resolve(keyring),
        () => Promise.resolve(null),
      ),
    };
  }

  test('is a fault that passes, never an empty answer; what is there for that alone is not listed', async () => {
    const { it, keychain } = ring();
    await keychain.set({ 'destination/one/key': 'x' });
    expect(await keychain.names()).toEqual(['destination/one/key']);
    it.locked = true;
    for (const work of [keychain.get('destination/one/key'), keychain.names(), keychain.exists(), keychain.set({ a: null })])
      expect(await codeOf(work)).toBe('locked');
    expect(await keychain.describe()).toMatchObject({ locked: true });
    it.locked = false;
    expect(await keychain.get('destination/one/key')).toBe('x');
    expect(await keychain.describe()).toMatchObject({ locked: false });
  });

  test('is asked once only by who describes it: where the bus does not tell, each question is one to the person at the desktop', async () => {
    const { it, keychain } = ring();
    it.locked = true;
    for (let time = 0; time < 3; time += 1) expect(await keychain.describe()).toMatchObject({ locked: true });
    expect(it.asked).toBe(1);
  });
});

describe('once the keychain is open', () => {
  const fault = new Fault('locked', 'the keychain is locked', { context: { keychain: 'sealed-file' } }).toWire();
  const failed = (endedAt: number, more: Partial<Job> = {}): Job => ({
    ...{ id: 'a', kind: 'backup', server: 'survival', destination: null, state: 'failed', reason: 'schedule', snapshot: null, fault },
    ...{
      queuedAt: endedAt,
      startedAt: endedAt,
      endedAt,
      progress: null,
      summary: '',
      unchanged: false,
      bytes: 0,
      storedBytes: 0,
      warnings: [],
    },
    ...more,
  });

  test('only what failed for it, and before it, is over', () => {
    expect(isOpenedSince(failed(5), 6)).toBe(true);
    expect(isOpenedSince(failed(7), 6)).toBe(false);
    expect(isOpenedSince(failed(5), null)).toBe(false);
    expect(isOpenedSince(failed(5, { fault: new Fault('locked', 'a run is under way').toWire() }), 6)).toBe(false);
    expect(isOpenedSince(null, 6)).toBe(false);
  });

  test('a backup that failed for it is tried again by the schedule alone, after 10 minutes and 20, and goes well where it opens by itself', async () => {
    const path = join(tempFolder(), 'keys.sealed');
    await sealedFileKeychain({ path, passphrase: () => Promise.resolve('open sesame'), cost }).set({
      'destination/here/password': 'words',
    });
    let isThere = false;
    const passphrase = (): Promise<string> =>
      isThere ? Promise.resolve('open sesame') : Promise.reject(new Fault('config-invalid', 'the file with the passphrase is not there'));
    const opening = { openKeychain: () => Promise.resolve(sealedFileKeychain({ path, passphrase, cost })) } as Pick<
      Host,
      'openKeychain'
    > as Host;
    const folder = tempFolder();
    writeFileSync(join(folder, 'level.dat'), 'blocks');
    const engine = realEngine();
    const world = serviceWorld({
      ...{ folder, engine, servers: [{ schedule: { kind: 'daily', at: ['23:00'] }, verify: 'never', drill: 'never' }] },
      host: {
        openDestination: async () => {
          expect(await (await openableKeychain(opening, 'sealed-file', true)).get('destination/here/password')).toBe('words');
          return engine.destination;
        },
      },
    });
    const stop = new AbortController();
    const running = world.service.run(stop.signal);
    await world.clock.untilSomebodySleeps();
    const ends: Job[] = [];
    world.service.subscribe((event) => {
      if (event.event === 'job' && event.data.endedAt !== null) ends.push(event.data);
    });
    /** Time passes until so many runs have ended; while one is at work it stands still. */
    const untilEnded = async (count: number): Promise<string> => {
      for (let look = 0; ends.length < count && look < 1000; look += 1) {
        await world.clock.advance(30_000);
        while (world.store.jobs().some(({ endedAt }) => endedAt === null)) await settle();
      }
      return world.service.status('survival').state;
    };
    expect([await untilEnded(1), await untilEnded(2)]).toEqual(['paused', 'paused']);
    isThere = true;
    expect(await untilEnded(3)).toBe('ok');
    expect(ends.map(({ state, fault }) => fault?.code ?? state)).toEqual(['locked', 'locked', 'done']);
    const [first = 0, second = 0, third = 0] = ends.map(({ queuedAt }) => queuedAt);
    // A server has a delay of its own, the same each time, of up to ten minutes.
    const own = second - first - 10 * 60_000;
    expect(own >= 0 && own <= 10 * 60_000 + 30_000).toBe(true);
    expect(Math.abs(third - second - 20 * 60_000 - own)).toBeLessThanOrEqual(30_000);
    stop.abort();
    await running;
  });

  test('a server is paused no more, and its missed backup runs at the next look', async () => {
    const now = Date.UTC(2026, 10, 24, 12, 0);
    const store = memoryStore(now - 40 * 3_600_000);
    store.putJob(failed(now - 60_000));
    store.changeFacts('survival', { lastSuccess: now - 32 * 3_600_000, failures: { count: 5, at: now - 60_000, mayPass: true } });
    let openedAt: number | null = null;
    const folder = tempFolder();
    writeFileSync(join(folder, 'level.dat'), 'blocks');
    const schedule: ScheduleSettings = { kind: 'daily', at: ['04:00'] };
    const world = serviceWorld({
      ...{ folder, store, now },
      servers: [{ schedule, verify: 'never', drill: 'never' }],
      host: { keychainOpenedAt: () => openedAt },
    });
    const stop = new AbortController();
    const running = world.service.run(stop.signal);
    await world.clock.untilSomebodySleeps();
    await world.clock.advance(3 * 60_000);
    expect([world.service.status('survival').state, world.store.puts.length]).toEqual(['paused', 1]);
    openedAt = world.clock.now();
    world.service.settingsChanged();
    expect(world.service.status('survival')).toMatchObject({ state: 'late', why: expect.stringContaining('open again') as string });
    const ended = world.ended('backup');
    await world.clock.advance(30_000);
    expect(await ended).toMatchObject({ state: 'done', reason: 'catch-up' });
    await settle();
    stop.abort();
    await running;
  });
});
