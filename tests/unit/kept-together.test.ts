import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { settingsFile, type SettingsFile } from '../../main/adapters/config/settings-file.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import type { DestinationSettings } from '../../main/contract/destination-settings.ts';
import { editedDestinationSchema } from '../../main/contract/destinations.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Engine } from '../../main/engine/engine.ts';
import { destinationCalls, type DestinationCalls } from '../../main/engine/service/destination-calls.ts';
import { keepRefreshToken } from '../../main/engine/service/kept-together.ts';
import type { Keychain } from '../../main/engine/service/keychain.ts';
import type { OpenDestination } from '../../main/engine/engine.ts';
import { signInCalls, type SignInCalls } from '../../main/engine/service/sign-in-calls.ts';
import type { KeptClient } from '../../main/engine/service/settings-ports.ts';
import type { SignIns } from '../../main/engine/service/sign-ins.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { settle } from '../support/fake-clock.ts';
import { memorySettings, type MemorySettings } from '../support/memory-settings.ts';
import { server } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

const drive: DestinationSettings = { provider: 'google-drive', folder: 'Backups', clientId: 'mine' };
const { signal } = new AbortController();

let memory: MemorySettings;
let keychain: Keychain;
let calls: DestinationCalls & SignInCalls;
let brought: DestinationSettings;
let begunWith: KeptClient | undefined;
/** Awaited before the next change of the keychain. */
let beforeSet: () => Promise<void>;
let beforeLook: () => void;

const signIns = {
  brought: () => ({ settings: brought, secrets: { refreshToken: 'new token' }, at: 77 }),
  forget: () => undefined,
  start: async (_provider: unknown, begin: (signal: AbortSignal) => Promise<unknown>) => {
    await begin(signal);
    return { id: 'one', link: '', expiresAt: 0 };
  },
} as unknown as SignIns;

beforeEach(async () => {
  beforeSet = () => Promise.resolve();
  beforeLook = () => undefined;
  brought = drive;
  memory = memorySettings(
    { destinations: { home: { settings: drive, signedInAt: 5 } } },
    {
      beginSignIn: ({ kept }) => {
        begunWith = kept;
        return Promise.reject(new Fault('cancelled', 'seen'));
      },
      openWith: () => Promise.resolve({} as OpenDestination),
    },
  );
  for (const [name, value] of Object.entries({ clientSecret: 'secret', refreshToken: 'token', password: 'words' }))
    memory.secrets.set(`destination/home/${name}`, value);
  const kept = await memory.host.keychain();
  keychain = {
    ...kept,
    names: () => {
      beforeLook();
      return kept.names();
    },
    set: async (secrets) => {
      await beforeSet();
      await kept.set(secrets);
    },
  };
  const host = new Proxy(memory.host, {
    get: (target, name, self): unknown => (name === 'keychain' ? () => Promise.resolve(keychain) : Reflect.get(target, name, self)),
  });
  const engine = { hasVault: () => Promise.resolve(false), ensureVault: () => Promise.resolve() } as unknown as Engine;
  const nothing = (): undefined => undefined;
  calls = {
    ...destinationCalls({ host, engine, signIns, changed: nothing, moved: nothing, checking: nothing }),
    ...signInCalls(host, signIns, nothing),
  };
});

const kept = (): Readonly<Record<string, string>> => Object.fromEntries(memory.secrets);

describe('a destination that is being removed', () => {
  const edited = editedDestinationSchema.parse({ name: 'home', secrets: { clientSecret: 'other' } });
  test.each([
    ['a sign-in', () => calls['destination.signIn']({ name: 'home', signIn: 'one' }, signal)],
    ['an edit', () => calls['destination.edit'](edited, signal)],
    ['a password', () => calls['destination.setPassword']({ name: 'home', password: 'other' }, signal)],
  ] as const)('does not come back by %s, and leaves no secret', async (_, change) => {
    const [reached, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    beforeSet = async () => {
      beforeSet = () => Promise.resolve();
      reached.resolve();
      await goOn.promise;
    };
    const removing = calls['destination.remove']({ name: 'home' }, signal);
    await reached.promise;
    const changing = codeOf(change());
    await settle();
    goOn.resolve();
    await removing;
    expect(await changing).toBe('not-found');
    expect([memory.current().destinations, kept()]).toEqual([{}, {}]);
  });

  test('stays with all its secrets where a server has come to need it meanwhile, or where they cannot be removed', async () => {
    const before = [memory.current().destinations, kept()];
    beforeSet = () => Promise.reject(new Fault('locked', 'the keychain is locked'));
    expect(await codeOf(calls['destination.remove']({ name: 'home' }, signal))).toBe('locked');
    expect([memory.current().destinations, kept()]).toEqual(before);
    beforeSet = () => Promise.resolve();
    const wanted = server({ folder: '/srv', destinations: ['home'] });
    beforeLook = () => void memory.host.settings.update((all) => ({ ...all, servers: [wanted] }));
    expect(await codeOf(calls['destination.remove']({ name: 'home' }, signal))).toBe('config-invalid');
    expect([memory.current().destinations, kept()]).toEqual(before);
  });
});

test('of two who add one name at once, the one who does not get it leaves nothing of its secrets', async () => {
  const add = (password: string): Promise<unknown> =>
    calls['destination.add']({ name: 'nas', settings: { provider: 'folder', path: `/mnt/${password}` }, secrets: {}, password }, signal);
  const both = await Promise.all([codeOf(add('one')), codeOf(add('two'))]);
  expect(both).toEqual(['no fault', 'already-exists']);
  expect([memory.current().destinations['nas']?.settings, kept()['destination/nas/password']]).toEqual([
    { provider: 'folder', path: '/mnt/one' },
    'one',
  ]);
});

describe('a sign-in again', () => {
  test('is begun with what is kept, and told with which client that goes', async () => {
    const settings = { ...drive, clientId: 'other' };
    expect(await codeOf(calls['signIn.start']({ settings, destination: 'home' }, signal))).toBe('cancelled');
    expect(begunWith).toEqual({ secrets: { clientSecret: 'secret', refreshToken: 'token' }, clientId: 'mine' });
  });

  test('with another client takes the secret of the former one away; with the same one it stays', async () => {
    await calls['destination.signIn']({ name: 'home', signIn: 'one' }, signal);
    expect(kept()).toMatchObject({ 'destination/home/clientSecret': 'secret', 'destination/home/refreshToken': 'new token' });
    brought = { ...drive, clientId: 'other' };
    await calls['destination.signIn']({ name: 'home', signIn: 'one' }, signal);
    expect(kept()).toEqual({ 'destination/home/refreshToken': 'new token', 'destination/home/password': 'words' });
    expect(memory.current().destinations['home']).toEqual({ settings: brought, signedInAt: 77 });
  });

  test('is not given to one of another kind that has come under its name', async () => {
    brought = { provider: 'dropbox', folder: 'Backups', appKey: 'key' };
    expect(await codeOf(calls['destination.signIn']({ name: 'home', signIn: 'one' }, signal))).toBe('config-invalid');
    expect(kept()['destination/home/refreshToken']).toBe('token');
  });
});

test.each([
  ['is kept', 5, 'newer'],
  ['of an earlier sign-in is not', 4, 'token'],
] as const)('a token that the provider has renewed %s', async (_, signedInAt, expected) => {
  const places = { settings: memory.host.settings, keychain: () => Promise.resolve(keychain) };
  await keepRefreshToken(places, 'home', signedInAt, 'newer');
  expect(kept()['destination/home/refreshToken']).toBe(expected);
  await keepRefreshToken(places, 'removed', signedInAt, 'newer');
  expect(kept()['destination/removed/refreshToken']).toBeUndefined();
});

test('two processes are kept apart, and each sees what the other has written', async () => {
  const base = tempFolder();
  const open = (): SettingsFile =>
    settingsFile({ folder: join(base, 'config'), stateDir: () => Promise.resolve(join(base, 'state')), clock: systemClock });
  const [one, other] = [open(), open()];
  const [reached, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const order: string[] = [];
  const first = one.alone(async () => {
    reached.resolve();
    await goOn.promise;
    await one.update((all) => ({ ...all, destinations: { home: { settings: drive } } }));
    order.push('first');
  });
  await reached.promise;
  const second = other.alone((now) => Promise.resolve(void order.push(...Object.keys(now.destinations))));
  goOn.resolve();
  await Promise.all([first, second]);
  expect(order).toEqual(['first', 'home']);
});
