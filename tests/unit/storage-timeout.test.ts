import { expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Layer } from '../../main/engine/storage/backend.ts';
import { timeout } from '../../main/engine/storage/layers/timeout.ts';
import { stack } from '../../main/engine/storage/stack.ts';
import { codeOf, collect, get, patterned, put } from '../conformance/suite-support.ts';
import { chaos } from '../support/chaos.ts';
import { fakeClock, settle } from '../support/fake-clock.ts';

const hanging = (verb: string): Layer => chaos((call) => (call.verb === verb ? { kind: 'hang' } : null));

/** Whether `work` has settled once everything that could happen has happened. */
async function settled(work: Promise<unknown>): Promise<boolean> {
  let done = false;
  const mark = (): void => {
    done = true;
  };
  work.then(mark, mark);
  await settle();
  return done;
}

test.each(['stat', 'remove', 'beginUpload', 'abandon'] as const)(
  'a call without answer is fault timeout after the idle time: %s',
  async (verb) => {
    const clock = fakeClock();
    const backend = stack(memoryBackend(), hanging(verb), timeout({ clock, idleMs: 10_000 }));
    const result = codeOf(backend[verb]('name'));
    await clock.advance(9_999);
    expect(await settled(result)).toBe(false);
    await clock.advance(1);
    expect(await result).toBe('timeout');
    expect(clock.sleepers()).toEqual([]);
  },
);

test('a part may take as long as its bytes need at the slowest speed', async () => {
  const clock = fakeClock();
  const backend = stack(memoryBackend(), hanging('writePart'), timeout({ clock, idleMs: 10_000, slowestBytesPerSecond: 1_000 }));
  const upload = await backend.beginUpload('a');
  const result = codeOf(upload.writePart(0, patterned(60_000)));
  await clock.advance(69_999);
  expect(await settled(result)).toBe(false);
  await clock.advance(1);
  expect(await result).toBe('timeout');
});

test('complete() has its own limit', async () => {
  const clock = fakeClock();
  const backend = stack(memoryBackend(), hanging('complete'), timeout({ clock, idleMs: 1_000, completeMs: 300_000 }));
  const upload = await backend.beginUpload('a');
  await upload.writePart(0, patterned(10));
  const result = codeOf(upload.complete());
  await clock.advance(299_999);
  expect(await settled(result)).toBe(false);
  await clock.advance(1);
  expect(await result).toBe('timeout');
});

test('a part that does not stop when told to ends the upload, so that its memory is not sent again while it is still read', async () => {
  const clock = fakeClock();
  const deaf: Layer = (inner) => ({
    ...inner,
    beginUpload: async (key, options) => ({
      ...(await inner.beginUpload(key, options)),
      writePart: () => new Promise<void>(() => undefined),
    }),
  });
  const backend = stack(memoryBackend(), deaf, timeout({ clock, idleMs: 1_000, graceMs: 500 }));
  const upload = await backend.beginUpload('a');
  const failed = upload.writePart(0, patterned(10)).catch((error: unknown) => error);
  await clock.advance(5_000);
  expect(await failed).toMatchObject({ code: 'timeout', persistence: 'exhausted' });
});

test('a whole object may take any time while its pieces keep coming', async () => {
  const clock = fakeClock();
  const base = memoryBackend({ pieceSize: 10_000 });
  await put(base, 'a', patterned(500_000));
  const slow: Layer = (inner) => ({
    ...inner,
    read: async (key, options) => {
      const pieces = await inner.read(key, options);
      return (async function* () {
        for await (const piece of pieces) {
          await clock.sleep(9_000);
          yield piece;
        }
      })();
    },
  });
  const reading = get(stack(base, slow, timeout({ clock, idleMs: 10_000 })), 'a');
  await clock.advance(9_000 * 50);
  expect((await reading).equals(patterned(500_000))).toBe(true);
});

test('a stream whose next piece does not come is fault timeout, and its source is told to stop', async () => {
  const clock = fakeClock();
  let freed = false;
  const stuck: Layer = (inner) => ({
    ...inner,
    read: async (_key, options) =>
      (async function* () {
        try {
          yield new Uint8Array(10);
          await new Promise((_, reject) => options?.signal?.addEventListener('abort', () => reject(new Fault('cancelled', 'stopped'))));
        } finally {
          freed = true;
        }
      })(),
  });
  const result = codeOf(get(stack(memoryBackend(), stuck, timeout({ clock, idleMs: 10_000 })), 'a'));
  await clock.advance(9_999);
  expect(await settled(result)).toBe(false);
  await clock.advance(1);
  expect(await result).toBe('timeout');
  expect(freed).toBe(true);
  expect(clock.sleepers()).toEqual([]);
});

test('the time in which the reader is busy with a piece does not count', async () => {
  const clock = fakeClock();
  const base = memoryBackend({ pieceSize: 100 });
  await put(base, 'a', patterned(300));
  let bytes = 0;
  for await (const piece of await stack(base, timeout({ clock, idleMs: 1_000 })).read('a')) {
    bytes += piece.byteLength;
    await clock.advance(60_000);
  }
  expect(bytes).toBe(300);
});

test('a listing that stands still is fault timeout', async () => {
  const clock = fakeClock();
  const result = codeOf(collect(stack(memoryBackend(), hanging('list'), timeout({ clock, idleMs: 10_000 })).list('')));
  await clock.advance(10_000);
  expect(await result).toBe('timeout');
});

test('cancelling is passed on and leaves nobody sleeping', async () => {
  const clock = fakeClock();
  const controller = new AbortController();
  const result = codeOf(stack(memoryBackend(), hanging('stat'), timeout({ clock })).stat('a', { signal: controller.signal }));
  await clock.untilSomebodySleeps();
  controller.abort();
  expect(await result).toBe('cancelled');
  expect(clock.sleepers()).toEqual([]);
});
