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
  /** A part is given idleMs and the time that its bytes take at this speed, as a layer cannot see them leave. Connections see it, and end sooner. */
  readonly slowestBytesPerSecond?: number | undefined;
  /** A read that brings fewer bytes a second than this while trickleMs are spent waiting for it is fault timeout too. */
  readonly trickleBytesPerSecond?: number | undefined;
  readonly trickleMs?: number | undefined;
  /** How long a call that has been told to stop may take to do so. */
  readonly graceMs?: number | undefined;
}

const late = Symbol('late');

/** Ends calls that make no progress. How long a whole object takes is not limited. */
export function timeout(options: TimeoutOptions): Layer {
  const { clock, idleMs = 60_000, completeMs = 600_000, slowestBytesPerSecond = 16_384, graceMs = 5_000 } = options;
  const { trickleBytesPerSecond = 1024, trickleMs = 180_000 } = options;

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
    const pace = about.verb === 'read' ? paceOf(trickleMs, trickleBytesPerSecond) : null;
    let ended = false;
    try {
      for (;;) {
        const since = clock.now();
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
        // The timer would have ended a longer wait: what is more is a clock that was set, or a computer that slept.
        pace?.add(step.value, Math.min(Math.max(0, clock.now() - since), idleMs));
        yield step.value;
        // Only now, so that what has come is kept.
        const bytes = pace?.tooFew() ?? null;
        if (bytes === null) continue;
        const fault = trickleFault(about, bytes, trickleMs);
        link.abort(fault);
        throw fault;
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

interface Pace {
  add(item: unknown, waitedMs: number): void;
  /** How many bytes the time that is over has brought, when they were too few; the next time then begins. */
  tooFew(): number | null;
}

/**
 * Counts the time that was spent waiting for a stream, and no other: while its reader is busy, or holds back for a limit of bandwidth, nothing is asked
 * of it. So a slow reader never looks like a slow server.
 */
function paceOf(windowMs: number, bytesPerSecond: number): Pace {
  const least = (windowMs / 1000) * bytesPerSecond;
  let waited = 0;
  let bytes = 0;
  return {
    add(item, waitedMs) {
      waited += waitedMs;
      if (item instanceof Uint8Array) bytes += item.byteLength;
    },
    tooFew() {
      if (waited < windowMs) return null;
      const came = bytes;
      waited = 0;
      bytes = 0;
      return came < least ? came : null;
    },
  };
}

function trickleFault(call: Call, bytes: number, ms: number): Fault {
  return new Fault('timeout', `${call.verb} of ${call.target} brought only ${bytes} bytes in ${Math.round(ms / 1000)} seconds`, {
    operation: call.verb,
    persistence: 'temporary',
    context: { target: call.target, ms, trickled: bytes },
  });
}

function timeoutFault(call: Call, ms: number, persistence: 'temporary' | 'exhausted'): Fault {
  return new Fault('timeout', `${call.verb} of ${call.target} made no progress for ${Math.round(ms / 1000)} seconds`, {
    operation: call.verb,
    persistence,
    context: { target: call.target, ms },
  });
}
