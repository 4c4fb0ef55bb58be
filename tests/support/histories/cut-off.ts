import { Fault } from '../../../main/contract/faults.ts';
import type { Backend } from '../../../main/engine/storage/backend.ts';
import { around } from '../../../main/engine/storage/layers/around.ts';
import type { Dice } from './steps.ts';

/** What ends a run: nothing reaches the destination any more, not even what clears up; one call fails; or the run is cancelled. */
const ways = ['killed', 'refused', 'cancelled'] as const;
/** A run of a few volumes makes about as many calls. */
const mostCalls = 80;

export interface CutOff {
  readonly backend: Backend;
  readonly signal: AbortSignal;
}

/** A destination at one of whose calls a run ends, before the call or when it has had its effect. One that makes fewer calls comes to its end. */
export function cutOff(inner: Backend, dice: Dice): CutOff {
  const way = ways[dice(ways.length)];
  const [last, when] = [1 + dice(mostCalls), dice(2) === 0 ? 'before' : 'after'];
  const stop = new AbortController();
  let calls = 0;
  let dead = false;
  function check(number: number, moment: typeof when): void {
    const strikes = number === last && moment === when;
    if (strikes && way === 'cancelled') stop.abort();
    dead ||= strikes && way === 'killed';
    if (dead) throw new Fault('unavailable', 'the process is dead', { operation: 'test' });
    if (strikes && way === 'refused') throw new Fault('quota-exceeded', 'the destination is full', { operation: 'test' });
  }
  const backend = around(inner, {
    async call(call, run) {
      calls += 1;
      const number = calls;
      check(number, 'before');
      const value = await run(call.signal);
      check(number, 'after');
      return value;
    },
    async *stream(call, open) {
      calls += 1;
      const number = calls;
      check(number, 'before');
      yield* open(call.signal);
      check(number, 'after');
    },
  });
  return { backend, signal: stop.signal };
}
