import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Order } from './lock-racer.ts';

export interface Racer {
  readonly process: ChildProcess;
  /** Settles to the answer; rejects when the process fails or ends before it. */
  ask(order: Order): Promise<unknown>;
  kill(): Promise<void>;
}

export async function startRacer(): Promise<Racer> {
  const child = fork(new URL('./lock-racer.ts', import.meta.url), { execArgv: [] });
  await once(child, 'message');
  return {
    process: child,
    ask: (order) =>
      new Promise((resolve, reject) => {
        const ended = (code: number | null, signal: string | null): void => reject(new Error(`ended: ${code ?? signal}`));
        child.once('exit', ended);
        child.once('message', (answer: { readonly value?: unknown; readonly error?: string }) => {
          child.off('exit', ended);
          if (answer.error === undefined) resolve(answer.value);
          else reject(new Error(answer.error));
        });
        child.send(order);
      }),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
