import { asFault, Fault } from '../../../contract/faults.ts';
import type { Clock, Random } from '../../ports.ts';
import { cancelledFault, throwIfCancelled } from '../cancel.ts';

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * How often a call is made in all, the first time included. By default totalMs alone decides; but for a destination that has not answered for five
   * minutes (`Line`) it is eight times, which takes a minute at the most.
   */
  readonly attempts?: number | undefined;
  /** No attempt but the second begins later than this after the first one (a read or a listing: after its last progress). */
  readonly totalMs?: number | undefined;
  /** The n-th pause is anything between 0 and baseMs · 2ⁿ⁻¹, at most capMs ("full jitter"). */
  readonly baseMs?: number | undefined;
  readonly capMs?: number | undefined;
  /** Told before each pause. */
  readonly onRetry?: ((retry: Retry) => void) | undefined;
}

export interface Retry {
  readonly operation: string;
  readonly fault: Fault;
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly pauseMs: number;
}

/** What all calls of one destination know of it together. */
export interface Line {
  /** When it last answered, by the clock of the calls; -Infinity: never, or some call has been given up or cancelled since. */
  answeredAt: number;
}

/** Enough for a name that is not found at once, or a server that starts; whoever misspelt an address shall hear of it soon. */
const attemptsUnreached = 8;
/** A run talks to its destination again and again. Whoever only looks at something now and then does not want to wait for long. */
const underWayMs = 5 * 60_000;

export type Retrying = RetryOptions & { readonly line: Line };

/** How long one call is tried again. */
export interface Patience {
  /** Settles when it is time for the next attempt; throws when there shall be none: cancelled, a fault that stays, tries spent. */
  afterFailure(error: unknown): Promise<void>;
  /** Something came through, now or at `at`: attempts and time are counted from there. */
  progress(at?: number): void;
}

export function patience(options: Retrying, operation: string, signal: AbortSignal | undefined): Patience {
  const { clock, random, line, totalMs = 15 * 60_000, baseMs = 500, capMs = 60_000, onRetry } = options;
  let failed = 0;
  let startedAt = clock.now();
  const limit = (): number => options.attempts ?? (startedAt - line.answeredAt <= underWayMs ? Infinity : attemptsUnreached);

  return {
    progress(at = clock.now()) {
      failed = 0;
      startedAt = at;
    },
    async afterFailure(error) {
      if (signal?.aborted === true) {
        // What is cleared away after it, by calls that nobody can cancel, need not wait for a line that is down as long as work would.
        line.answeredAt = -Infinity;
        throw cancelledFault(operation);
      }
      const fault = asFault(error, operation);
      if (fault.persistence !== 'temporary') throw fault;
      failed++;
      const jitter = fraction(random) * Math.min(capMs, baseMs * 2 ** (failed - 1));
      const pauseMs = Math.ceil((fault.retryAfterMs ?? 0) + jitter);
      const elapsedMs = clock.now() - startedAt;
      // One attempt that hung may have taken all the time there is: that alone must not end the call.
      const beforeNextMs = failed === 1 ? pauseMs : elapsedMs + pauseMs;
      if (failed >= limit() || beforeNextMs > totalMs) {
        // What is cleared away after it need not wait as long again.
        line.answeredAt = -Infinity;
        throw exhausted(fault, operation, failed, elapsedMs);
      }
      onRetry?.({ operation, fault, attempt: failed, pauseMs });
      await clock.sleep(pauseMs, signal);
      throwIfCancelled(signal, operation);
    },
  };
}

/** `attempt` until it succeeds or patience ends. */
export async function patiently<T>(
  options: Retrying,
  operation: string,
  signal: AbortSignal | undefined,
  attempt: () => Promise<T>,
): Promise<T> {
  const limit = patience(options, operation, signal);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      await limit.afterFailure(error);
    }
  }
}

function exhausted(fault: Fault, operation: string, attempts: number, elapsedMs: number): Fault {
  return new Fault(fault.code, fault.message, {
    operation: fault.operation === '' ? operation : fault.operation,
    persistence: 'exhausted',
    context: { ...fault.context, attempts, elapsedMs },
    cause: fault,
    ...(fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs }),
  });
}

/** Evenly spread over [0, 1). */
function fraction(random: Random): number {
  const bytes = random.bytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32;
}
