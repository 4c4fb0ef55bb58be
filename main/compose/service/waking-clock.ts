import type { Clock } from '../../engine/ports.ts';

export interface WakingClock extends Clock {
  /** Every sleep of now ends at once, as if its time had come. */
  wake(): void;
}

/** A clock whose sleeps may be ended early: a computer that wakes has to look at once, and its timers have stood still. */
export function wakingClock(clock: Clock): WakingClock {
  const sleeping = new Set<AbortController>();
  return {
    now: () => clock.now(),
    async sleep(ms, signal) {
      const early = new AbortController();
      sleeping.add(early);
      try {
        await clock.sleep(ms, signal === undefined ? early.signal : AbortSignal.any([signal, early.signal]));
      } catch (error) {
        if (!early.signal.aborted || signal?.aborted === true) throw error;
      } finally {
        sleeping.delete(early);
      }
    },
    wake: () => sleeping.forEach((one) => one.abort()),
  };
}
