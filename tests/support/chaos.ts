import { Fault } from '../../main/contract/faults.ts';
import type { Layer } from '../../main/engine/storage/backend.ts';
import { around, type Call, type Verb } from '../../main/engine/storage/layers/around.ts';
import { seededNumbers } from './seeded-random.ts';

/** What happens to one call. */
export type Blow =
  /** It never arrives. */
  | { readonly kind: 'before'; readonly fault: Fault }
  /** It takes effect, but its reply is lost. */
  | { readonly kind: 'after'; readonly fault: Fault }
  /** Never answers, until it is told to stop. */
  | { readonly kind: 'hang' }
  /** A stream ends after so many items, the last read piece halved; without a fault it ends as if it were complete. */
  | { readonly kind: 'cut'; readonly items: number; readonly fault?: Fault };

/** Does to each call what `decide` says. */
export function chaos(decide: (call: Call) => Blow | null): Layer {
  return (inner) =>
    around(inner, {
      async call(call, run) {
        const blow = decide(call);
        if (blow?.kind === 'before') throw blow.fault;
        if (blow?.kind === 'hang') return await hang(call.signal);
        if (blow?.kind !== 'after') return await run(call.signal);
        await run(call.signal).catch(() => undefined);
        throw blow.fault;
      },
      stream: (call, open) => struckStream(call, decide(call), open),
    });
}

async function* struckStream<T>(
  call: Call,
  blow: Blow | null,
  open: (signal: AbortSignal | undefined) => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  if (blow?.kind === 'before') throw blow.fault;
  if (blow?.kind === 'hang') await hang(call.signal);
  let left = blow?.kind === 'cut' ? blow.items : Infinity;
  for await (const item of open(call.signal)) {
    if (left-- <= 0) {
      if (item instanceof Uint8Array) yield item.subarray(0, item.byteLength >> 1) as T;
      if (blow?.kind === 'cut' && blow.fault !== undefined) throw blow.fault;
      return;
    }
    yield item;
  }
  if (blow?.kind === 'after') throw blow.fault;
}

async function hang(signal: AbortSignal | undefined): Promise<never> {
  return await new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new Fault('cancelled', 'stopped')), { once: true });
  });
}

export interface RandomChaos {
  readonly layer: Layer;
  /** How many calls were struck so far, by verb and kind. */
  struck(): ReadonlyMap<string, number>;
}

/**
 * Strikes about `rate` of all calls, the same ones for the same seed. The reply to beginUpload is never lost unless asked for: the
 * upload it began stays open then, as with any provider, until a later run clears it.
 */
export function randomChaos(options: {
  readonly seed: number;
  readonly rate: number;
  readonly loseBegun?: boolean;
  /** For a clock that really passes: no pause is asked for, and few calls hang, as each costs the whole timeout. */
  readonly inRealTime?: boolean;
}): RandomChaos {
  const next = seededNumbers(options.seed);
  const struck = new Map<string, number>();

  function decide(call: Call): Blow | null {
    if (next() >= options.rate) return null;
    const blow = choose(call);
    const name = `${call.verb} ${blow.kind}`;
    struck.set(name, (struck.get(name) ?? 0) + 1);
    return blow;
  }

  function choose(call: Call): Blow {
    const fault = weather(next(), call.verb, options.inRealTime === true);
    const luck = next();
    const streams = call.verb === 'read' || call.verb === 'list' || call.verb === 'openUploads';
    if (luck < (options.inRealTime === true ? 0.02 : 0.1) && call.verb !== 'abort') return { kind: 'hang' };
    if (luck < 0.4 && streams) {
      const items = Math.floor(next() * 4);
      // A stream whose length nobody knows cannot be seen to be short: to end it properly is the backend's promise.
      return call.range !== undefined && next() < 0.5 ? { kind: 'cut', items } : { kind: 'cut', items, fault };
    }
    if (luck < 0.7 && (call.verb !== 'beginUpload' || options.loseBegun === true)) return { kind: 'after', fault };
    return { kind: 'before', fault };
  }

  return { layer: chaos(decide), struck: () => struck };
}

function weather(luck: number, operation: string, inRealTime: boolean): Fault {
  const retryAfterMs = inRealTime ? 0 : 1_000 + Math.floor(luck * 10_000);
  if (luck < 0.3) return new Fault('rate-limited', 'slow down', { operation, retryAfterMs });
  if (luck < 0.5) return new Fault('timeout', 'no answer', { operation });
  return new Fault('unavailable', 'connection reset', { operation });
}

export interface ExactChaos {
  readonly layer: Layer;
  /** Calls seen so far: run once with `k` beyond the end to learn how many there are. */
  calls(): readonly Verb[];
}

/** Fails exactly the k-th call (from 1) of all, or of the given verbs. For loops over every operation of a run. */
export function failCall(options: {
  readonly k: number;
  readonly fault: Fault;
  readonly when: 'before' | 'after';
  readonly verbs?: readonly Verb[];
}): ExactChaos {
  const seen: Verb[] = [];
  const layer = chaos((call) => {
    if (options.verbs !== undefined && !options.verbs.includes(call.verb)) return null;
    seen.push(call.verb);
    return seen.length === options.k ? { kind: options.when, fault: options.fault } : null;
  });
  return { layer, calls: () => seen };
}

export interface Counting {
  readonly layer: Layer;
  readonly calls: Call[];
  count(verb: Verb): number;
}

/** Counts what reaches the backend. */
export function countingBackend(): Counting {
  const calls: Call[] = [];
  const layer = chaos((call) => {
    calls.push(call);
    return null;
  });
  return { layer, calls, count: (verb) => calls.filter((call) => call.verb === verb).length };
}
