import { Fault } from '../../contract/faults.ts';
import type { Keychain } from '../../engine/service/keychain.ts';

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
export function systemKeyring(service: string, load: () => Promise<Keyring> = loadKeytar, platform = process.platform): Keychain {
  let keyring: Promise<Keyring> | undefined;
  /** As it was when it was asked last: each question may put one to the person at the desktop. */
  let isLocked: boolean | undefined;

  /**
   * A locked Secret Service answers “nothing” to whoever asks for a secret, and libsecret under keytar ends the process when it looks for all of
   * them; only a change is refused. So one of ours that must be there is asked for first.
   */
  async function opened(ring: Keyring): Promise<Keyring> {
    if (platform === 'linux' && (await ring.getPassword(service, witness)) !== 'yes') await ring.setPassword(service, witness, 'yes');
    return ring;
  }

  async function namesIn(ring: Keyring): Promise<readonly string[]> {
    return (await ring.findCredentials(service)).map(({ account }) => account).filter((account) => account !== witness);
  }

  async function ask<T>(work: (ring: Keyring) => Promise<T>): Promise<T> {
    try {
      keyring ??= load();
      const ring = await opened(await keyring);
      isLocked = false;
      return await work(ring);
    } catch (error) {
      keyring = undefined;
      isLocked = true;
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
      if (isLocked === undefined) await ask(() => Promise.resolve()).catch(() => undefined);
      return { kind: 'system', strong: true, locked: isLocked === true, says: `in the ${where} of this user` };
    },
    exists: async () => (await ask(namesIn)).length > 0,
    get: (name) => ask((ring) => ring.getPassword(service, name)),
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
