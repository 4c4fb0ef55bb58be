import { Fault } from '../../main/contract/faults.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { around, type Call } from '../../main/engine/storage/layers/around.ts';

export interface Mortal {
  readonly backend: Backend;
  readonly isDead: () => boolean;
  /** Bytes of all parts that arrived, whatever became of them. */
  readonly sentBytes: () => number;
}

/**
 * A destination that nothing reaches any more from a call on, as after kill -9: not even what clears up. `dies` is asked before each call and after it, when
 * it has had its effect.
 */
export function mortal(inner: Backend, dies: (call: Call, when: 'before' | 'after') => boolean): Mortal {
  let dead = false;
  let sentBytes = 0;
  const check = (call: Call, when: 'before' | 'after'): void => {
    dead ||= dies(call, when);
    if (dead) throw new Fault('unavailable', 'the process is dead', { operation: call.verb });
  };
  const backend = around(inner, {
    async call(call, run) {
      check(call, 'before');
      const value = await run(call.signal);
      sentBytes += call.bytes;
      check(call, 'after');
      return value;
    },
    async *stream(call, open) {
      check(call, 'before');
      yield* open(call.signal);
    },
  });
  return { backend, isDead: () => dead, sentBytes: () => sentBytes };
}
