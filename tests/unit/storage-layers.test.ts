import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Layer } from '../../main/engine/storage/backend.ts';
import { bandwidth } from '../../main/engine/storage/layers/bandwidth.ts';
import { concurrency, permits } from '../../main/engine/storage/layers/concurrency.ts';
import { observe, type CallRecord } from '../../main/engine/storage/layers/observe.ts';
import { stack, standardStack } from '../../main/engine/storage/stack.ts';
import { codeOf, collect, get, patterned, put } from '../conformance/suite-support.ts';
import { countingBackend, failCall } from '../support/chaos.ts';
import { fakeClock, settle } from '../support/fake-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';

describe('permits', () => {
  test('are given in the order in which they were asked for', async () => {
    const pool = permits(1);
    const order: number[] = [];
    const first = await pool.acquire(undefined, 'test');
    const waiting = [1, 2, 3].map(async (number) => {
      const release = await pool.acquire(undefined, 'test');
      order.push(number);
      release();
    });
    first();
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
  });

  test('who is cancelled leaves the queue, and the next one gets the permit', async () => {
    const pool = permits(1);
    const controller = new AbortController();
    const release = await pool.acquire(undefined, 'test');
    const cancelled = codeOf(pool.acquire(controller.signal, 'test'));
    const next = pool.acquire(undefined, 'test');
    controller.abort();
    expect(await cancelled).toBe('cancelled');
    release();
    (await next)();
    await pool.acquire(undefined, 'test');
  });

  test('a permit given back twice counts once', async () => {
    const pool = permits(1);
    const release = await pool.acquire(undefined, 'test');
    release();
    release();
    await pool.acquire(undefined, 'test');
    const controller = new AbortController();
    const second = codeOf(pool.acquire(controller.signal, 'test'));
    await settle();
    controller.abort();
    expect(await second).toBe('cancelled');
  });
});

describe('concurrency', () => {
  /** Holds every stat until it is let go. */
  function gate(): { layer: Layer; waiting: (() => void)[] } {
    const waiting: (() => void)[] = [];
    const layer: Layer = (inner) => ({
      ...inner,
      stat: async (key, options) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return await inner.stat(key, options);
      },
    });
    return { layer, waiting };
  }

  test('never more calls at once than permits, and the next begins when one ends', async () => {
    const { layer, waiting } = gate();
    const base = memoryBackend();
    await put(base, 'a', Buffer.from('x'));
    const backend = stack(base, layer, concurrency({ permits: 3 }));
    const calls = Array.from({ length: 8 }, () => backend.stat('a'));
    await settle();
    expect(waiting.length).toBe(3);
    waiting.shift()?.();
    await settle();
    expect(waiting.length).toBe(3);
    for (let round = 0; round < 8; round++) {
      for (const open of waiting.splice(0)) open();
      await settle();
    }
    await Promise.all(calls);
  });

  test('a read stream holds its permit until it ends', async () => {
    const base = memoryBackend({ pieceSize: 10 });
    await put(base, 'a', patterned(30));
    const backend = stack(base, concurrency({ permits: 1 }));
    const iterator = (await backend.read('a'))[Symbol.asyncIterator]();
    await iterator.next();
    let told = false;
    const other = backend.stat('a').then(() => {
      told = true;
    });
    await settle();
    expect(told).toBe(false);
    await iterator.return?.();
    await other;
  });

  test('a listing does not keep its reader from removing what it lists', async () => {
    const base = memoryBackend();
    for (const key of ['a', 'b', 'c']) await put(base, key, Buffer.from('x'));
    const backend = stack(base, concurrency({ permits: 1 }));
    for await (const { key } of backend.list('')) await backend.remove(key);
    expect(await collect(base.list(''))).toEqual([]);
  });

  test('a call that fails gives its permit back', async () => {
    const backend = stack(memoryBackend(), concurrency({ permits: 1 }));
    for (let round = 0; round < 3; round++) {
      expect(await codeOf(backend.stat('none'))).toBe('not-found');
      expect(await codeOf(get(backend, 'none'))).toBe('not-found');
    }
  });
});

test('in the standard stack a call that waits for its next attempt holds no permit', async () => {
  const clock = fakeClock();
  const base = memoryBackend();
  await put(base, 'b', Buffer.from('x'));
  const once = failCall({ k: 1, fault: new Fault('rate-limited', 'slow down', { retryAfterMs: 50_000 }), when: 'before' });
  const { backend } = standardStack(once.layer(base), { clock, random: seededRandom(1), permits: 1 });
  const first = codeOf(backend.stat('a'));
  await clock.untilSomebodySleeps();
  await settle();
  expect((await backend.stat('b')).size).toBe(1);
  await clock.advance(60_000);
  expect(await first).toBe('not-found');
});

test('in the standard stack the wait for a permit is no idleness', async () => {
  const clock = fakeClock();
  const base = memoryBackend({ pieceSize: 10 });
  await put(base, 'a', patterned(30));
  const { backend } = standardStack(base, { clock, random: seededRandom(1), permits: 1, timeout: { idleMs: 1_000 } });
  const iterator = (await backend.read('a'))[Symbol.asyncIterator]();
  await iterator.next();
  const waiting = codeOf(backend.stat('a'));
  await clock.advance(3_600_000);
  await iterator.return?.();
  expect(await waiting).toBe('no fault');
});

describe('bandwidth', () => {
  test('parts go out at the rate that is set, whatever their size', async () => {
    const clock = fakeClock({ auto: true });
    const backend = stack(memoryBackend(), bandwidth({ clock, limits: { up: 1_000 } }).layer);
    const upload = await backend.beginUpload('a');
    const startedAt = clock.now();
    for (let index = 0; index < 20; index++) await upload.writePart(index, patterned(5_000));
    // 100,000 bytes: one second's worth is there at the start, and the last part leaves its debt to the next.
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(94_000);
    expect(clock.now() - startedAt).toBeLessThanOrEqual(95_100);
  });

  test('pieces come in at the rate that is set, and uploads are not slowed by it', async () => {
    const clock = fakeClock({ auto: true });
    const base = memoryBackend({ pieceSize: 1_000 });
    const backend = stack(base, bandwidth({ clock, limits: { down: 500 } }).layer);
    const startedAt = clock.now();
    await put(backend, 'a', patterned(20_000));
    expect(clock.now()).toBe(startedAt);
    await get(backend, 'a');
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(37_000);
    expect(clock.now() - startedAt).toBeLessThanOrEqual(38_100);
  });

  test('a long rest saves up one second’s worth and no more', async () => {
    const clock = fakeClock({ auto: true });
    const backend = stack(memoryBackend(), bandwidth({ clock, limits: { up: 1_000 } }).layer);
    clock.jump(3_600_000);
    const startedAt = clock.now();
    for (let index = 0; index < 10; index++) await put(backend, `a${index}`, patterned(1_000));
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(8_000);
  });

  test('several uploads share one rate', async () => {
    const clock = fakeClock({ auto: true });
    const limiter = bandwidth({ clock, limits: { up: 1_000 } });
    const backends = [memoryBackend(), memoryBackend()].map((base) => stack(base, limiter.layer));
    const startedAt = clock.now();
    await Promise.all(
      backends.map(async (backend) => {
        for (let index = 0; index < 10; index++) await put(backend, `a${index}`, patterned(1_000));
      }),
    );
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(18_000);
    expect(clock.now() - startedAt).toBeLessThanOrEqual(20_000);
  });

  test('a changed limit counts at once for who is waiting already', async () => {
    const clock = fakeClock();
    const limiter = bandwidth({ clock, limits: { up: 1 } });
    const backend = stack(memoryBackend(), limiter.layer);
    await put(backend, 'a', patterned(1_000_000));
    const waiting = put(backend, 'b', patterned(10));
    await clock.untilSomebodySleeps();
    limiter.setLimits({});
    expect((await waiting).size).toBe(10);
    expect(clock.sleepers()).toEqual([]);
  });

  test('cancelling ends the wait, and who comes after is not held up by it', async () => {
    const clock = fakeClock();
    const controller = new AbortController();
    const limiter = bandwidth({ clock, limits: { up: 1_000 } });
    const backend = stack(memoryBackend(), limiter.layer);
    const upload = await backend.beginUpload('a');
    await upload.writePart(0, patterned(5_000));
    const cancelled = codeOf(upload.writePart(1, patterned(5_000), { signal: controller.signal }));
    const next = upload.writePart(1, patterned(10));
    await clock.untilSomebodySleeps();
    controller.abort();
    expect(await cancelled).toBe('cancelled');
    await clock.advance(4_001);
    await next;
  });
});

test('observing tells every call, its bytes, its time and its outcome', async () => {
  const clock = fakeClock();
  const records: CallRecord[] = [];
  const observation = observe({ clock, onCall: (record) => void records.push(record) });
  const slow: Layer = (inner) => ({
    ...inner,
    stat: async (key, options) => {
      clock.jump(250);
      return await inner.stat(key, options);
    },
  });
  const backend = stack(memoryBackend(), slow, observation.layer);
  await put(backend, 'a', patterned(1_234));
  await get(backend, 'a', { offset: 4, length: 1_000 });
  await backend.stat('a');
  await codeOf(backend.stat('none'));
  await collect(backend.list(''));
  expect(records.filter(({ verb }) => verb !== 'abort')).toEqual([
    { verb: 'beginUpload', target: 'a', outcome: 'done', bytesUp: 0, bytesDown: 0, elapsedMs: 0 },
    { verb: 'writePart', target: 'a', outcome: 'done', bytesUp: 1_234, bytesDown: 0, elapsedMs: 0 },
    { verb: 'complete', target: 'a', outcome: 'done', bytesUp: 0, bytesDown: 0, elapsedMs: 0 },
    { verb: 'read', target: 'a', outcome: 'done', bytesUp: 0, bytesDown: 1_000, elapsedMs: 0 },
    { verb: 'stat', target: 'a', outcome: 'done', bytesUp: 0, bytesDown: 0, elapsedMs: 250 },
    { verb: 'stat', target: 'none', outcome: 'not-found', bytesUp: 0, bytesDown: 0, elapsedMs: 250 },
    { verb: 'list', target: '', outcome: 'done', bytesUp: 0, bytesDown: 0, elapsedMs: 0 },
  ]);
  expect(observation.totals().get('stat')).toEqual({ calls: 2, failures: 1, bytesUp: 0, bytesDown: 0, elapsedMs: 500 });
});

test('in the standard stack every attempt is observed, not only every call', async () => {
  const once = failCall({ k: 1, fault: new Fault('unavailable', 'reset'), when: 'before', verbs: ['stat'] });
  const counting = countingBackend();
  const base = stack(memoryBackend(), once.layer, counting.layer);
  const { backend, observation } = standardStack(base, { clock: fakeClock({ auto: true }), random: seededRandom(1) });
  await codeOf(backend.stat('a'));
  expect(observation.totals().get('stat')).toMatchObject({ calls: 2, failures: 2 });
  expect(counting.count('stat')).toBe(2);
});
