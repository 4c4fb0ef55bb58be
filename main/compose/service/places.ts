import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configDirPath } from '../../adapters/config/config-dir.ts';
import { openStateDir, stateDirPath } from '../../adapters/system/state-dir.ts';
import { realPlace } from '../real-place.ts';

/** Where the service of one configuration folder keeps what is its own. */
export interface ServicePlaces {
  /** Where the settings lie, behind all links; it may not exist yet. */
  readonly configDir: string;
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
  const configDir = await realPlace(configDirPath(env));
  const name = `service-${idOf(configDir)}`;
  const folder = join(stateDir, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return { configDir, stateDir, folder, atRest: atRestPath(stateDir, configDir), lock: name };
}

function atRestPath(stateDir: string, configDir: string): string {
  return join(stateDir, `at-rest-${idOf(configDir)}.json`);
}

/** Of the folder behind all links: by whatever way somebody comes to it, it is one. */
function idOf(configDir: string): string {
  return createHash('sha256').update(configDir).digest('hex').slice(0, 12);
}

/** Whether a service or command has, or has left, a server at rest. Without the contract that reads the file as a whole, and which most commands do without. */
export async function isAnyAtRest(env: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  try {
    const known: unknown = JSON.parse(await readFile(atRestPath(stateDirPath(env), await realPlace(configDirPath(env))), 'utf8'));
    return typeof known === 'object' && known !== null && 'resting' in known && Array.isArray(known.resting) && known.resting.length > 0;
  } catch {
    // There is none; or the service tells what is wrong with it.
    return false;
  }
}
