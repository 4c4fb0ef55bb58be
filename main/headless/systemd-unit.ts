import { execFile } from 'node:child_process';
import { access, chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { configDirPath } from '../adapters/config/config-dir.ts';
import { replaceFile } from '../adapters/files/replace-file.ts';
import { stateDirPath } from '../adapters/system/state-dir.ts';
import { systemctl, systemctlEnvironment } from '../adapters/system/systemctl.ts';
import { Fault } from '../contract/faults.ts';

const run = promisify(execFile);
const unitName = 'holdfast.service';
const template = new URL('../../resources/systemd/holdfast.service', import.meta.url);
const program = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url));

type Environment = Readonly<Record<string, string | undefined>>;

export interface UnitOptions {
  readonly env: Environment;
  /** A unit of the system; else one of this user. */
  readonly system: boolean;
  readonly runAs?: string | undefined;
}

/** Writes the unit, enables it and starts it, or starts it anew. `lingers`: it also runs while this user is not signed in. */
export async function installUnit(options: UnitOptions): Promise<{ readonly path: string; readonly lingers: boolean }> {
  const path = unitPath(options);
  // First of all for who may not, and where there is none: nothing has been written then.
  await tell(options, ['daemon-reload']);
  await mkdir(dirname(path), { recursive: true });
  await replaceFile(path, unitText(await readFile(template, 'utf8'), options));
  // systemd and who administers it read units; there is nothing secret in it.
  await chmod(path, 0o644);
  await tell(options, ['daemon-reload']);
  // By its path: the systemd of this user may have been told of another XDG_CONFIG_HOME, or of none.
  await tell(options, ['enable', path]);
  await tell(options, ['restart', unitName], notStarted(options));
  return { path, lingers: options.system || (await lingering()) };
}

/** The unit for this copy of the program and these folders. Exported for its test. */
export function unitText(text: string, { env, system, runAs }: UnitOptions): string {
  const folders = Object.entries(placesOf({ env, system, runAs })).map(([name, path]) => `Environment=${quoted(`${name}=${path}`)}\n`);
  return (
    text
      // Functions: in a text that replaces, `$` would mean something.
      .replace('@EXEC@', () => `${argument(process.execPath)} ${argument(program)}`)
      .replace('@ENVIRONMENT@\n', () => folders.join(''))
      .replace('@USER@\n', () => (system && runAs !== undefined ? `User=${runAs}\n` : ''))
      .replace('@TARGET@', system ? 'multi-user.target' : 'default.target')
  );
}

/** Where it finds what this command found. Another user has folders of their own, unless they were named. */
function placesOf({ env, system, runAs }: UnitOptions): Readonly<Record<string, string>> {
  const given = (name: string): boolean => env[name] !== undefined && env[name] !== '';
  const own = !(system && runAs !== undefined);
  const passphrase = 'HOLDFAST_KEYCHAIN_PASSPHRASE_FILE';
  return {
    ...(own || given('HOLDFAST_CONFIG_DIR') ? { HOLDFAST_CONFIG_DIR: configDirPath(env) } : {}),
    ...(own || given('HOLDFAST_STATE_DIR') ? { HOLDFAST_STATE_DIR: stateDirPath(env) } : {}),
    ...(given(passphrase) ? { [passphrase]: resolve(env[passphrase] ?? '') } : {}),
  };
}

export async function removeUnit(options: UnitOptions): Promise<string> {
  const path = unitPath(options);
  try {
    await access(path);
  } catch (error) {
    throw new Fault('not-found', `there is no unit ${path}`, { operation: 'uninstall the service', context: { path }, cause: error });
  }
  await tell(options, ['disable', '--now', unitName]);
  await rm(path, { force: true });
  await tell(options, ['daemon-reload']);
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

async function tell({ system, env }: UnitOptions, args: readonly string[], next = noSystemd(system)): Promise<void> {
  const [program, ...own] = systemctl(!system);
  try {
    await run(program, [...own, ...args], { env: { ...process.env, ...systemctlEnvironment(!system, env) } });
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Fault('unsupported', `systemctl ${args.join(' ')} failed${stderr === '' ? '' : `: ${stderr}`}`, {
      operation: 'set up the service',
      context: { next },
      cause: error,
    });
  }
}

function noSystemd(system: boolean): string {
  return system
    ? 'Run this as root on a system with systemd; elsewhere let your own init run “holdfast service”.'
    : 'Run this as a user who is signed in, or lingers (loginctl enable-linger); elsewhere let your own init run “holdfast service”.';
}

/** It is installed, and systemd tries again and again. */
function notStarted({ system }: UnitOptions): string {
  const journal = `journalctl ${system ? '' : '--user '}--unit ${unitName}`;
  return `“${journal}” says why. It is tried again by itself; “holdfast service uninstall${system ? ' --system' : ''}” ends that.`;
}

/** Whether it already was so, or is now: who may read it need not be allowed to set it. */
async function lingering(): Promise<boolean> {
  const user = String(process.getuid?.());
  const shown = await run('loginctl', ['show-user', user, '--property=Linger', '--value']).catch(() => null);
  if (shown?.stdout.trim() === 'yes') return true;
  try {
    await run('loginctl', ['enable-linger', user]);
    return true;
  } catch {
    // Not allowed here; what to do instead is told.
    return false;
  }
}
