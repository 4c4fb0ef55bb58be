import { Fault } from '../../../contract/faults.ts';
import type { Clock } from '../../ports.ts';
import type { Layer } from '../backend.ts';
import { disregard, linkedAbort } from '../cancel.ts';
import { around, type Call } from './around.ts';

export interface TimeoutOptions {
  readonly clock: Clock;
  /** No answer, or no next piece of a stream, for so long is fault timeout. */
  readonly idleMs?: number | undefined;
  /** Putting a large object together takes some providers minutes, and a disk its time to flush. */
  readonly completeMs?: number | undefined;
  /** A part is given idleMs and the time that its bytes take at this speed, as a layer cannot see them leave. */
  readonly slowestBytesPerSecond?: number | undefined;
  /** How long a call that has been told to stop may take to do so. */
  readonly graceMs?: number | undefined;
}

const late = Symbol('late');

/** Ends calls that make no progress. How long a whole object takes is not limited. */
export function timeout(options: TimeoutOptions): Layer {
  const { clock, idleMs = 60_000, completeMs = 600_000, slowestBytesPerSecond = 16_384, graceMs = 5_000 } = options;

  function limitOf(call: Call): number {
    if (call.verb === 'complete') return completeMs;
    return idleMs + (call.bytes / slowestBytesPerSecond) * 1000;
  }

  /** The outcome of `work`, or `late` when it has not settled within `ms`. */
  async function within<T>(work: Promise<T>, ms: number): Promise<T | typeof late> {
    const timer = new AbortController();
    const expiry = clock.sleep(ms, timer.signal).then(
      (): typeof late => late,
      (): typeof late => late,
    );
    try {
      return await Promise.race<T | typeof late>([work, expiry]);
    } finally {
      timer.abort();
    }
  }

  async function call<T>(about: Call, run: (signal: AbortSignal | undefined) => Promise<T>): Promise<T> {
    const link = linkedAbort(about.signal);
    try {
      const work = run(link.signal);
      const outcome = await within(work, limitOf(about));
      if (outcome !== late) return outcome;
      const fault = timeoutFault(about, limitOf(about), 'temporary');
      link.abort(fault);
      const settled = await within(
        work.then(
          () => true,
          () => true,
        ),
        graceMs,
      );
      // A part that is still being written from memory which the caller takes for free would put other bytes into the object
      // that the next attempt completes. So such an upload is given up.
      if (settled === late && (about.verb === 'writePart' || about.verb === 'complete')) {
        throw timeoutFault(about, limitOf(about), 'exhausted');
      }
      throw fault;
    } finally {
      link.release();
    }
  }

  async function* stream<T>(about: Call, open: (signal: AbortSignal | undefined) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    const link = linkedAbort(about.signal);
    const iterator = open(link.signal)[Symbol.asyncIterator]();
    let ended = false;
    try {
      for (;;) {
        const step = await within(iterator.next(), idleMs);
        if (step === late) {
          const fault = timeoutFault(about, idleMs, 'temporary');
          link.abort(fault);
          throw fault;
        }
        if (step.done === true) {
          ended = true;
          return;
        }
        yield step.value;
      }
    } finally {
      if (!ended) {
        const returned = iterator.return?.();
        disregard(returned);
        if (returned !== undefined) {
          await within(
            returned.then(
              () => true,
              () => true,
            ),
            graceMs,
          );
        }
      }
      link.release();
    }
  }

  return (inner) => around(inner, { call, stream });
}

function timeoutFault(call: Call, ms: number, persistence: 'temporary' | 'exhausted'): Fault {
  return new Fault('timeout', `${call.verb} of ${call.target} made no progress for ${Math.round(ms / 1000)} seconds`, {
    operation: call.verb,
    persistence,
    context: { target: call.target, ms },
  });
}
