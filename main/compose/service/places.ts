import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { configDirPath } from '../../adapters/config/config-dir.ts';
import { openStateDir } from '../../adapters/system/state-dir.ts';

/** Where the service of one configuration folder keeps what is its own. */
export interface ServicePlaces {
  readonly stateDir: string;
  /** Below it: `state.json`, `log`, `token`, `address.json`, `scratch`. */
  readonly folder: string;
  /** What it has brought to rest: not below the folder, all of which may be deleted. */
  readonly atRest: string;
  /** Its lock in the state folder: one service for a configuration folder. */
  readonly lock: string;
}

/** Two configuration folders may share a state folder. */
export async function servicePlaces(env: Readonly<Record<string, string | undefined>> = process.env): Promise<ServicePlaces> {
  const stateDir = await openStateDir(env);
  const id = createHash('sha256').update(configDirPath(env)).digest('hex').slice(0, 12);
  const name = `service-${id}`;
  const folder = join(stateDir, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return { stateDir, folder, atRest: join(stateDir, `at-rest-${id}.json`), lock: name };
}
