import { cancelledFault } from '../../engine/storage/cancel.ts';

interface Flight<T> {
  readonly outcome: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * One run at a time of what several callers want done: who comes while it is under way waits for the same outcome. Each caller may give up by
 * its own signal; when none is left the run itself is stopped. Once one has given up nobody joins any more, but a new run begins: callers that come and go
 * would keep a run that hangs alive for ever.
 */
export function sharedCall<T>(run: (signal: AbortSignal) => Promise<T>): (signal: AbortSignal | undefined) => Promise<T> {
  let flight: Flight<T> | undefined;

  function begin(): Flight<T> {
    const controller = new AbortController();
    const begun: Flight<T> = { controller, waiting: 0, outcome: run(controller.signal).finally(() => land(begun)) };
    return begun;
  }

  function land(landed: Flight<T>): void {
    if (flight === landed) flight = undefined;
  }

  return async (signal) => {
    flight ??= begin();
    const own = flight;
    own.waiting++;
    try {
      return await unlessAborted(own.outcome, signal);
    } catch (error) {
      if (signal?.aborted === true) land(own);
      throw error;
    } finally {
      if (--own.waiting === 0) {
        land(own);
        own.controller.abort();
      }
    }
  };
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  return await new Promise<T>((settle, reject) => {
    const stop = (): void => reject(cancelledFault('sign in'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(settle, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
