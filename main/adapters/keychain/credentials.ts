import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../contract/faults.ts';
import type { Keychain } from '../../engine/service/keychain.ts';

/** The credential that holds the passphrase of the key file. */
export const passphraseCredential = 'holdfast.passphrase';

/**
 * What systemd hands to a service (systemd.exec(5), LoadCredential= and LoadCredentialEncrypted=): the file `name` in the folder that
 * CREDENTIALS_DIRECTORY names, without a line end at its end. Null where there is no such folder or file.
 */
export async function readCredential(folder: string | undefined, name: string): Promise<string | null> {
  if (folder === undefined || folder === '') return null;
  const path = join(folder, name);
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Fault('permission-denied', `the credential ${path} cannot be read`, {
      operation: 'read credential',
      context: { path },
      cause: error,
    });
  }
}

/**
 * A keychain in which systemd's credentials come first: `destination/home/password` is the credential `holdfast.destination.home.password`.
 * They are read only; what is set goes to the keychain behind, and is refused for a name that a credential holds.
 */
export function withCredentials(inner: Keychain, folder: string | undefined): Keychain {
  if (folder === undefined || folder === '') return inner;
  const credential = (name: string): Promise<string | null> => readCredential(folder, `holdfast.${name.replaceAll('/', '.')}`);
  return {
    ...inner,
    async describe() {
      const about = await inner.describe();
      return { ...about, says: `in the credentials that systemd gives, else ${about.says}` };
    },
    /** Whatever it is for, nobody knows it by a name here: it is only to be hidden. */
    given: async () => {
      const names = (await readdir(folder)).filter((name) => name.startsWith('holdfast.'));
      const values = await Promise.all(names.map((name) => readCredential(folder, name)));
      return values.filter((value) => value !== null).filter((value) => value !== '');
    },
    get: async (name) => (await credential(name)) ?? (await inner.get(name)),
    isGiven: async (name) => (await credential(name)) !== null,
    async set(secrets) {
      for (const name of Object.keys(secrets)) {
        if ((await credential(name)) === null) continue;
        throw new Fault('config-invalid', `${name} is given by a credential of systemd and cannot be changed here`, {
          operation: 'keep secret',
          context: { next: 'Change the credential of the unit.' },
        });
      }
      await inner.set(secrets);
    },
  };
}
