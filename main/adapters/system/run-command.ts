import { spawn, type ChildProcess } from 'node:child_process';
import { Fault } from '../../contract/faults.ts';
import { providerSecrets } from '../../contract/settings.ts';
import type { Clock } from '../../engine/ports.ts';
import { cancelledFault } from '../../engine/storage/cancel.ts';
import { errnoOf } from '../network/errors.ts';

export interface CommandOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Variables beside those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Hides secrets in what it wrote, before that is cut short: of a secret that the cut goes through nobody would know the rest. */
  readonly redact?: (text: string) => string;
}

/** Between being asked to end and being made to. */
const graceMs = 5_000;
const mostErrorText = 2_000;
/** What is kept of it until it has been redacted. */
const mostKept = 65_536;
const mostOutput = 10_000;

/**
 * Runs a program to its end, without a shell, in a process group of its own: what it has started ends with it when it is stopped. Faults:
 * config-invalid (there is no such program), unexpected (its status is not 0: context.status, or context.signal; the end of what it wrote to
 * stderr is in the message), timeout, cancelled.
 */
export async function runCommand(argv: readonly string[], options: CommandOptions): Promise<void> {
  await run(argv, options, () => undefined);
}

/** The same, with what it prints on standard output, of which there is little. */
export async function commandOutput(argv: readonly string[], options: CommandOptions): Promise<string> {
  let text = '';
  await run(argv, options, (piece) => (text = (text + piece).slice(0, mostOutput)));
  return text;
}

async function run(argv: readonly string[], options: CommandOptions, onOutput: (text: string) => void): Promise<void> {
  const { clock, timeoutMs, signal } = options;
  const [program = '', ...args] = argv;
  if (signal?.aborted === true) throw cancelledFault('run command');
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...withoutOwnSecrets(process.env), ...options.environment },
  });
  let errorText = '';
  let isCut = false;
  child.stdout.setEncoding('utf8').on('data', onOutput);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    isCut ||= errorText.length + text.length > mostKept;
    errorText = (errorText + text).slice(-mostKept);
  });
  const timer = new AbortController();
  let reason: Fault | undefined;
  const abandoned = Promise.withResolvers<never>();
  abandoned.promise.catch(() => undefined);
  // One that runs as somebody else (sudo) cannot be stopped by us: it is left to itself.
  const abandon = (fault: Fault): void => {
    child.unref();
    child.stdout.destroy();
    child.stderr.destroy();
    abandoned.reject(fault);
  };

  function stop(fault: Fault, unstoppable: Fault): void {
    if (reason !== undefined) return;
    reason = fault;
    if (!kill(child, 'SIGTERM')) return abandon(unstoppable);
    clock.sleep(graceMs, timer.signal).then(
      () => {
        if (!kill(child, 'SIGKILL')) abandon(unstoppable);
      },
      () => undefined,
    );
  }
  const cancel = (): void => stop(cancelledFault('run command'), cancelledFault('run command'));
  signal?.addEventListener('abort', cancel, { once: true });
  clock.sleep(timeoutMs, timer.signal).then(
    () => stop(lateFault(program, timeoutMs), unstoppableFault(program, timeoutMs)),
    () => undefined,
  );

  try {
    const { status, by } = await Promise.race([ended(child), abandoned.promise]);
    if (reason !== undefined) throw reason;
    if (status !== 0) throw failure(program, status, by, endOf(errorText, isCut, options.redact));
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw notStarted(program, errnoOf(error));
  } finally {
    timer.abort();
    signal?.removeEventListener('abort', cancel);
  }
}

/** Once the program itself has ended; what it left in the background may hold stderr open for as long as it likes. */
async function ended(child: ChildProcess): Promise<{ readonly status: number | null; readonly by: NodeJS.Signals | null }> {
  const outcome = await new Promise<{ status: number | null; by: NodeJS.Signals | null }>((settle, reject) => {
    child.once('error', reject).once('exit', (status, by) => settle({ status, by }));
  });
  // What it wrote last is there already, but not read yet.
  await new Promise((go) => setImmediate(go));
  child.stdout?.destroy();
  child.stderr?.destroy();
  return outcome;
}

/** False when it may not be stopped by this user. */
function kill(child: ChildProcess, signal: NodeJS.Signals): boolean {
  if (child.pid === undefined) return true;
  try {
    process.kill(-child.pid, signal);
    return true;
  } catch (error) {
    // ESRCH: all of the group have ended meanwhile.
    return errnoOf(error) === 'ESRCH';
  }
}

/** Variables that hold what opens the backup places, of every provider. The last one is no setting of ours, but is read where the AWS tools' chain is. */
const secretVariables: ReadonlySet<string> = new Set([
  ...Object.values(providerSecrets).flatMap((secrets) => secrets.map(({ env }) => env)),
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
]);

/** A hook has no business with what opens the backups. Windows does not tell upper from lower case. */
function withoutOwnSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isOwn = (name: string): boolean => name.startsWith('HOLDFAST_') || secretVariables.has(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isOwn(name.toUpperCase())));
}

function lateFault(program: string, timeoutMs: number): Fault {
  return new Fault('timeout', `${program} did not end within ${Math.round(timeoutMs / 1000)} seconds and was stopped`, {
    operation: 'run command',
    persistence: 'permanent',
    context: { program, next: 'Give it more time (timeoutSeconds), or see what it waits for.' },
  });
}

function unstoppableFault(program: string, timeoutMs: number): Fault {
  const late = lateFault(program, timeoutMs);
  return new Fault('timeout', `${program} did not end within ${Math.round(timeoutMs / 1000)} seconds and may not be stopped by this user`, {
    operation: late.operation,
    persistence: late.persistence,
    context: {
      program,
      next: 'It still runs: end it yourself, and let it end by itself next time (sudo timeout 60 …), or give it more time.',
    },
  });
}

/** The first word of what was cut off may be half a secret. */
function endOf(text: string, isCut: boolean, redact = (whole: string): string => whole): string {
  return redact(isCut ? text.replace(/^\S*/, '') : text).slice(-mostErrorText);
}

function failure(program: string, status: number | null, by: NodeJS.Signals | null, errorText: string): Fault {
  const said = errorText.trim() === '' ? '' : `: ${errorText.trim()}`;
  const how = by === null ? `with status ${status}` : `by ${by}`;
  const context = { program, ...(by === null ? { status: status ?? -1 } : { signal: by }) };
  return new Fault('unexpected', `${program} ended ${how}${said}`, { operation: 'run command', context });
}

function notStarted(program: string, errno: string | undefined): Fault {
  const context = { program, reason: errno ?? '' };
  if (errno === 'ENOENT' || errno === 'EACCES' || errno === 'ENOEXEC') {
    const next = 'Write the program with its whole path, and see that it may be run.';
    return new Fault('config-invalid', `${program} could not be started (${errno})`, {
      operation: 'run command',
      context: { ...context, next },
    });
  }
  return new Fault('unexpected', `${program} could not be started`, { operation: 'run command', context });
}
