import { Fault } from '../../contract/faults.ts';
import type { Clock } from '../ports.ts';

export function cancelledFault(operation: string): Fault {
  return new Fault('cancelled', `${operation} was cancelled`, { operation });
}

/** Throws fault cancelled once `signal` has aborted. */
export function throwIfCancelled(signal: AbortSignal | undefined, operation: string): void {
  if (signal?.aborted === true) throw cancelledFault(operation);
}

export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Takes the listener off the outer signal, which may outlive thousands of calls. */
  release(): void;
}

/** A signal of one's own that also aborts when `outer` does. */
export function linkedAbort(outer: AbortSignal | undefined): LinkedAbort {
  const controller = new AbortController();
  const forward = (): void => {
    controller.abort(outer?.reason);
  };
  if (outer?.aborted === true) forward();
  else outer?.addEventListener('abort', forward, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => {
      controller.abort(reason);
    },
    release: () => {
      outer?.removeEventListener('abort', forward);
    },
  };
}

/** For a promise whose outcome no longer matters to anyone, so that its failure must not count as unhandled. */
export function disregard(promise: Promise<unknown> | undefined): void {
  promise?.then(
    () => undefined,
    () => undefined,
  );
}

/** A pause between two looks at something: it ends early, and well, when the looking does. */
export async function restUntil(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** What `work` settles to; fault cancelled at once when `signal` aborts, whether it ends then or not. */
export async function endedOr<T>(signal: AbortSignal, work: Promise<T>, operation: string): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const stop = (): void => stopped.reject(cancelledFault(operation));
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([stopped.promise, work]);
  } finally {
    signal.removeEventListener('abort', stop);
    disregard(work);
  }
}

/** Whether `work` has ended within so long; it goes on all the same. Rejects as it does. */
export async function endsWithin(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const late = clock.sleep(ms, timer.signal).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    timer.abort();
    disregard(work);
  }
}
