import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault, type FaultCode } from '../../main/contract/faults.ts';
import type { Backend, Layer } from '../../main/engine/storage/backend.ts';
import type { Retry } from '../../main/engine/storage/layers/patience.ts';
import { retry } from '../../main/engine/storage/layers/retry.ts';
import { stack } from '../../main/engine/storage/stack.ts';
import { uploadBytes } from '../../main/engine/storage/upload-object.ts';
import { codeOf, collect, get, patterned, put } from '../conformance/suite-support.ts';
import { chaos, countingBackend, failCall } from '../support/chaos.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';

const unavailable = new Fault('unavailable', 'connection reset');

function alwaysFailing(fault: Fault): Layer {
  return chaos(() => ({ kind: 'before', fault }));
}

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

describe('pauses', () => {
  async function pauses(random: { bytes(length: number): Uint8Array }, fault = unavailable): Promise<readonly number[]> {
    const seen: Retry[] = [];
    const clock = fakeClock({ auto: true });
    const options = { clock, random, attempts: 10, baseMs: 100, capMs: 1_000, onRetry: (pause: Retry) => void seen.push(pause) };
    await faultOf(stack(memoryBackend(), alwaysFailing(fault), retry(options)).stat('a'));
    return seen.map(({ pauseMs }) => pauseMs);
  }

  test('grow by doubling up to the cap when the dice fall highest', async () => {
    const highest = await pauses({ bytes: (length) => new Uint8Array(length).fill(255) });
    expect(highest).toEqual([100, 200, 400, 800, 1000, 1000, 1000, 1000, 1000]);
  });

  test('are nothing at all when the dice fall lowest', async () => {
    expect(await pauses({ bytes: (length) => new Uint8Array(length) })).toEqual(Array.from({ length: 9 }, () => 0));
  });

  test('are spread over the whole interval, so that many clients do not come back at one moment', async () => {
    const firsts: number[] = [];
    for (let seed = 1; seed <= 200; seed++) firsts.push((await pauses(seededRandom(seed)))[0] ?? -1);
    const quarters = [0, 25, 50, 75].map((from) => firsts.filter((pause) => pause > from && pause <= from + 25).length);
    for (const quarter of quarters) expect(quarter).toBeGreaterThan(20);
    expect(Math.min(...firsts)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...firsts)).toBeLessThanOrEqual(100);
  });

  test('never end before the time that the provider asked for', async () => {
    const asked = new Fault('rate-limited', 'slow down', { retryAfterMs: 7_000 });
    for (const pause of await pauses(seededRandom(3), asked)) expect(pause).toBeGreaterThanOrEqual(7_000);
  });
});

test('no request is made before Retry-After has passed, one is made afterwards', async () => {
  const clock = fakeClock();
  const counting = countingBackend();
  const once = failCall({ k: 1, fault: new Fault('rate-limited', 'slow down', { retryAfterMs: 30_000 }), when: 'before' });
  const backend = stack(memoryBackend(), once.layer, counting.layer, retry({ clock, random: seededRandom(1), baseMs: 100 }));
  const result = codeOf(backend.stat('none'));
  await clock.advance(29_999);
  expect(counting.count('stat')).toBe(1);
  await clock.advance(101);
  expect(counting.count('stat')).toBe(2);
  expect(await result).toBe('not-found');
});

test.each<FaultCode>(['not-found', 'permission-denied', 'quota-exceeded', 'unauthenticated', 'disk-full', 'corrupt', 'unexpected'])(
  'a fault that stays is not tried again: %s',
  async (code) => {
    const counting = countingBackend();
    const backend = stack(
      memoryBackend(),
      alwaysFailing(new Fault(code, 'no')),
      counting.layer,
      retry({ clock: fakeClock(), random: seededRandom(1) }),
    );
    const fault = await faultOf(backend.stat('a'));
    expect([fault.code, fault.persistence, counting.count('stat')]).toEqual([code, 'permanent', 1]);
  },
);

test('after the last attempt the fault is marked exhausted and keeps what it was', async () => {
  const counting = countingBackend();
  const backend = stack(
    memoryBackend(),
    alwaysFailing(unavailable),
    counting.layer,
    retry({ clock: fakeClock({ auto: true }), random: seededRandom(1), attempts: 5 }),
  );
  const fault = await faultOf(backend.remove('a'));
  expect(fault).toMatchObject({ code: 'unavailable', persistence: 'exhausted', operation: 'remove', message: 'connection reset' });
  expect(fault.context['attempts']).toBe(5);
  expect(fault.cause).toBe(unavailable);
  expect(counting.count('remove')).toBe(5);
});

test('an exhausted fault is not tried again by a second retry layer', async () => {
  const counting = countingBackend();
  const options = { clock: fakeClock({ auto: true }), random: seededRandom(1), attempts: 3 };
  const backend = stack(memoryBackend(), alwaysFailing(unavailable), counting.layer, retry(options), retry(options));
  await faultOf(backend.stat('a'));
  expect(counting.count('stat')).toBe(3);
});

test('no attempt begins after the total time', async () => {
  const clock = fakeClock({ auto: true });
  const startedAt = clock.now();
  const asked = new Fault('rate-limited', 'slow down', { retryAfterMs: 20_000 });
  const backend = stack(
    memoryBackend(),
    alwaysFailing(asked),
    retry({ clock, random: seededRandom(1), attempts: 100, totalMs: 65_000, baseMs: 10 }),
  );
  expect((await faultOf(backend.stat('a'))).persistence).toBe('exhausted');
  expect(clock.now() - startedAt).toBeGreaterThanOrEqual(60_000);
  expect(clock.now() - startedAt).toBeLessThanOrEqual(65_000);
});

test('cancelling ends a pause at once, and nobody is left sleeping', async () => {
  const clock = fakeClock();
  const controller = new AbortController();
  const backend = stack(memoryBackend(), alwaysFailing(unavailable), retry({ clock, random: seededRandom(1) }));
  const result = codeOf(backend.stat('a', { signal: controller.signal }));
  await clock.untilSomebodySleeps();
  controller.abort();
  expect(await result).toBe('cancelled');
  expect(clock.sleepers()).toEqual([]);
});

describe('reading', () => {
  const content = patterned(10_000);

  async function over(layer: Layer): Promise<{ backend: Backend; base: Backend; counting: ReturnType<typeof countingBackend> }> {
    const base = memoryBackend({ pieceSize: 1_000 });
    await put(base, 'object', content);
    const counting = countingBackend();
    return {
      backend: stack(base, layer, counting.layer, retry({ clock: fakeClock({ auto: true }), random: seededRandom(1) })),
      base,
      counting,
    };
  }

  function cutFirstReads(times: number, items: number, fault?: Fault): Layer {
    let reads = 0;
    return chaos((call) =>
      call.verb !== 'read' || ++reads > times ? null : { kind: 'cut', items, ...(fault === undefined ? {} : { fault }) },
    );
  }

  test('goes on where the stream broke off and asks for nothing twice', async () => {
    const { backend, counting } = await over(cutFirstReads(3, 2, unavailable));
    expect((await get(backend, 'object')).equals(content)).toBe(true);
    const ranges = counting.calls.filter(({ verb }) => verb === 'read').map(({ range }) => range);
    expect(ranges).toEqual([
      undefined,
      { offset: 2_500, length: 7_500 },
      { offset: 5_000, length: 5_000 },
      { offset: 7_500, length: 2_500 },
    ]);
  });

  test('of a range goes on inside the range', async () => {
    const { backend, counting } = await over(cutFirstReads(1, 1, unavailable));
    expect((await get(backend, 'object', { offset: 3_000, length: 4_000 })).equals(content.subarray(3_000, 7_000))).toBe(true);
    expect(counting.calls.filter(({ verb }) => verb === 'read').at(-1)?.range).toEqual({ offset: 4_500, length: 2_500 });
  });

  test('sees that a range ended too early although nothing failed', async () => {
    const { backend } = await over(cutFirstReads(2, 1));
    expect((await get(backend, 'object', { offset: 0, length: 10_000 })).equals(content)).toBe(true);
  });

  test('of an object that became shorter than what was read of it is fault source-changed', async () => {
    const { backend, base } = await over(cutFirstReads(1, 5, unavailable));
    const reading = (async () => {
      for await (const piece of await backend.read('object')) {
        expect(piece.byteLength).toBeGreaterThan(0);
        await put(base, 'object', patterned(2_000));
      }
    })();
    expect(await codeOf(reading)).toBe('source-changed');
  });

  test('of an object that a shorter one replaced just before it was read on is fault source-changed', async () => {
    const replacing: Layer = (inner) => ({
      ...inner,
      async read(key, options) {
        if (options?.range !== undefined) await put(inner, 'object', patterned(2_000));
        return await inner.read(key, options);
      },
    });
    const cutting = cutFirstReads(1, 1, unavailable);
    const { backend } = await over((inner) => cutting(replacing(inner)));
    expect(await codeOf(get(backend, 'object'))).toBe('source-changed');
  });

  test('of an object that is another one between two breaks is fault source-changed', async () => {
    const { backend, base } = await over(cutFirstReads(2, 2, unavailable));
    let pieces = 0;
    const reading = (async () => {
      for await (const piece of await backend.read('object')) {
        expect(piece.byteLength).toBeGreaterThan(0);
        if (++pieces === 4) await put(base, 'object', patterned(10_000, 2));
      }
    })();
    expect(await codeOf(reading)).toBe('source-changed');
  });

  test('gives up when nothing more comes, however often it is tried', async () => {
    let reads = 0;
    const { backend } = await over(
      chaos((call) =>
        call.verb === 'read' && ++reads > 1
          ? { kind: 'before', fault: unavailable }
          : call.verb === 'read'
            ? { kind: 'cut', items: 2, fault: unavailable }
            : null,
      ),
    );
    const fault = await faultOf(get(backend, 'object'));
    expect(fault.persistence).toBe('exhausted');
    expect(fault.context['elapsedMs']).toBeGreaterThan(13 * 60_000);
    expect(reads).toBeLessThan(80);
  });
});

test('a listing that broke off is begun again and tells nothing twice', async () => {
  const base = memoryBackend();
  for (let index = 0; index < 20; index++) await put(base, `key-${index}`, Buffer.from('x'));
  let lists = 0;
  const breaking = chaos((call) => (call.verb === 'list' && ++lists <= 4 ? { kind: 'cut', items: lists * 4, fault: unavailable } : null));
  const backend = stack(base, breaking, retry({ clock: fakeClock({ auto: true }), random: seededRandom(1) }));
  const keys = (await collect(backend.list('key-'))).map(({ key }) => key);
  expect([keys.length, new Set(keys).size, lists]).toEqual([20, 20, 5]);
});

describe('completing an upload', () => {
  function over(base: Backend, when: 'before' | 'after'): Backend {
    const failing = failCall({ k: 1, fault: unavailable, when, verbs: ['complete'] });
    return stack(base, failing.layer, retry({ clock: fakeClock({ auto: true }), random: seededRandom(1) }));
  }

  test('counts as done when only the reply was lost', async () => {
    const base = memoryBackend();
    const info = await put(over(base, 'after'), 'object', patterned(1_000));
    expect(info).toEqual(await base.stat('object'));
  });

  test('replaces an older object of the same size also when the first call never arrived', async () => {
    const base = memoryBackend();
    await put(base, 'object', patterned(1_000, 1));
    await put(over(base, 'before'), 'object', patterned(1_000, 2));
    expect((await get(base, 'object')).equals(patterned(1_000, 2))).toBe(true);
  });

  test('does not take an object of another size for its own when the upload is gone', async () => {
    const base = memoryBackend();
    await put(base, 'object', patterned(900));
    const backend = over(base, 'before');
    const upload = await backend.beginUpload('object');
    await upload.writePart(0, patterned(1_000));
    await base.abandon(upload.token);
    expect(await codeOf(upload.complete())).toBe('unexpected');
  });

  test('tells that the upload is gone, and not that there is no object, when there is none', async () => {
    const base = memoryBackend();
    const backend = over(base, 'before');
    const upload = await backend.beginUpload('object');
    await upload.writePart(0, patterned(1_000));
    await base.abandon(upload.token);
    expect((await faultOf(upload.complete())).message).toContain('the upload was ended on the way');
  });

  test('with ifAbsent and a lost reply takes its own object for its own', async () => {
    const base = memoryBackend();
    const info = await uploadBytes(over(base, 'after'), 'object', patterned(1_000), { ifAbsent: true });
    expect(info.size).toBe(1_000);
  });

  /** A provider that has forgotten the upload and only sees that the name is taken, as with a conditional PUT. */
  const forgetful: Layer = (inner) => ({
    ...inner,
    beginUpload: async (key, options) => {
      const upload = await inner.beginUpload(key, options);
      const complete = async () => {
        try {
          return await upload.complete();
        } catch {
          throw new Fault('already-exists', 'taken');
        }
      };
      return { ...upload, complete };
    },
  });

  test('with ifAbsent, a lost reply and a name that is then taken, the bytes tell whose object it is', async () => {
    const base = memoryBackend();
    const ours = patterned(1_000, 1);
    expect((await uploadBytes(over(forgetful(base), 'after'), 'ours', ours, { ifAbsent: true })).size).toBe(1_000);
    await put(base, 'theirs', patterned(1_000, 2));
    expect(await codeOf(uploadBytes(over(forgetful(base), 'after'), 'theirs', ours, { ifAbsent: true }))).toBe('already-exists');
    expect((await get(base, 'theirs')).equals(patterned(1_000, 2))).toBe(true);
  });

  test('with ifAbsent and no lost reply equal bytes are still already-exists', async () => {
    const base = memoryBackend();
    await put(base, 'object', patterned(1_000));
    const backend = stack(base, retry({ clock: fakeClock(), random: seededRandom(1) }));
    expect(await codeOf(uploadBytes(backend, 'object', patterned(1_000), { ifAbsent: true }))).toBe('already-exists');
  });
});
