import { expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Backend, ByteRange, Layer } from '../../main/engine/storage/backend.ts';
import { timeout } from '../../main/engine/storage/layers/timeout.ts';
import { stack, standardStack } from '../../main/engine/storage/stack.ts';
import { codeOf, collect, get, patterned, put } from '../conformance/suite-support.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';

interface Pace {
  readonly pieceSize: number;
  readonly everyMs: number;
}

interface Opened {
  readonly range: ByteRange | undefined;
  readonly at: number;
  freedAt: number | null;
}

/** More pieces than any test should have to wait for: else one whose rule is gone would run for an hour. */
const mostWaits = 2_000;

/** Each read comes at the pace that `paceOf` names for it, the first being 0; null: at once. */
function paced(clock: FakeClock, opened: Opened[], paceOf: (attempt: number, come: number) => Pace | null): Layer {
  let waits = 0;
  return (inner) => ({
    ...inner,
    read: async (key, options) => {
      const seen: Opened = { range: options?.range, at: clock.now(), freedAt: null };
      const attempt = opened.push(seen) - 1;
      const pieces = await inner.read(key, options);
      return (async function* () {
        let come = 0;
        try {
          for await (const piece of pieces) {
            for (let from = 0; from < piece.byteLength;) {
              const pace = paceOf(attempt, come);
              const length = Math.min(pace?.pieceSize ?? piece.byteLength, piece.byteLength - from);
              if (pace !== null && (waits += 1) > mostWaits) throw new Error('it trickles on');
              if (pace !== null) await clock.sleep(pace.everyMs, options?.signal);
              yield piece.subarray(from, from + length);
              come += length;
              from += length;
            }
          }
        } finally {
          seen.freedAt = clock.now();
        }
      })();
    },
  });
}

async function holding(size: number): Promise<Backend> {
  const base = memoryBackend({ pieceSize: size });
  await put(base, 'a', patterned(size));
  return base;
}

const aByteEachFiveSeconds: Pace = { pieceSize: 1, everyMs: 5_000 };

test('a download that trickles, each byte well within the idle time, is ended after three minutes, and its source is freed', async () => {
  const clock = fakeClock({ auto: true });
  const opened: Opened[] = [];
  const backend = stack(
    await holding(5_000),
    paced(clock, opened, () => aByteEachFiveSeconds),
    timeout({ clock }),
  );
  const fault = await get(backend, 'a').catch((error: unknown) => error);
  expect(fault).toMatchObject({ code: 'timeout', persistence: 'temporary', message: 'read of a brought only 36 bytes in 180 seconds' });
  const [{ at, freedAt } = { at: 0, freedAt: null }] = opened;
  expect((freedAt ?? 0) - at).toBe(180_000);
  expect(clock.sleepers()).toEqual([]);
});

test.each([
  ['just fast enough', 5_120, 'whole'],
  ['just too slow', 5_100, 'timeout'],
])('the line is at a kibibyte a second: %s', async (_, pieceSize, outcome) => {
  const clock = fakeClock({ auto: true });
  const bytes = 512_000;
  const backend = stack(
    await holding(bytes),
    paced(clock, [], () => ({ pieceSize, everyMs: 5_000 })),
    timeout({ clock }),
  );
  const told = await get(backend, 'a').then(
    (all) => (all.equals(patterned(bytes)) ? 'whole' : 'other bytes'),
    (error: unknown) => (error instanceof Fault ? error.code : 'no fault'),
  );
  expect(told).toBe(outcome);
});

test('a download that begins to trickle after a good while is ended within twice the time', async () => {
  const clock = fakeClock({ auto: true });
  const opened: Opened[] = [];
  const fast = { pieceSize: 65_536, everyMs: 10_000 };
  // Ten minutes and a half of it.
  const good = 63 * fast.pieceSize;
  const backend = stack(
    await holding(2 * good),
    paced(clock, opened, (_, come) => (come < good ? fast : aByteEachFiveSeconds)),
    timeout({ clock }),
  );
  expect(await codeOf(get(backend, 'a'))).toBe('timeout');
  const [{ at, freedAt } = { at: 0, freedAt: null }] = opened;
  const trickled = (freedAt ?? 0) - at - 630_000;
  expect(trickled).toBeGreaterThanOrEqual(180_000);
  expect(trickled).toBeLessThanOrEqual(360_000);
});

test('who reads slowly does not make the server slow', async () => {
  const clock = fakeClock();
  const backend = stack(await holding(3_000), timeout({ clock }));
  let bytes = 0;
  for await (const piece of await backend.read('a')) {
    bytes += piece.byteLength;
    await clock.advance(600_000);
  }
  // Eight bytes at a time, an hour for all.
  const tiny = stack(memoryBackend({ pieceSize: 8 }), timeout({ clock }));
  await put(tiny, 'b', patterned(64));
  for await (const piece of await tiny.read('b')) {
    bytes += piece.byteLength;
    await clock.advance(450_000);
  }
  expect(bytes).toBe(3_064);
});

test('a limit of bandwidth far below the line does not count either', async () => {
  const clock = fakeClock({ auto: true });
  const opened: Opened[] = [];
  const base = memoryBackend({ pieceSize: 100 });
  await put(base, 'a', patterned(20_000));
  const { backend, bandwidth } = standardStack(
    stack(
      base,
      paced(clock, opened, () => null),
    ),
    { clock, random: seededRandom(1) },
  );
  bandwidth.setLimits({ down: 10 });
  const since = clock.now();
  expect((await get(backend, 'a')).equals(patterned(20_000))).toBe(true);
  expect(clock.now() - since).toBeGreaterThan(1_900_000);
  expect(opened).toHaveLength(1);
});

test('a clock that is set, or a computer that slept, while a piece is awaited is no trickle', async () => {
  const clock = fakeClock();
  const jumping: Layer = (inner) => ({
    ...inner,
    read: async (key, options) => {
      const pieces = await inner.read(key, options);
      return (async function* () {
        for await (const piece of pieces) {
          clock.jump(3_600_000);
          yield piece;
        }
      })();
    },
  });
  const base = memoryBackend({ pieceSize: 1_000 });
  await put(base, 'a', patterned(2_000));
  expect((await get(stack(base, jumping, timeout({ clock })), 'a')).byteLength).toBe(2_000);
});

test('a listing may take its time for each object: a layer cannot see its bytes', async () => {
  const clock = fakeClock({ auto: true });
  const base = memoryBackend();
  for (let index = 0; index < 12; index++) await put(base, `name-${String(index)}`, patterned(1));
  const slow: Layer = (inner) => ({
    ...inner,
    list: (prefix, options) =>
      (async function* () {
        for await (const item of inner.list(prefix, options)) {
          await clock.sleep(50_000);
          yield item;
        }
      })(),
  });
  expect(await collect(stack(base, slow, timeout({ clock })).list(''))).toHaveLength(12);
});

test('what has trickled in is kept, and the rest is asked for from there', async () => {
  const clock = fakeClock({ auto: true });
  const opened: Opened[] = [];
  const layer = paced(clock, opened, (attempt) => (attempt === 0 ? aByteEachFiveSeconds : null));
  const { backend } = standardStack(stack(await holding(5_000), layer), { clock, random: seededRandom(2) });
  expect((await get(backend, 'a')).equals(patterned(5_000))).toBe(true);
  expect(opened.map(({ range }) => range)).toEqual([undefined, { offset: 36, length: 4_964 }]);
});

test('a server that only ever trickles is given up: a few bytes for each attempt are no progress', async () => {
  const clock = fakeClock({ auto: true });
  const opened: Opened[] = [];
  const { backend } = standardStack(
    stack(
      await holding(5_000),
      paced(clock, opened, () => aByteEachFiveSeconds),
    ),
    { clock, random: seededRandom(3) },
  );
  const since = clock.now();
  expect(await get(backend, 'a').catch((error: unknown) => error)).toMatchObject({ code: 'timeout', persistence: 'exhausted' });
  expect(clock.now() - since).toBeLessThan(20 * 60_000);
  expect(opened.length).toBeGreaterThan(3);
});

test('one that trickles only after a good while each time is asked on', async () => {
  const clock = fakeClock({ auto: true });
  const opened: Opened[] = [];
  const fast = { pieceSize: 32_768, everyMs: 10_000 };
  // Five minutes of each attempt; more attempts than one call has.
  const layer = paced(clock, opened, (_, come) => (come < 30 * fast.pieceSize ? fast : aByteEachFiveSeconds));
  const bytes = 12 * 30 * fast.pieceSize;
  const { backend } = standardStack(stack(await holding(bytes), layer), { clock, random: seededRandom(4) });
  expect((await get(backend, 'a')).equals(patterned(bytes))).toBe(true);
  expect(opened.length).toBeGreaterThan(10);
});
