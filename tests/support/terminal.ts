import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface TerminalStep {
  /** Typed once this has been printed. */
  readonly expect: string;
  readonly send: string | Uint8Array;
  /** Typed before `send`: the address that the last link on a line of its own redirects a browser to. */
  readonly browse?: boolean;
  /** Wait until the terminal no longer shows what is typed; default true. */
  readonly quiet?: boolean;
}

export interface TerminalRun {
  readonly code: number;
  /** All that the terminal showed. */
  readonly transcript: string;
  /** Whether the terminal showed what was typed, at each step. */
  readonly echoWhileAsked: readonly boolean[];
}

const driver = fileURLToPath(new URL('terminal.py', import.meta.url));

/** Whether the driver can run here. */
export const hasTerminal = spawnSync('python3', ['-c', 'import pty'], { stdio: 'ignore' }).status === 0;

/** Runs a command on a pseudo-terminal and types into it. */
export function onTerminal(
  argv: readonly string[],
  steps: readonly TerminalStep[],
  env: Readonly<Record<string, string>> = {},
): Promise<TerminalRun> {
  const job = { argv, env, steps: steps.map((step) => ({ ...step, sendHex: Buffer.from(step.send).toString('hex'), send: undefined })) };
  return new Promise((settle, fail) => {
    const child = execFile('python3', [driver], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout) => {
      if (error === null) settle(JSON.parse(stdout) as TerminalRun);
      else fail(error);
    });
    child.stdin?.end(JSON.stringify(job));
  });
}
