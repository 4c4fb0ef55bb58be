/**
 * `npm start`: opens the app. Where there is no display, or Electron's program is not to be had, it says so in one line and runs the service,
 * whose page a browser shows instead.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const electron = join(root, 'node_modules', 'electron');
const command = join(root, 'bin', 'holdfast.js');

/** Electron's program where it was fetched, or where ELECTRON_OVERRIDE_DIST_PATH says; null where it is not. Nothing is fetched. */
export function electronProgram(env: NodeJS.ProcessEnv = process.env, folder: string = electron): string | null {
  const pathFile = join(folder, 'path.txt');
  const name = existsSync(pathFile) ? readFileSync(pathFile, 'utf8').trim() : 'electron';
  const program = join(env['ELECTRON_OVERRIDE_DIST_PATH'] ?? join(folder, 'dist'), name);
  return existsSync(program) ? program : null;
}

/** Why the app cannot be shown here; empty when it can. */
export function whyNoApp(env: NodeJS.ProcessEnv, platform: NodeJS.Platform, program: string | null): string {
  const hasDisplay = platform !== 'linux' || (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== '';
  if (!hasDisplay) return 'There is no display here, so the page is served to a browser instead of a window.';
  if (program === null) return 'Electron’s program is not here, so the page is served to a browser instead of a window.';
  return '';
}

/** Settles to how it ended; signals go on to it. */
async function ended(child: ChildProcess): Promise<number> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return await new Promise((settle, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => settle(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

const run = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [command, ...args], { stdio: ['inherit', 'inherit', 'pipe'] });

/** Runs the service and prints the link to its page once it listens; one that runs already is used. */
async function servePage(): Promise<number> {
  const link = (): ChildProcess => run(['open-page', '--no-browser']);
  const service = run(['service']);
  let said = '';
  service.stderr?.setEncoding('utf8').on('data', (text: string) => {
    process.stderr.write(text);
    const before = said;
    said += text;
    if (said.includes('listens on') && !before.includes('listens on')) link().stderr?.pipe(process.stderr);
  });
  const code = await ended(service);
  if (!said.includes('is at work with these settings already')) return code;
  const other = link();
  other.stderr?.pipe(process.stderr);
  return await ended(other);
}

async function start(): Promise<number> {
  const program = electronProgram();
  const why = whyNoApp(process.env, process.platform, program);
  if (why !== '' || program === null) {
    process.stdout.write(`${why}\n`);
    return await servePage();
  }
  const { buildApp } = await import('./build-app.ts');
  await buildApp();
  return await ended(spawn(program, [root, ...process.argv.slice(2)], { stdio: 'inherit' }));
}

if (import.meta.main) process.exitCode = await start();
