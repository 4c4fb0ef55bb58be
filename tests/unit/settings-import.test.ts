import { expect, test } from 'vitest';
import { formerPasswordOf, rconPasswordOf } from '../../main/contract/secret-names.ts';
import { letGoOnBefore, markOf } from '../../main/engine/service/at-rest.ts';
import { keychainCalls } from '../../main/engine/service/keychain-calls.ts';
import type { Resting, ServiceHost } from '../../main/engine/service/ports.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { memorySettings } from '../support/memory-settings.ts';
import { memoryStore, server } from '../support/service-world.ts';

const signal = new AbortController().signal;
const password = rconPasswordOf('survival');

const console = server({ folder: '/srv', quiesce: { kind: 'minecraft', rcon: { host: '127.0.0.1', port: 1 } } as never });

/** A computer whose server is at rest, and a file of settings that goes to it. `goesOn`: its console can be told to. */
async function importing(servers: readonly object[], goesOn = true) {
  const content = JSON.stringify({ holdfast: 'settings', settings: { version: 1, servers }, secrets: { [password]: 'new' } });
  const memory = memorySettings({}, { unseal: () => Promise.resolve(content) });
  memory.secrets.set(password, 'old');
  const store = memoryStore(0);
  const { slug, name, quiesce } = console;
  await store.setResting([{ slug, name, quiesce, removed: false }]);
  const told: string[] = [];
  const letGoOn = async (which: string): Promise<void> => {
    told.push(`${which} with ${memory.secrets.get(password) ?? ''}`);
    if (goesOn) await store.setResting([]);
  };
  const calls = keychainCalls(
    memory.host,
    () => undefined,
    () => undefined,
    (names) => letGoOnBefore(names, { store, letGoOn, keychain: () => memory.host.keychain() }),
  );
  const taken = calls['settings.import']({ file: '', passphrase: 'x' }, signal);
  return { memory, told, taken, store, calls };
}

test('a server that is at rest is told to go on with the password that it had, before the imported one takes its place', async () => {
  const { memory, told, taken } = await importing([]);
  await taken;
  expect([told, memory.secrets.get(password)]).toEqual([['survival with old'], 'new']);
});

test('one that could not be told keeps that password beside the imported one until it has gone on, and no export takes it along', async () => {
  const { memory, taken, store, calls } = await importing([], false);
  await taken;
  const former = formerPasswordOf(console) ?? '';
  expect([memory.secrets.get(password), memory.secrets.get(former), store.resting()]).toMatchObject(['new', 'old', [{ former: true }]]);
  let sealed = '';
  Object.assign(memory.host, { seal: (content: string) => Promise.resolve(Buffer.from((sealed = content))) });
  await calls['settings.export']({ passphrase: 'x' }, signal);
  expect([sealed.includes('"new"'), sealed.includes('"old"')]).toEqual([true, false]);
  // A third password does not take the place of the one that the console has.
  await letGoOnBefore([password], { store, letGoOn: () => Promise.resolve(), keychain: () => memory.host.keychain() });
  expect(memory.secrets.get(former)).toBe('old');

  const forgotten: (string | null)[] = [];
  const forgetFormer = (resting: Resting): Promise<void> => Promise.resolve(void forgotten.push(formerPasswordOf(resting)));
  const mark = markOf({ store, forgetFormer } as unknown as ServiceHost, console);
  // Brought to rest once more in between, it still has two.
  await mark(true);
  expect(store.resting()).toMatchObject([{ former: true }]);
  await mark(false);
  expect([forgotten, store.resting()]).toEqual([[former], []]);
});

test('a try that came no further than the word of a former password is made good by the next one', async () => {
  const { memory, taken, store } = await importing([], false);
  await taken;
  const former = formerPasswordOf(console) ?? '';
  memory.secrets.delete(former);
  memory.secrets.set(password, 'old');
  expect(store.resting()).toMatchObject([{ former: true }]);
  await letGoOnBefore([password], { store, letGoOn: () => Promise.resolve(), keychain: () => memory.host.keychain() });
  expect(memory.secrets.get(former)).toBe('old');
});

test('settings that cannot be used leave the secrets as they are', async () => {
  const { memory, told, taken } = await importing([server({ folder: '/srv', destinations: ['nowhere'] })]);
  expect(await codeOf(taken)).toBe('config-invalid');
  expect([told, memory.secrets.get(password)]).toEqual([[], 'old']);
});
