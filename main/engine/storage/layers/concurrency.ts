import type { Layer } from '../backend.ts';
import { cancelledFault, throwIfCancelled } from '../cancel.ts';
import { around, type Call } from './around.ts';

/** So many things at once, first come, first served. */
export interface Permits {
  /**
   * Settles, with what gives the permit back, once one is free; rejects with fault cancelled when `signal` aborts first. What is urgent is served before
   * what waits and is not.
   */
  acquire(signal: AbortSignal | undefined, operation: string, urgent?: boolean): Promise<() => void>;
}

export function permits(count: number): Permits {
  let free = count;
  const waiting: { readonly turn: () => void; readonly urgent: boolean }[] = [];

  function release(): void {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next.turn();
  }

  function permit(): () => void {
    let held = true;
    return () => {
      if (held) release();
      held = false;
    };
  }

  return {
    async acquire(signal, operation, urgent = false) {
      throwIfCancelled(signal, operation);
      if (free > 0) {
        free--;
        return permit();
      }
      return await new Promise((resolve, reject) => {
        const turn = (): void => {
          signal?.removeEventListener('abort', leave);
          resolve(permit());
        };
        const place = { turn, urgent };
        const leave = (): void => {
          waiting.splice(waiting.indexOf(place), 1);
          reject(cancelledFault(operation));
        };
        const behind = urgent ? waiting.findIndex((other) => !other.urgent) : -1;
        waiting.splice(behind < 0 ? waiting.length : behind, 0, place);
        signal?.addEventListener('abort', leave, { once: true });
      });
    },
  };
}

/**
 * At most `permits` calls at once. A read holds its permit until its stream ends or is given up, for the connection is in use so
 * long. A listing holds one only while it waits for its next item: whoever removes what is listed must not wait for himself.
 */
export function concurrency(options: { readonly permits: number }): Layer {
  const pool = permits(options.permits);

  async function call<T>(about: Call, run: (signal: AbortSignal | undefined) => Promise<T>): Promise<T> {
    const release = await pool.acquire(about.signal, about.verb);
    try {
      return await run(about.signal);
    } finally {
      release();
    }
  }

  async function* held<T>(about: Call, open: (signal: AbortSignal | undefined) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    const release = await pool.acquire(about.signal, about.verb);
    try {
      yield* open(about.signal);
    } finally {
      release();
    }
  }

  async function* stepwise<T>(
    about: Call,
    open: (signal: AbortSignal | undefined) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, undefined> {
    const iterator = open(about.signal)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await call(about, () => iterator.next());
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  return (inner) => around(inner, { call, stream: (about, open) => (about.verb === 'read' ? held(about, open) : stepwise(about, open)) });
}
