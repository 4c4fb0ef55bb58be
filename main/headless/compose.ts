import { addAbortSignal } from 'node:stream';
import { isatty } from 'node:tty';
import { composeHost as composeBase } from '../compose/compose-host.ts';
import type { Observer } from '../compose/host.ts';
import type { CliHost } from './host.ts';
import { readPassphrase } from './passwords.ts';
import { sinkOf } from './sink.ts';

/** The real host of the command: this computer, this process and its terminal. */
export function composeHost(signal: AbortSignal, observer: Observer): CliHost {
  const stdout = sinkOf(process.stdout);
  const stderr = sinkOf(process.stderr);
  // The question goes to standard error: without a terminal there, it would wait for an answer to a question nobody sees.
  const canAsk = isatty(0) && stderr.isTTY;
  const host: CliHost = {
    ...composeBase(signal, observer, (isNew) => readPassphrase(host, isNew)),
    cwd: process.cwd(),
    get stdin() {
      // Ctrl-C must end the wait for input, too.
      return addAbortSignal(signal, process.stdin);
    },
    stdout,
    stderr,
    askSecret: canAsk
      ? async (question, takeBack) => {
          const { askSecret } = await import('./ask-secret.ts');
          return askSecret(question, process.stdin, stderr, takeBack === undefined ? signal : AbortSignal.any([signal, takeBack]));
        }
      : null,
  };
  return host;
}
