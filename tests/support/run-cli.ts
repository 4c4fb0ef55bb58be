import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface CliRun {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The command, with its arguments, under which it runs. */
  readonly under?: readonly string[];
  /** Text for standard input; absent: empty. */
  readonly stdin?: string;
  /** Called with the running process, before it has done anything. Standard input then stays open until the test ends it. */
  readonly whileRunning?: (child: ChildProcess) => void;
}

export const holdfast = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url));
const severalCommands = fileURLToPath(new URL('several-commands.ts', import.meta.url));

/** Runs the real command in a process of its own. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  return runScript(holdfast, args, options);
}

/** Several, in one process for all of them, up to the first that fails: what goes before a test. */
export function runSeveral(commands: readonly (readonly string[])[], options: CliOptions = {}): Promise<CliRun> {
  return runScript(
    severalCommands,
    commands.map((args) => JSON.stringify(args)),
    options,
  );
}

function runScript(script: string, args: readonly string[], options: CliOptions): Promise<CliRun> {
  // Passwords of whoever runs the tests must not reach the command.
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_')));
  return new Promise((settle, fail) => {
    const [program, ...rest] = [...(options.under ?? []), process.execPath, script, ...args] as [string, ...string[]];
    const child = spawn(program, rest, {
      env: { ...inherited, NO_COLOR: '1', ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    const out: Uint8Array[] = [];
    const err: Uint8Array[] = [];
    child.stdout.on('data', (piece: Uint8Array) => out.push(piece));
    child.stderr.on('data', (piece: Uint8Array) => err.push(piece));
    child.on('error', fail);
    child.on('close', (code, signal) => {
      settle({ code, signal, stdout: Buffer.concat(out).toString('utf8'), stderr: Buffer.concat(err).toString('utf8') });
    });
    // It may end without having read all of its input.
    child.stdin.on('error', () => undefined);
    if (options.whileRunning === undefined) child.stdin.end(options.stdin ?? '');
    else options.whileRunning(child);
  });
}
