import { asFault, type FaultCode } from '../../../contract/faults.ts';
import type { Clock } from '../../ports.ts';
import type { Layer } from '../backend.ts';
import { around, type Call, type Verb } from './around.ts';

/** One finished call. A stream counts as one, from its first step to its end. */
export interface CallRecord {
  readonly verb: Verb;
  readonly target: string;
  readonly outcome: 'done' | FaultCode;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly elapsedMs: number;
}

export interface CallTotals {
  calls: number;
  failures: number;
  bytesUp: number;
  bytesDown: number;
  elapsedMs: number;
}

export interface Observation {
  readonly layer: Layer;
  /** By verb; what has not been called is absent. */
  totals(): ReadonlyMap<Verb, Readonly<CallTotals>>;
}

export function observe(options: { readonly clock: Clock; readonly onCall?: ((record: CallRecord) => void) | undefined }): Observation {
  const { clock, onCall } = options;
  const totals = new Map<Verb, CallTotals>();

  function finish(about: Call, startedAt: number, outcome: 'done' | FaultCode, bytesDown: number): void {
    const bytesUp = outcome === 'done' ? about.bytes : 0;
    const elapsedMs = clock.now() - startedAt;
    const sum = totals.get(about.verb) ?? { calls: 0, failures: 0, bytesUp: 0, bytesDown: 0, elapsedMs: 0 };
    sum.calls++;
    if (outcome !== 'done') sum.failures++;
    sum.bytesUp += bytesUp;
    sum.bytesDown += bytesDown;
    sum.elapsedMs += elapsedMs;
    totals.set(about.verb, sum);
    onCall?.({ verb: about.verb, target: about.target, outcome, bytesUp, bytesDown, elapsedMs });
  }

  async function call<T>(about: Call, run: (signal: AbortSignal | undefined) => Promise<T>): Promise<T> {
    const startedAt = clock.now();
    let outcome: 'done' | FaultCode = 'done';
    try {
      return await run(about.signal);
    } catch (error) {
      outcome = asFault(error, about.verb).code;
      throw error;
    } finally {
      finish(about, startedAt, outcome, 0);
    }
  }

  async function* stream<T>(about: Call, open: (signal: AbortSignal | undefined) => AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    const startedAt = clock.now();
    let outcome: 'done' | FaultCode = 'done';
    let bytesDown = 0;
    try {
      for await (const item of open(about.signal)) {
        if (item instanceof Uint8Array) bytesDown += item.byteLength;
        yield item;
      }
    } catch (error) {
      outcome = asFault(error, about.verb).code;
      throw error;
    } finally {
      finish(about, startedAt, outcome, bytesDown);
    }
  }

  return { layer: (inner) => around(inner, { call, stream }), totals: () => totals };
}
