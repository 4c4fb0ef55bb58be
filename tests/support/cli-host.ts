import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import type { Engine } from '../../main/engine/engine.ts';
import type { RestoreTargets, UndoTarget } from '../../main/engine/snapshots/restore-target.ts';
import type { CliHost, Sink } from '../../main/headless/host.ts';
import { runCli } from '../../main/headless/program.ts';

export interface FakeHostOptions extends Partial<Omit<CliHost, 'stdin' | 'stdout' | 'stderr'>> {
  /** The calls of the engine that the test expects; any other call fails the test. */
  readonly engine?: Partial<Engine>;
  readonly targets?: { readonly restore: RestoreTargets; readonly undo: UndoTarget };
  /** What a person types at each prompt, in order. */
  readonly answers?: readonly string[];
  readonly stdin?: string;
  readonly stderrIsTTY?: boolean;
  readonly stdoutIsTTY?: boolean;
}

export interface FinishedRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What was asked on the terminal. */
  readonly questions: readonly string[];
}

/** Runs a command line in this process: real parsing, output and files, the engine of the test. */
export async function runWith(args: readonly string[], options: FakeHostOptions = {}): Promise<FinishedRun> {
  const out = textSink(options.stdoutIsTTY === true);
  const err = textSink(options.stderrIsTTY === true);
  const questions: string[] = [];
  const answers = [...(options.answers ?? [])];
  const host: CliHost = {
    version: '9.9.9',
    env: {},
    cwd: '/',
    zone: 'UTC',
    now: () => Date.UTC(2026, 10, 24, 12),
    signal: new AbortController().signal,
    askSecret:
      options.answers === undefined
        ? null
        : (question) => {
            questions.push(question);
            return Promise.resolve(answers.shift() ?? '');
          },
    openEngine: () => Promise.resolve(engineOf(options.engine ?? {})),
    openSettings: () => Promise.reject(new Error('no settings in this test')),
    openKeychain: () => Promise.reject(new Error('no keychain in this test')),
    openBackend: () => Promise.resolve(memoryBackend()),
    openTargets: () =>
      options.targets === undefined ? Promise.reject(new Error('no restore targets in this test')) : Promise.resolve(options.targets),
    initializeProvider: () => {
      throw new Error('no checks in this test');
    },
    ...options,
    stdin: bytesOf(options.stdin ?? ''),
    stdout: out.sink,
    stderr: err.sink,
  };
  const exitCode = await runCli(args, host);
  return { exitCode, stdout: out.text(), stderr: err.text(), questions };
}

function engineOf(calls: Partial<Engine>): Engine {
  const unexpected = (name: string) => (): never => {
    throw new Error(`engine.${name} was not to be called`);
  };
  return {
    backup: unexpected('backup'),
    backupToAll: unexpected('backupToAll'),
    snapshots: unexpected('snapshots'),
    newest: unexpected('newest'),
    list: unexpected('list'),
    changes: unexpected('changes'),
    diff: unexpected('diff'),
    find: unexpected('find'),
    versions: unexpected('versions'),
    usage: unexpected('usage'),
    restore: unexpected('restore'),
    verify: unexpected('verify'),
    prune: unexpected('prune'),
    pin: unexpected('pin'),
    unpin: unexpected('unpin'),
    changePassword: unexpected('changePassword'),
    hasVault: unexpected('hasVault'),
    ensureVault: unexpected('ensureVault'),
    kit: unexpected('kit'),
    openFile: unexpected('openFile'),
    ...calls,
  };
}

function textSink(isTTY: boolean): { readonly sink: Sink; readonly text: () => string } {
  const pieces: Uint8Array[] = [];
  return {
    sink: {
      isTTY,
      columns: 80,
      closed: false,
      write: (data) => {
        pieces.push(typeof data === 'string' ? Buffer.from(data) : Uint8Array.from(data));
        return Promise.resolve();
      },
    },
    text: () => Buffer.concat(pieces).toString('utf8'),
  };
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  // In odd pieces, as a pipe may give them: a character may be cut in two.
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 7) yield await Promise.resolve(bytes.subarray(at, at + 7));
}
