import { execFile } from 'node:child_process';
import { access, mkdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { replaceFile } from '../../adapters/files/replace-file.ts';
import { Fault } from '../../contract/faults.ts';
import { chmod } from 'node:fs/promises';

const run = promisify(execFile);
const unitName = 'holdfast.service';
const template = new URL('../../../resources/systemd/holdfast.service', import.meta.url);
const program = fileURLToPath(new URL('../../../bin/holdfast.js', import.meta.url));

type Environment = Readonly<Record<string, string | undefined>>;

export interface UnitOptions {
  readonly env: Environment;
  /** A unit of the system; else one of this user. */
  readonly system: boolean;
  readonly runAs?: string | undefined;
}

/** Writes the unit, enables it and starts it. `lingers`: it also runs while this user is not signed in. */
export async function installUnit(options: UnitOptions): Promise<{ readonly path: string; readonly lingers: boolean }> {
  const path = unitPath(options);
  await mkdir(dirname(path), { recursive: true });
  await replaceFile(path, unitText(await readFile(template, 'utf8'), options));
  // systemd and who administers it read units; there is nothing secret in it.
  await chmod(path, 0o644);
  await systemctl(options, ['daemon-reload']);
  await systemctl(options, ['enable', '--now', unitName]);
  return { path, lingers: options.system || (await lingering(options.env)) };
}

/** The unit for this copy of the program and these folders. Exported for its test. */
export function unitText(text: string, { env, system, runAs }: UnitOptions): string {
  const folders = ['HOLDFAST_CONFIG_DIR', 'HOLDFAST_STATE_DIR', 'HOLDFAST_KEYCHAIN_PASSPHRASE_FILE'].flatMap((name) => {
    const value = env[name];
    return value === undefined || value === '' ? [] : [`Environment=${quoted(`${name}=${value}`)}\n`];
  });
  return (
    text
      // Functions: in a text that replaces, `$` would mean something.
      .replace('@EXEC@', () => `${argument(process.execPath)} ${argument(program)}`)
      .replace('@ENVIRONMENT@\n', () => folders.join(''))
      .replace('@USER@\n', () => (system && runAs !== undefined ? `User=${runAs}\n` : ''))
      .replace('@TARGET@', system ? 'multi-user.target' : 'default.target')
  );
}

export async function removeUnit(options: UnitOptions): Promise<string> {
  const path = unitPath(options);
  try {
    await access(path);
  } catch (error) {
    throw new Fault('not-found', `there is no unit ${path}`, { operation: 'uninstall the service', context: { path }, cause: error });
  }
  await systemctl(options, ['disable', '--now', unitName]);
  await rm(path, { force: true });
  await systemctl(options, ['daemon-reload']);
  return path;
}

/** Paths of the units that are installed. */
export async function unitState(env: Environment): Promise<readonly string[]> {
  const paths = [unitPath({ env, system: false }), unitPath({ env, system: true })];
  const there = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, index) => there[index] === true);
}

function unitPath({ env, system }: UnitOptions): string {
  if (system) return join('/etc/systemd/system', unitName);
  const xdg = env['XDG_CONFIG_HOME'];
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(env['HOME'] ?? homedir(), '.config');
  return join(base, 'systemd', 'user', unitName);
}

/** systemd.syntax(7), "Quoting", and systemd.unit(5), "Specifiers". */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
}

/** systemd.service(5), "Command lines": there `$` is special, too. */
function argument(text: string): string {
  return quoted(text.replaceAll('$', () => '$$'));
}

async function systemctl({ system }: UnitOptions, args: readonly string[]): Promise<void> {
  try {
    await run('systemctl', [...(system ? [] : ['--user']), '--no-ask-password', ...args]);
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Fault('unsupported', `systemctl ${args.join(' ')} failed${stderr === '' ? '' : `: ${stderr}`}`, {
      operation: 'install the service',
      context: {
        next: system
          ? 'Run this as root on a system with systemd; elsewhere let your own init run “holdfast service”.'
          : 'Run this in a session of the user (not by su); elsewhere let your own init run “holdfast service”.',
      },
      cause: error,
    });
  }
}

async function lingering(env: Environment): Promise<boolean> {
  const user = env['USER'] ?? env['LOGNAME'] ?? '';
  if (user === '') return false;
  try {
    await run('loginctl', ['enable-linger', user]);
    return true;
  } catch {
    // Not allowed here; what to do instead is told.
    return false;
  }
}
