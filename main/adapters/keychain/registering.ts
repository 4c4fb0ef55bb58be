import type { Keychain } from '../../engine/service/keychain.ts';

/** Tells of every secret that goes in or out, so that what writes texts can hide it. */
export function registering(inner: Keychain, register: (secret: string) => void): Keychain {
  return {
    ...inner,
    async get(name) {
      const value = await inner.get(name);
      if (value !== null) register(value);
      return value;
    },
    ...(inner.given === undefined
      ? {}
      : {
          given: async () => {
            const all = (await inner.given?.()) ?? [];
            for (const value of all) register(value);
            return all;
          },
        }),
    async set(secrets) {
      for (const value of Object.values(secrets)) if (value !== null) register(value);
      await inner.set(secrets);
    },
  };
}
