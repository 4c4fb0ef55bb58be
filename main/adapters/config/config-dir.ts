import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/**
 * Where the settings lie: HOLDFAST_CONFIG_DIR, else XDG_CONFIG_HOME/holdfast, else ~/.config/holdfast. A relative XDG_CONFIG_HOME is
 * ignored, as the XDG Base Directory Specification asks.
 */
export function configDirPath(environment: Readonly<Record<string, string | undefined>>): string {
  const own = environment['HOLDFAST_CONFIG_DIR'];
  if (own !== undefined && own !== '') return resolve(own);
  const xdg = environment['XDG_CONFIG_HOME'];
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'holdfast');
  const home = environment['HOME'];
  return join(home !== undefined && isAbsolute(home) ? home : homedir(), '.config', 'holdfast');
}
