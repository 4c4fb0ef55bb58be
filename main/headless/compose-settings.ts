import { join } from 'node:path';
import { configDirPath } from '../adapters/config/config-dir.ts';
import { settingsFile, type SettingsFile } from '../adapters/config/settings-file.ts';
import type { Keychain } from '../adapters/keychain/keychain.ts';
import { sealedFileKeychain } from '../adapters/keychain/sealed-file.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { openStateDir } from '../adapters/system/state-dir.ts';

export function composeSettings(): SettingsFile {
  return settingsFile({ folder: configDirPath(process.env), stateDir: () => openStateDir(), clock: systemClock });
}

export function composeKeychain(passphrase: (isNew: boolean) => Promise<string>): Keychain {
  return sealedFileKeychain({ path: join(configDirPath(process.env), 'keys.sealed'), passphrase });
}
