import { Worker } from 'node:worker_threads';
import { asFault, Fault } from '../../contract/faults.ts';
import type { Clock } from '../../engine/ports.ts';

export interface JudgeQuestion {
  readonly password: string;
  readonly language: 'en' | 'de';
  /** Names that somebody who attacks this computer would try first. */
  readonly known: readonly string[];
}

export interface Judgement {
  /** 0: guessed at once; 4: beyond reach. */
  readonly score: 0 | 1 | 2 | 3 | 4;
  readonly warning: string;
  readonly suggestions: readonly string[];
}

export interface PasswordJudge {
  judge(question: JudgeQuestion): Promise<Judgement>;
  /** Gives back what it holds. */
  close(): Promise<void>;
}

interface Running {
  readonly worker: Worker;
  readonly waiting: Map<number, PromiseWithResolvers<Judgement>>;
}

/** Its dictionaries take about 100 MB: they are there while somebody types, and a moment longer. */
const idleMs = 60_000;

/** Judges passwords in a thread of its own, which is started when it is first asked: neither time nor memory of the service is spent on it. */
export function passwordJudge(clock: Clock): PasswordJudge {
  let running: Running | null = null;
  let asked = 0;
  let rest = new AbortController();

  function start(): Running {
    const worker = new Worker(new URL('./judge-worker.ts', import.meta.url));
    worker.unref();
    const waiting = new Map<number, PromiseWithResolvers<Judgement>>();
    const started: Running = { worker, waiting };
    const lost = (error: unknown): void => {
      if (running === started) running = null;
      for (const { reject } of waiting.values()) reject(asFault(error, 'judge password'));
      waiting.clear();
    };
    worker.on('message', ({ id, judgement }: { readonly id: number; readonly judgement: Judgement }) => {
      waiting.get(id)?.resolve(judgement);
      waiting.delete(id);
    });
    worker.on('error', lost);
    worker.on('exit', () => lost(new Fault('unexpected', 'the thread that judges passwords has ended', { operation: 'judge password' })));
    return started;
  }

  async function close(): Promise<void> {
    rest.abort();
    const ending = running;
    // Who asks from now on gets a thread of their own.
    running = null;
    await ending?.worker.terminate();
  }

  return {
    async judge(question) {
      rest.abort();
      running ??= start();
      const { worker, waiting } = running;
      const id = (asked += 1);
      const answer = Promise.withResolvers<Judgement>();
      waiting.set(id, answer);
      // While somebody waits for it, the process does not end.
      worker.ref();
      worker.postMessage({ id, question });
      try {
        return await answer.promise;
      } finally {
        if (waiting.size === 0) {
          worker.unref();
          rest = new AbortController();
          clock.sleep(idleMs, rest.signal).then(close, () => undefined);
        }
      }
    },
    close,
  };
}
