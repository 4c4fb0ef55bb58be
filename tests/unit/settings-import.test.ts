import { expect, test } from 'vitest';
import { rconPasswordOf } from '../../main/contract/secret-names.ts';
import { letGoOnBefore } from '../../main/engine/service/at-rest.ts';
import { keychainCalls } from '../../main/engine/service/keychain-calls.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { memorySettings } from '../support/memory-settings.ts';
import { memoryStore, server } from '../support/service-world.ts';

const signal = new AbortController().signal;
const password = rconPasswordOf('survival');

/** A computer whose server is at rest, and a file of settings that goes to it. */
async function importing(servers: readonly object[]) {
  const content = JSON.stringify({ holdfast: 'settings', settings: { version: 1, servers }, secrets: { [password]: 'new' } });
  const memory = memorySettings({}, { unseal: () => Promise.resolve(content) });
  memory.secrets.set(password, 'old');
  const store = memoryStore(0);
  const { quiesce } = server({ folder: '/srv', quiesce: { kind: 'systemd', unit: 'a.service', user: false } });
  await store.setResting([{ slug: 'survival', name: 'Survival', quiesce, removed: false }]);
  const told: string[] = [];
  const letGoOn = (slug: string): Promise<void> => Promise.resolve(void told.push(`${slug} with ${memory.secrets.get(password) ?? ''}`));
  const calls = keychainCalls(
    memory.host,
    () => undefined,
    () => undefined,
    (names) => letGoOnBefore(names, store, { letGoOn }),
  );
  const taken = calls['settings.import']({ file: '', passphrase: 'x' }, signal);
  return { memory, told, taken };
}

test('a server that is at rest is told to go on with the password that it had, before the imported one takes its place', async () => {
  const { memory, told, taken } = await importing([]);
  await taken;
  expect([told, memory.secrets.get(password)]).toEqual([['survival with old'], 'new']);
});

test('settings that cannot be used leave the secrets as they are', async () => {
  const { memory, told, taken } = await importing([server({ folder: '/srv', destinations: ['nowhere'] })]);
  expect(await codeOf(taken)).toBe('config-invalid');
  expect([told, memory.secrets.get(password)]).toEqual([[], 'old']);
});
