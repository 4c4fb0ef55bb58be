import { readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { Fault } from '../../contract/faults.ts';
import { replaceFile } from '../files/replace-file.ts';

export interface XdgAutostart {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute: the program and its arguments. */
  readonly command: readonly string[];
}

const fileName = 'holdfast.desktop';

/**
 * Whether the desktop starts the program with the person's session; sets it first where `on` is given. By a file in `autostart` of the
 * configuration folder (XDG Desktop Application Autostart Specification). `Hidden=true` in it counts as off.
 */
export function xdgAutostart({ env, command }: XdgAutostart): (on?: boolean) => Promise<boolean> {
  const path = join(configHome(env), 'autostart', fileName);
  return async (on) => {
    if (on === true) await replaceFile(path, entry(command));
    if (on === false) await rm(path, { force: true });
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    });
    return text !== null && !/^Hidden\s*=\s*true\s*$/m.test(text);
  };
}

function configHome(env: XdgAutostart['env']): string {
  const xdg = env['XDG_CONFIG_HOME'];
  if (xdg !== undefined && isAbsolute(xdg)) return xdg;
  const home = env['HOME'];
  return join(home !== undefined && isAbsolute(home) ? home : homedir(), '.config');
}

function entry(command: readonly string[]): string {
  const lines = ['[Desktop Entry]', 'Type=Application', 'Version=1.5', 'Name=Holdfast', `Exec=${command.map(quoted).join(' ')}`];
  return `${[...lines, 'Icon=holdfast', 'Terminal=false', 'X-GNOME-Autostart-enabled=true'].join('\n')}\n`;
}

/**
 * As the Desktop Entry Specification writes an argument: in quotes, with a backslash before what is special there, the whole of it escaped once
 * more as a string, and `%` doubled. A line break would begin another key.
 */
function quoted(argument: string): string {
  if (['\n', '\r', '\0'].some((one) => argument.includes(one))) {
    throw new Fault('unsupported', 'the path of the program has a line break', { operation: 'start with the session' });
  }
  const special = argument.replace(/["`$\\]/g, String.raw`\$&`);
  return `"${special.replaceAll('\\', '\\\\').replaceAll('%', '%%')}"`;
}
