import { expect, test } from 'vitest';
import { targetCalls, type TargetCalls } from '../../main/compose/service/target-calls.ts';
import type { Fault } from '../../main/contract/faults.ts';
import type { UndoTarget } from '../../main/engine/snapshots/restore-target.ts';
import { throwIfCancelled } from '../../main/engine/storage/cancel.ts';

const never = new AbortController().signal;

/** An undo that waits to be told, once before and once after the point of no return. */
function slowly(): { readonly calls: TargetCalls; readonly goOn: () => void; readonly at: (step: 'begun' | 'past') => Promise<void> } {
  const begun = Promise.withResolvers<undefined>();
  const past = Promise.withResolvers<undefined>();
  let go = Promise.withResolvers<undefined>();
  const undo: UndoTarget = {
    list: () => Promise.resolve([]),
    discard: () => Promise.resolve([]),
    async undo(_, { signal, onNoReturn }) {
      begun.resolve(undefined);
      await go.promise;
      throwIfCancelled(signal, 'undo');
      onNoReturn?.();
      go = Promise.withResolvers();
      past.resolve(undefined);
      await go.promise;
      return { restored: '/srv.before', before: null, notes: [] };
    },
  };
  const host = { now: () => 0, openTargets: () => Promise.resolve({ undo } as never) };
  return {
    calls: targetCalls(host),
    goOn: () => go.resolve(undefined),
    at: async (step) => {
      await (step === 'begun' ? begun : past).promise;
    },
  };
}

const target = '/srv';

test('an undo is stopped before it changes anything; its own call says so', async () => {
  const { calls, goOn, at } = slowly();
  expect(await calls['undo.cancel']({ target }, never)).toEqual({ state: 'none' });
  const ended = calls['undo.run']({ target, force: false }, never).catch((error: unknown) => error);
  await at('begun');
  expect(await calls['undo.cancel']({ target }, never)).toEqual({ state: 'stopped' });
  goOn();
  expect(await ended).toMatchObject({ code: 'cancelled' } satisfies Partial<Fault>);
  expect(await calls['undo.cancel']({ target }, never)).toEqual({ state: 'none' });
});

test('past the point of no return it ends as if nobody had asked, and that is said; whoever hangs up stops nothing', async () => {
  const { calls, goOn, at } = slowly();
  const hungUp = AbortSignal.abort();
  const ended = calls['undo.run']({ target, force: false }, hungUp);
  await at('begun');
  goOn();
  await at('past');
  expect(await calls['undo.cancel']({ target }, never)).toEqual({ state: 'ending' });
  expect(await calls['undo.cancel']({ target: '/other' }, never)).toEqual({ state: 'none' });
  goOn();
  expect(await ended).toEqual({ restored: '/srv.before', before: null, notes: [] });
});
