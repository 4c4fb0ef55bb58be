import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '../../contract/faults.ts';
import type { Clock } from '../../engine/ports.ts';

/** A Node timer counts in 32 bits: anything longer fires at once. Longer sleeps are made of several. */
const longestTimerMs = 0x7fff_ffff;

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  // `ms` of NaN or below zero is no wait at all, but a signal that has already aborted still counts.
  let left = ms > 0 ? ms : 0;
  try {
    do {
      const slice = Math.min(left, longestTimerMs);
      await delay(slice, undefined, signal === undefined ? {} : { signal });
      left -= slice;
    } while (left > 0);
  } catch (error) {
    throw new Fault('cancelled', 'cancelled while waiting', { operation: 'sleep', cause: error });
  }
}

/** The computer's own clock. */
export const systemClock: Clock = { now: () => Date.now(), sleep };
