import { Fault } from '../../contract/faults.ts';
import type { Keychain } from '../../engine/service/keychain.ts';
import { secretServiceLocked } from './secret-service.ts';

const where = process.platform === 'darwin' ? 'Keychain' : process.platform === 'win32' ? 'Credential Manager' : 'Secret Service keyring';

/** The part of keytar that is used: kept open for tests of what a locked keyring does. */
export interface Keyring {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  deletePassword(service: string, account: string): Promise<boolean>;
  findCredentials(service: string): Promise<{ account: string; password: string }[]>;
}

/** Never shown: it is there to be asked for. */
const witness = 'holdfast/open';

/**
 * The keyring that belongs to the user's session: Secret Service on Linux, the Keychain, the Credential Manager. Locked or absent: fault locked,
 * which passes once somebody has unlocked it; never an empty answer. `service`: under which name the keyring shows what is ours.
 */
export function systemKeyring(
  service: string,
  load: () => Promise<Keyring> = loadKeytar,
  isLocked: (service: string) => Promise<boolean | null> = keyringLocked,
): Keychain {
  let keyring: Promise<Keyring> | undefined;
  /** As it was found when it was used last. */
  let lastLocked: boolean | undefined;

  const loaded = (): Promise<Keyring> => (keyring ??= load());

  /**
   * A locked Secret Service answers “nothing” to whoever asks for a secret, and libsecret under keytar ends the process when it looks for all of
   * them. So the bus is asked first; where nobody tells, one of ours that must be there is looked for, as only a change is refused.
   */
  async function opened(): Promise<Keyring> {
    const locked = await isLocked(service);
    if (locked === true) throw new Error('the keyring says that it is locked');
    const ring = await loaded();
    if (locked === null && (await ring.getPassword(service, witness)) !== 'yes') await ring.setPassword(service, witness, 'yes');
    return ring;
  }

  async function namesIn(ring: Keyring): Promise<readonly string[]> {
    return (await ring.findCredentials(service)).map(({ account }) => account).filter((account) => account !== witness);
  }

  const ask = <T>(work: (ring: Keyring) => Promise<T>): Promise<T> => told(async () => await work(await opened()));

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
      const busSays = await isLocked(service);
      // Where the bus does not tell, a question may put one to the person at the desktop: what is known is not asked again.
      if (busSays === false || (busSays === null && lastLocked === undefined)) await ask(() => Promise.resolve()).catch(() => undefined);
      return { kind: 'system', strong: true, locked: busSays === true || lastLocked === true, says: `in the ${where} of this user` };
    },
    // A change that does no harm makes the desktop ask its person to unlock.
    open: () => told(async () => await (await loaded()).setPassword(service, witness, 'yes')),
    exists: async () => (await ask(namesIn)).length > 0,
    get: (name) =>
      ask(async (ring) => {
        const value = await ring.getPassword(service, name);
        // It may have been locked meanwhile, and then has nothing for anybody.
        if (value === null && (await isLocked(service)) === true) throw new Error('the keyring was locked while it was asked');
        return value;
      }),
    names: () => ask(namesIn),
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

/** The Keychain and the Credential Manager say so themselves when they are asked. */
async function keyringLocked(service: string): Promise<boolean | null> {
  return process.platform === 'linux' ? await secretServiceLocked(service) : false;
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
