import { Fault } from '../../contract/faults.ts';
import type { Keychain } from '../../engine/service/keychain.ts';
import { lookAtSecretService, type KeyringLook } from './secret-service.ts';

const where = process.platform === 'darwin' ? 'Keychain' : process.platform === 'win32' ? 'Credential Manager' : 'Secret Service keyring';

/** The part of keytar that is used: kept open for tests of what a locked keyring does. */
export interface Keyring {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  deletePassword(service: string, account: string): Promise<boolean>;
  findCredentials(service: string): Promise<{ account: string; password: string }[]>;
}

/**
 * The keyring that belongs to the user's session: Secret Service on Linux, the Keychain, the Credential Manager. Locked or absent: fault locked,
 * which passes once somebody has unlocked it; never an empty answer. `service`: under which name the keyring shows what is ours.
 */
export function systemKeyring(
  service: string,
  load: () => Promise<Keyring> = loadKeytar,
  look: (service: string) => Promise<KeyringLook | null> = lookAtKeyring,
): Keychain {
  let keyring: Promise<Keyring> | undefined;

  async function lookUnlocked(): Promise<KeyringLook | null> {
    const seen = await look(service);
    if (seen?.locked === true) throw new Error('the keyring says that it is locked');
    return seen;
  }

  async function ask<T>(work: (ring: Keyring, seen: KeyringLook | null) => Promise<T>): Promise<T> {
    try {
      const seen = await lookUnlocked();
      keyring ??= load();
      return await work(await keyring, seen);
    } catch (error) {
      keyring = undefined;
      if (error instanceof Fault) throw error;
      throw new Fault('locked', `the ${where} of this computer is locked or not there`, {
        operation: 'open the keychain',
        persistence: 'temporary',
        context: {
          keychain: 'system',
          next: 'Sign in to the desktop and unlock the keyring; on a computer without one, run “holdfast keychain use sealed-file”.',
        },
        cause: error,
      });
    }
  }

  const names = (): Promise<readonly string[]> =>
    ask(async (ring, seen) => (await seen?.names()) ?? (await ring.findCredentials(service)).map(({ account }) => account));

  return {
    async describe() {
      const locked = await ask(async (ring, seen) => {
        if (seen === null) await ring.findCredentials(service);
      }).then(
        () => false,
        () => true,
      );
      return { kind: 'system', strong: true, locked, says: `in the ${where} of this user` };
    },
    exists: async () => (await names()).length > 0,
    names,
    get: (name) =>
      ask(async (ring) => {
        const value = await ring.getPassword(service, name);
        // It may have been locked meanwhile, and then has nothing for anybody.
        if (value === null) await lookUnlocked();
        return value;
      }),
    set: (secrets) =>
      ask(async (ring) => {
        const before = new Map<string, string | null>();
        try {
          for (const [name, value] of Object.entries(secrets)) {
            before.set(name, await ring.getPassword(service, name));
            await put(ring, service, name, value);
          }
        } catch (error) {
          // All or none of them: what was changed is put back as far as the keyring still answers.
          for (const [name, value] of before) await put(ring, service, name, value);
          throw error;
        }
      }),
  };
}

async function put(ring: Keyring, service: string, name: string, value: string | null): Promise<void> {
  if (value === null) await ring.deletePassword(service, name);
  else await ring.setPassword(service, name, value);
}

/** The Keychain and the Credential Manager say by themselves that they are locked. */
async function lookAtKeyring(service: string): Promise<KeyringLook | null> {
  return process.platform === 'linux' ? await lookAtSecretService(service) : null;
}

async function loadKeytar(): Promise<Keyring> {
  try {
    // A CommonJS module, which is absent where it could not be built.
    return (await import('keytar')).default;
  } catch (error) {
    throw new Fault('unsupported', `the bridge to the ${where} is not there`, {
      operation: 'open the keychain',
      context: {
        next: 'On Debian and Ubuntu: apt-get install libsecret-1-dev, then set up again; or run “holdfast keychain use sealed-file”.',
      },
      cause: error,
    });
  }
}
