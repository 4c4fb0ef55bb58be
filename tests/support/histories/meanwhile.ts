import type { Backend } from '../../../main/engine/storage/backend.ts';
import { around } from '../../../main/engine/storage/layers/around.ts';
import type { Dice } from './steps.ts';

/** A run of a few volumes makes about as many calls. */
const mostCalls = 80;

export interface Meanwhile {
  readonly backend: Backend;
  /** The destination was listed after it happened; false also where it did not happen at all. */
  readonly hasLooked: () => boolean;
}

/** A destination where something else happens at one of the calls, before it or when it has had its effect. Other calls wait until it has. */
export function meanwhile(inner: Backend, dice: Dice, happens: () => Promise<void>): Meanwhile {
  const [at, when] = [1 + dice(mostCalls), dice(2) === 0 ? 'before' : 'after'];
  let calls = 0;
  let looked = false;
  let happened: Promise<void> | null = null;
  async function pass(number: number, moment: 'before' | 'after'): Promise<void> {
    if (number === at && moment === when) happened = happens();
    await happened;
  }
  const backend = around(inner, {
    async call(call, run) {
      calls += 1;
      const number = calls;
      await pass(number, 'before');
      const value = await run(call.signal);
      await pass(number, 'after');
      return value;
    },
    async *stream(call, open) {
      calls += 1;
      const number = calls;
      await pass(number, 'before');
      looked ||= happened !== null && call.verb === 'list';
      yield* open(call.signal);
      await pass(number, 'after');
    },
  });
  return { backend, hasLooked: () => looked };
}
