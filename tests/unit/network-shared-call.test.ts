import { expect, test } from 'vitest';
import { sharedCall } from '../../main/adapters/network/shared-call.ts';
import { codeOf } from '../conformance/suite-support.ts';

/** A call whose runs end when they are told to. */
function runs(): {
  call: ReturnType<typeof sharedCall<string>>;
  begun: (PromiseWithResolvers<string> & { readonly signal: AbortSignal })[];
} {
  const begun: (PromiseWithResolvers<string> & { readonly signal: AbortSignal })[] = [];
  const call = sharedCall<string>((signal) => {
    const run = { ...Promise.withResolvers<string>(), signal };
    begun.push(run);
    return run.promise;
  });
  return { call, begun };
}

test('who comes while it is under way gets the same outcome; who comes later, a new run', async () => {
  const { call, begun } = runs();
  const both = [call(undefined), call(new AbortController().signal)];
  begun[0]?.resolve('first');
  expect(await Promise.all(both)).toEqual(['first', 'first']);
  const later = call(undefined);
  begun[1]?.resolve('second');
  expect(await later).toBe('second');
  expect(begun.length).toBe(2);
});

test('a run that fails fails for all, and the next caller begins anew', async () => {
  const { call, begun } = runs();
  const both = [call(undefined), call(undefined)];
  begun[0]?.reject(new Error('no'));
  expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  void call(undefined);
  expect(begun.length).toBe(2);
});

test('one who gives up leaves the others waiting; the last one stops the run', async () => {
  const { call, begun } = runs();
  const [first, second] = [new AbortController(), new AbortController()];
  const outcomes = [codeOf(call(first.signal)), codeOf(call(second.signal))];
  first.abort();
  expect(await outcomes[0]).toBe('cancelled');
  expect(begun[0]?.signal.aborted).toBe(false);
  second.abort();
  expect(await outcomes[1]).toBe('cancelled');
  expect(begun[0]?.signal.aborted).toBe(true);
});

test('a run that hangs is not kept alive by callers that come and go', async () => {
  const { call, begun } = runs();
  const impatient = new AbortController();
  const gaveUp = codeOf(call(impatient.signal));
  const patient = call(undefined);
  impatient.abort();
  expect(await gaveUp).toBe('cancelled');
  // One still waits for the first run, and yet nobody joins it.
  const next = call(undefined);
  expect(begun.length).toBe(2);
  begun[1]?.resolve('answered');
  expect(await next).toBe('answered');
  begun[0]?.resolve('late');
  expect(await patient).toBe('late');
});
