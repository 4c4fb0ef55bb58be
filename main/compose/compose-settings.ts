import { configDirPath } from '../adapters/config/config-dir.ts';
import { settingsFile, type SettingsFile } from '../adapters/config/settings-file.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { openStateDir } from '../adapters/system/state-dir.ts';

export function composeSettings(): SettingsFile {
  return settingsFile({ folder: configDirPath(process.env), stateDir: () => openStateDir(), clock: systemClock });
}
