import type { Fault } from '../../contract/faults.ts';
import type { Clock } from '../../engine/ports.ts';
import { linkedAbort } from '../../engine/storage/cancel.ts';

export interface TimeLimit {
  readonly clock: Clock;
  readonly ms: number;
  /** What it ends with then. */
  readonly late: () => Fault;
}

/** `work`, which is told to stop and waited for no more when its time is over: a small request that nobody answers would hang for ever. */
export async function limitedTime<T>(
  { clock, ms, late }: TimeLimit,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const link = linkedAbort(signal);
  const timer = new AbortController();
  const over = Promise.withResolvers<never>();
  clock.sleep(ms, timer.signal).then(
    () => {
      const fault = late();
      over.reject(fault);
      link.abort(fault);
    },
    () => undefined,
  );
  try {
    return await Promise.race([work(link.signal), over.promise]);
  } finally {
    timer.abort();
    link.release();
  }
}
