import { mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { Fault } from '../../contract/faults.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where this computer keeps what is its own (machine id, locks): HOLDFAST_STATE_DIR, else XDG_STATE_HOME/holdfast, else
 * ~/.local/state/holdfast. A relative XDG_STATE_HOME is ignored, as the XDG Base Directory Specification asks.
 */
export function stateDirPath(environment: Environment): string {
  const own = environment['HOLDFAST_STATE_DIR'];
  if (own !== undefined && own !== '') return resolve(own);
  const xdg = environment['XDG_STATE_HOME'];
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'holdfast');
  return join(homeOf(environment), '.local', 'state', 'holdfast');
}

function homeOf(environment: Environment): string {
  const home = environment['HOME'];
  if (home !== undefined && isAbsolute(home)) return home;
  try {
    return homedir();
  } catch (error) {
    throw new Fault('config-invalid', 'no home folder is known for this user: set HOLDFAST_STATE_DIR', {
      operation: 'open state folder',
      cause: error,
    });
  }
}

/** The state folder, made when missing with no access for other users (0700). Returns its absolute path. */
export async function openStateDir(environment: Environment = process.env): Promise<string> {
  const path = stateDirPath(environment);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    if ((await stat(path)).isDirectory()) return path;
  } catch (error) {
    throw new Fault('config-invalid', `the state folder ${path} cannot be made: set HOLDFAST_STATE_DIR to a folder of your own`, {
      operation: 'open state folder',
      context: { path },
      cause: error,
    });
  }
  throw new Fault('config-invalid', `the state folder ${path} is no folder`, { operation: 'open state folder', context: { path } });
}
