import { Fault } from '../../main/contract/faults.ts';
import { settingsSchema, type Settings } from '../../main/contract/settings.ts';
import type { Keychain } from '../../main/engine/service/keychain.ts';
import type { LiveSettings, SettingsHost } from '../../main/engine/service/settings-ports.ts';

export interface MemorySettings {
  readonly host: SettingsHost;
  readonly secrets: Map<string, string>;
  /** The keychain refuses everything while it says so. */
  locked: boolean;
  current(): Settings;
}

/** Settings and secrets of a service without a file; what only a real computer has is refused unless it is given. */
export function memorySettings(first: Partial<Settings>, more: Partial<SettingsHost> = {}): MemorySettings {
  let now: Settings = settingsSchema.parse({ version: 1, ...first });
  const secrets = new Map<string, string>();
  let change = new AbortController();
  let turn: Promise<unknown> = Promise.resolve();
  const settings: LiveSettings = {
    current: () => now,
    problem: () => '',
    refresh: () => Promise.resolve(),
    changed: () => change.signal,
    alone: (work) => {
      const done = turn.then(() => work(now));
      turn = Promise.allSettled([done]);
      return done;
    },
    update: (changed) => {
      now = changed(now);
      change.abort();
      change = new AbortController();
      return Promise.resolve(now);
    },
  };
  const open = async <T>(work: () => T): Promise<T> => {
    if (memory.locked) throw new Fault('locked', 'the keychain is locked', { context: { keychain: 'sealed-file' } });
    return work();
  };
  const keychain: Keychain = {
    describe: () => Promise.resolve({ kind: 'sealed-file', strong: true, locked: memory.locked, says: 'in memory' }),
    exists: () => Promise.resolve(true),
    get: (name) => open(() => secrets.get(name) ?? null),
    names: () => open(() => [...secrets.keys()]),
    set: (changes) =>
      open(() => {
        for (const [name, value] of Object.entries(changes)) {
          if (value === null) secrets.delete(name);
          else secrets.set(name, value);
        }
      }),
  };
  const given: Partial<SettingsHost> = {
    settings,
    keychain: () => Promise.resolve(keychain),
    realPlace: (path) => Promise.resolve(path),
    labelOf: (at) => JSON.stringify(at),
    ...more,
  };
  const host = new Proxy(given as SettingsHost, {
    get: (target, name, self): unknown =>
      Reflect.get(target, name, self) ??
      (() => {
        throw new Fault('unsupported', `${String(name)} was not given to this test`);
      }),
  });
  const memory: MemorySettings = { host, secrets, locked: false, current: () => now };
  return memory;
}
