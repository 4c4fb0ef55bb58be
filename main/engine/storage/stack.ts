import type { Clock, Random } from '../ports.ts';
import type { Backend, Layer } from './backend.ts';
import { bandwidth, type Bandwidth } from './layers/bandwidth.ts';
import { concurrency } from './layers/concurrency.ts';
import { observe, type CallRecord, type Observation } from './layers/observe.ts';
import type { RetryOptions } from './layers/patience.ts';
import { retry } from './layers/retry.ts';
import { timeout, type TimeoutOptions } from './layers/timeout.ts';

/** `base` with layers around it, the innermost first. */
export function stack(base: Backend, ...layers: readonly Layer[]): Backend {
  return layers.reduce((inner, layer) => layer(inner), base);
}

export interface StackOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Calls at once. More streams read at the same time than this wait for each other. */
  readonly permits?: number;
  readonly timeout?: Omit<TimeoutOptions, 'clock'>;
  readonly retry?: Omit<RetryOptions, 'clock' | 'random'>;
  /** Shared with other destinations, or with who changes the limits. */
  readonly bandwidth?: Bandwidth;
  readonly onCall?: (record: CallRecord) => void;
}

export interface StandardStack {
  readonly backend: Backend;
  readonly bandwidth: Bandwidth;
  readonly observation: Observation;
}

/**
 * The layers in their one right order, innermost first:
 * observe    counts what really goes to the provider, every attempt;
 * timeout    inside concurrency: waiting for a permit is not idleness;
 * concurrency inside bandwidth and retry: who waits for his share or for the next attempt holds no permit;
 * bandwidth  inside retry: bytes that are sent twice count twice;
 * retry      outermost: it also sees the timeouts.
 */
export function standardStack(base: Backend, options: StackOptions): StandardStack {
  const { clock, random } = options;
  const observation = observe({ clock, onCall: options.onCall });
  const limiter = options.bandwidth ?? bandwidth({ clock });
  const backend = stack(
    base,
    observation.layer,
    timeout({ clock, ...options.timeout }),
    concurrency({ permits: options.permits ?? 8 }),
    limiter.layer,
    retry({ clock, random, ...options.retry }),
  );
  return { backend, bandwidth: limiter, observation };
}
