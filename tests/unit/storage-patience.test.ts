import { expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Backend, Layer } from '../../main/engine/storage/backend.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import { chaos, countingBackend } from '../support/chaos.ts';
import { codeOf, patterned, put } from '../conformance/suite-support.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';

/** All by default, as a run has it. */
interface World {
  readonly backend: Backend;
  readonly clock: FakeClock;
  /** Until when nothing gets through, by the clock. */
  readonly downUntil: (at: number) => void;
  readonly counting: ReturnType<typeof countingBackend>;
}

const minutes = (count: number): number => count * 60_000;

function world(seed = 1, layer: Layer = (inner) => inner): World {
  const clock = fakeClock({ auto: true });
  const counting = countingBackend();
  let until = -Infinity;
  const outage = chaos(() => (clock.now() < until ? { kind: 'before', fault: new Fault('unavailable', 'no network') } : null));
  const { backend } = standardStack(counting.layer(outage(layer(memoryBackend({ clock })))), { clock, random: seededRandom(seed) });
  return { backend, clock, counting, downUntil: (at) => (until = at) };
}

async function elapsed(clock: FakeClock, work: Promise<unknown>): Promise<number> {
  const since = clock.now();
  await work;
  return clock.now() - since;
}

test.each([2, 5, 12])('a line that is down for %i minutes in the middle of a run costs the time, and no more', async (count) => {
  for (let seed = 1; seed <= 20; seed++) {
    const { backend, clock, counting, downUntil } = world(seed);
    expect(await codeOf(backend.stat('a'))).toBe('not-found');
    downUntil(clock.now() + minutes(count));
    await put(backend, 'a', patterned(1_000));
    expect((await backend.stat('a')).size).toBe(1_000);
    // The pauses have grown: nobody knocks every second for minutes.
    expect(counting.calls.length).toBeLessThan(60);
  }
});

test('a line that stays down ends the call after a quarter of an hour', async () => {
  const { backend, clock, downUntil } = world();
  expect(await codeOf(backend.stat('a'))).toBe('not-found');
  downUntil(Infinity);
  const took = await elapsed(clock, expect(backend.stat('a')).rejects.toMatchObject({ code: 'unavailable', persistence: 'exhausted' }));
  expect(took).toBeGreaterThan(minutes(13));
  expect(took).toBeLessThanOrEqual(minutes(15));
});

test.each([
  ['that has never answered', () => Promise.resolve()],
  [
    'that was given up',
    async ({ backend, downUntil }: World) => {
      expect(await codeOf(backend.stat('a'))).toBe('not-found');
      downUntil(Infinity);
      expect(await codeOf(backend.stat('a'))).toBe('unavailable');
    },
  ],
  [
    'that has not been asked for long',
    async ({ backend, clock }: World) => {
      expect(await codeOf(backend.stat('a'))).toBe('not-found');
      clock.jump(minutes(6));
    },
  ],
] as const)('a place %s is given up within about a minute', async (_, before) => {
  const all = world();
  await before(all);
  const { backend, clock, downUntil } = all;
  downUntil(Infinity);
  const calls = [
    (): Promise<unknown> => backend.stat('a'),
    (): Promise<unknown> => put(backend, 'a', patterned(10)),
    (): Promise<unknown> => backend.remove('a'),
  ];
  for (const call of calls) expect(await elapsed(clock, codeOf(call()))).toBeLessThanOrEqual(minutes(1.1));
});

test('a call that is cancelled while the line is down leaves little patience for what is cleared away after it', async () => {
  const { backend, clock, downUntil } = world();
  const stop = new AbortController();
  const upload = await backend.beginUpload('a', { signal: stop.signal });
  expect(await codeOf(backend.stat('a'))).toBe('not-found');
  downUntil(Infinity);
  const part = codeOf(upload.writePart(0, patterned(100), { signal: stop.signal }));
  stop.abort();
  expect(await part).toBe('cancelled');
  expect(await elapsed(clock, codeOf(upload.abort()))).toBeLessThanOrEqual(minutes(1.1));
});

test('parts alone keep a place that has answered in mind', async () => {
  const { backend, clock, downUntil } = world();
  const upload = await backend.beginUpload('a');
  expect(await codeOf(backend.stat('a'))).toBe('not-found');
  for (let index = 0; index < 4; index++) {
    clock.jump(minutes(4));
    await upload.writePart(index, patterned(100));
  }
  downUntil(clock.now() + minutes(5));
  await upload.writePart(4, patterned(100));
  expect((await upload.complete()).size).toBe(500);
});

/** The first part never comes to an end. */
function hangingOnce(): Layer {
  let left = 1;
  return chaos((call) => (call.verb === 'writePart' && left-- > 0 ? { kind: 'hang' } : null));
}

test('one part that hangs is sent again, however long its limit was', async () => {
  const { backend, clock } = world(1, hangingOnce());
  const size = 16 * 1024 * 1024;
  const took = await elapsed(clock, put(backend, 'a', patterned(size)));
  // Its limit: a minute, and the time for its bytes at 16 KiB a second.
  expect(took).toBeGreaterThan(minutes(15));
  expect((await backend.stat('a')).size).toBe(size);
});

test('a provider that asks for more than the patience is not waited for', async () => {
  const asking = chaos(() => ({ kind: 'before', fault: new Fault('rate-limited', 'later', { retryAfterMs: minutes(60) }) }));
  const { backend, clock } = world(1, asking);
  expect(await elapsed(clock, codeOf(backend.stat('a')))).toBe(0);
});
