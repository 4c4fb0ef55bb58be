import type { Backend } from '../../../main/engine/storage/backend.ts';
import { around } from '../../../main/engine/storage/layers/around.ts';
import type { Dice } from './steps.ts';

/** A run of a few volumes makes about as many calls. */
const mostCalls = 80;

export interface Meanwhile {
  readonly backend: Backend;
  /** It happened when the destination had been listed for the last time, and the manifest was about to be written or was being written. */
  readonly isTooLate: () => boolean;
}

/**
 * A destination where something else happens at one of the calls, before it or when it has had its effect; or when so many volumes are written down and no upload is open, which
 * a run would end with that is taken away. Other calls wait until it has.
 */
export function meanwhile(inner: Backend, dice: Dice, happens: () => Promise<void>): Meanwhile {
  const [at, when, behindVolume] = [1 + dice(mostCalls), dice(2) === 0 ? 'before' : 'after', dice(2) === 0 ? 1 + dice(3) : null];
  let volumes = 0;
  let calls = 0;
  let [justListed, manifestBegun, tooLate] = [false, false, false];
  let happened: Promise<void> | null = null;
  const strikes = (number: number, moment: 'before' | 'after'): boolean =>
    behindVolume === null ? number === at && moment === when : volumes === behindVolume;
  async function pass(number: number, moment: 'before' | 'after'): Promise<void> {
    if (happened === null && strikes(number, moment)) {
      tooLate = justListed || manifestBegun;
      happened = happens();
    }
    await happened;
  }
  const backend = around(inner, {
    async call(call, run) {
      calls += 1;
      const number = calls;
      manifestBegun ||= call.target.endsWith('.manifest') && call.verb !== 'stat';
      await pass(number, 'before');
      justListed = false;
      const value = await run(call.signal);
      if (call.verb === 'complete' && call.target.endsWith('.partial')) volumes += 1;
      await pass(number, 'after');
      return value;
    },
    async *stream(call, open) {
      calls += 1;
      const number = calls;
      await pass(number, 'before');
      if (happened !== null && call.verb === 'list') tooLate = false;
      yield* open(call.signal);
      justListed = call.verb === 'list';
      await pass(number, 'after');
    },
  });
  return { backend, isTooLate: () => tooLate };
}
