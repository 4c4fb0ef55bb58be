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

const onLinux = process.platform === 'linux';

/** Never shown: it is there to be asked for. */
const witness = 'holdfast/open';

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
  /** As it was found when it was used last. */
  let lastLocked: boolean | undefined;

  const loaded = (): Promise<Keyring> => (keyring ??= load());

  async function lookUnlocked(): Promise<KeyringLook | null> {
    const seen = await look(service);
    if (seen?.locked === true) throw new Error('the keyring says that it is locked');
    return seen;
  }

  /**
   * A locked Secret Service answers “nothing” to whoever asks for a secret, and libsecret under keytar ends the process when it looks for all of
   * them. So it is looked at first; where nobody tells, one of ours that must be there is asked for, as only a change is refused.
   */
  async function opened(): Promise<{ readonly ring: Keyring; readonly seen: KeyringLook | null }> {
    const seen = await lookUnlocked();
    const ring = await loaded();
    if (seen === null && onLinux && (await ring.getPassword(service, witness)) !== 'yes') await ring.setPassword(service, witness, 'yes');
    return { ring, seen };
  }

  const names = (): Promise<readonly string[]> =>
    ask(async (ring, seen) => {
      const all = (await seen?.names()) ?? (await ring.findCredentials(service)).map(({ account }) => account);
      return all.filter((account) => account !== witness);
    });

  const ask = <T>(work: (ring: Keyring, seen: KeyringLook | null) => Promise<T>): Promise<T> =>
    told(async () => {
      const { ring, seen } = await opened();
      return await work(ring, seen);
    });

  async function told<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      lastLocked = false;
      return result;
    } catch (error) {
      keyring = undefined;
      lastLocked = true;
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

  return {
    async describe() {
      const seen = await look(service).catch(() => null);
      // Where nobody tells, a question may put one to the person at the desktop: what is known is not asked again.
      if (seen?.locked === false || (seen === null && lastLocked === undefined)) await ask(() => Promise.resolve()).catch(() => undefined);
      return { kind: 'system', strong: true, locked: seen?.locked === true || lastLocked === true, says: `in the ${where} of this user` };
    },
    // A change that does no harm makes the desktop ask its person to unlock.
    open: () => told(async () => await (await loaded()).setPassword(service, witness, 'yes')),
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
  return onLinux ? await lookAtSecretService(service) : null;
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
