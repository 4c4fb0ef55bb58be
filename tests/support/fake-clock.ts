import { Fault } from '../../main/contract/faults.ts';
import type { Clock } from '../../main/engine/ports.ts';

export interface FakeClock extends Clock {
  /** Lets `ms` pass: wakes who sleeps in the order of time, and lets all that follows from it happen in between. */
  advance(ms: number): Promise<void>;
  /** Until when each sleeper sleeps, soonest first. */
  sleepers(): readonly number[];
  /** Settles once somebody sleeps. */
  untilSomebodySleeps(): Promise<void>;
  /** Sets the time without waking anybody, as a person or NTP does. */
  jump(ms: number): void;
}

interface Sleeper {
  readonly until: number;
  wake(): void;
}

/** Lets every promise that can settle without further events settle. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * A clock that stands still until the test moves it. With `auto` it jumps to the next sleeper as soon as nothing else can happen, so
 * that hours pass at once; only for code that waits for nothing but promises and this clock.
 */
export function fakeClock(options: { readonly now?: number; readonly auto?: boolean } = {}): FakeClock {
  let now = options.now ?? Date.UTC(2026, 10, 23, 22, 5, 0);
  const asleep: Sleeper[] = [];
  let watchers: (() => void)[] = [];
  let pumping = false;

  function leave(sleeper: Sleeper): void {
    const index = asleep.indexOf(sleeper);
    if (index >= 0) asleep.splice(index, 1);
  }

  function soonest(): Sleeper | undefined {
    return asleep.reduce<Sleeper | undefined>(
      (first, other) => (first === undefined || other.until < first.until ? other : first),
      undefined,
    );
  }

  async function pump(): Promise<void> {
    if (pumping) return;
    pumping = true;
    await settle();
    for (let next = soonest(); next !== undefined; next = soonest()) {
      now = Math.max(now, next.until);
      leave(next);
      next.wake();
      await settle();
    }
    pumping = false;
  }

  return {
    now: () => now,
    jump: (ms) => {
      now += ms;
    },
    sleepers: () => asleep.map(({ until }) => until).sort((a, b) => a - b),
    untilSomebodySleeps: () =>
      new Promise((resolve) => {
        if (asleep.length > 0) resolve();
        else watchers.push(resolve);
      }),
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        const cancelled = (): void => {
          leave(sleeper);
          reject(new Fault('cancelled', 'cancelled while waiting', { operation: 'sleep' }));
        };
        const sleeper: Sleeper = {
          until: now + Math.max(0, ms),
          wake: () => {
            signal?.removeEventListener('abort', cancelled);
            resolve();
          },
        };
        if (signal?.aborted === true) {
          cancelled();
          return;
        }
        signal?.addEventListener('abort', cancelled, { once: true });
        asleep.push(sleeper);
        for (const told of watchers.splice(0)) told();
        watchers = [];
        if (options.auto === true) void pump();
      });
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (let next = soonest(); next !== undefined && next.until <= end; next = soonest()) {
        now = Math.max(now, next.until);
        leave(next);
        next.wake();
        await settle();
      }
      now = Math.max(now, end);
      await settle();
    },
  };
}
