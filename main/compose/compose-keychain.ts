import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { configDirPath } from '../adapters/config/config-dir.ts';
import { passphraseCredential, readCredential, withCredentials } from '../adapters/keychain/credentials.ts';
import { machineKey } from '../adapters/keychain/machine-key.ts';
import { costOfRandomKey, sealedFileKeychain } from '../adapters/keychain/sealed-file.ts';
import { systemKeyring } from '../adapters/keychain/system-keyring.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { openStateDir } from '../adapters/system/state-dir.ts';
import { holdingLock } from '../adapters/system/wait-for-lock.ts';
import type { KeychainKind } from '../contract/destinations.ts';
import type { Keychain } from '../engine/service/keychain.ts';

/** The keychain of a kind, behind the credentials that systemd gives. `passphrase` is asked where no credential holds it. */
export function composeKeychain(kind: KeychainKind, passphrase: (isNew: boolean) => Promise<string>): Keychain {
  const credentials = process.env['CREDENTIALS_DIRECTORY'];
  return withCredentials(base(kind, passphrase, credentials), credentials);
}

function base(kind: KeychainKind, passphrase: (isNew: boolean) => Promise<string>, credentials: string | undefined): Keychain {
  const folder = configDirPath(process.env);
  const alone = async <T>(work: () => Promise<T>): Promise<T> => await holdingLock(await openStateDir(), 'keys', systemClock, work);
  switch (kind) {
    case 'system':
      return systemKeyring(keyringName(folder));
    case 'sealed-file':
      return sealedFileKeychain({
        path: join(folder, 'keys.sealed'),
        passphrase: async (isNew) => (await readCredential(credentials, passphraseCredential)) ?? (await passphrase(isNew)),
        alone,
      });
    case 'machine-key':
      return sealedFileKeychain({
        path: join(folder, 'keys.machine'),
        // Apart from the settings: a copy of the one folder without the other opens nothing.
        passphrase: async (isNew) => await machineKey(join(await openStateDir(), 'machine.key'), isNew),
        alone,
        cost: costOfRandomKey,
        about: {
          kind: 'machine-key',
          strong: false,
          says: 'encrypted with a key that lies on this computer: whoever can read all of this user’s files can read them',
        },
      });
  }
}

/** Two configuration folders of one user must not see, or remove, each other's secrets. */
function keyringName(folder: string): string {
  if (folder === configDirPath({ ...process.env, HOLDFAST_CONFIG_DIR: undefined })) return 'Holdfast';
  return `Holdfast ${createHash('sha256').update(folder).digest('hex').slice(0, 12)}`;
}
