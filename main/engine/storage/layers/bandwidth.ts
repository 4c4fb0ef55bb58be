import type { Clock } from '../../ports.ts';
import type { Layer } from '../backend.ts';
import { throwIfCancelled } from '../cancel.ts';
import { around, type Call } from './around.ts';
import { permits } from './concurrency.ts';

export interface BandwidthLimits {
  /** Bytes a second; absent: unlimited. */
  readonly up?: number | undefined;
  readonly down?: number | undefined;
}

export interface Bandwidth {
  readonly layer: Layer;
  /** Counts at once, for those who are waiting too. */
  setLimits(limits: BandwidthLimits): void;
}

interface Bucket {
  take(bytes: number, signal: AbortSignal | undefined, operation: string): Promise<void>;
  setRate(rate: number | undefined): void;
}

/**
 * A token bucket that holds one second's worth. Whoever finds it above zero may take any amount and leaves a debt that the next one
 * waits for, so parts larger than a second's worth pass too, and the long-run average is the rate.
 */
function tokenBucket(clock: Clock, initialRate: number | undefined): Bucket {
  const turn = permits(1);
  let rate = initialRate;
  let tokens = rate ?? 0;
  let filledAt = clock.now();
  let changed = new AbortController();

  function refill(): void {
    const now = clock.now();
    if (rate !== undefined) tokens = Math.min(rate, tokens + (rate * Math.max(0, now - filledAt)) / 1000);
    filledAt = now;
  }

  return {
    setRate(next) {
      refill();
      tokens = next === undefined ? 0 : Math.min(tokens, next);
      rate = next;
      changed.abort();
      changed = new AbortController();
    },
    async take(bytes, signal, operation) {
      const release = await turn.acquire(signal, operation);
      try {
        for (;;) {
          refill();
          if (rate === undefined) return;
          if (tokens > 0) {
            tokens -= bytes;
            return;
          }
          const wake = signal === undefined ? changed.signal : AbortSignal.any([changed.signal, signal]);
          // At least a millisecond: a debt of a fraction of a byte would otherwise be waited for without end.
          await clock.sleep(Math.max(1, Math.ceil((-tokens / rate) * 1000)), wake).catch((error: unknown) => {
            if (!wake.aborted) throw error;
          });
          throwIfCancelled(signal, operation);
        }
      } finally {
        release();
      }
    },
  };
}

/** Holds parts back before they are sent and pieces after they have come. One Bandwidth may serve several destinations. */
export function bandwidth(options: { readonly clock: Clock; readonly limits?: BandwidthLimits }): Bandwidth {
  const up = tokenBucket(options.clock, options.limits?.up);
  const down = tokenBucket(options.clock, options.limits?.down);

  async function call<T>(about: Call, run: (signal: AbortSignal | undefined) => Promise<T>): Promise<T> {
    if (about.bytes > 0) await up.take(about.bytes, about.signal, about.verb);
    return await run(about.signal);
  }

  async function* stream<T>(about: Call, open: (signal: AbortSignal | undefined) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    for await (const item of open(about.signal)) {
      if (item instanceof Uint8Array) await down.take(item.byteLength, about.signal, about.verb);
      yield item;
    }
  }

  return {
    layer: (inner) => around(inner, { call, stream }),
    setLimits(limits) {
      up.setRate(limits.up);
      down.setRate(limits.down);
    },
  };
}
