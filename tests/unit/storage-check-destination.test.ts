import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { faultTexts } from '../../main/contract/fault-texts.ts';
import { Fault, faultCodes } from '../../main/contract/faults.ts';
import type { DestinationCheck } from '../../main/contract/reports.ts';
import type { Backend, Layer } from '../../main/engine/storage/backend.ts';
import { checkDestination } from '../../main/engine/storage/check-destination.ts';
import { measureClockOffset } from '../../main/engine/storage/clock-offset.ts';
import type { Verb } from '../../main/engine/storage/layers/around.ts';
import { stack } from '../../main/engine/storage/stack.ts';
import { codeOf, collect, put } from '../conformance/suite-support.ts';
import { chaos, failCall } from '../support/chaos.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';

const clock = fakeClock();
const names = ['write', 'read', 'range', 'list', 'overwrite', 'create once', 'checksum', 'clock', 'delete', 'leftovers'];

async function check(backend: Backend, ours = clock): Promise<readonly DestinationCheck[]> {
  return await collect(checkDestination(backend, { clock: ours, random: seededRandom(1) }));
}

const crosses = (checks: readonly DestinationCheck[]): readonly string[] => checks.filter(({ ok }) => !ok).map(({ name }) => name);

test('a good destination has a tick everywhere and is as empty as before', async () => {
  const base = memoryBackend({ clock });
  await put(base, 'server/object', Buffer.from('x'));
  const checks = await check(base);
  expect(checks.map(({ name, ok, next }) => [name, ok, next])).toEqual(names.map((name) => [name, true, '']));
  expect((await collect(base.list(''))).map(({ key }) => key)).toEqual(['server/object']);
  expect(await collect(base.openUploads(''))).toEqual([]);
});

test('each check is told of before it is made, and its result comes before the next', async () => {
  const seen: string[] = [];
  const onBegin = (name: string): void => void seen.push(`${name}…`);
  const running = checkDestination(memoryBackend({ clock }), { clock, random: seededRandom(1), onBegin });
  for await (const { name } of running) seen.push(name);
  expect(seen).toEqual(names.flatMap((name) => [`${name}…`, name]));
});

test('whichever call fails for good, a cross says so with the next step, and nothing of the trial stays', async () => {
  const fault = new Fault('permission-denied', 'you may not');
  const whole = failCall({ k: Infinity, fault, when: 'before' });
  await check(stack(memoryBackend({ clock }), whole.layer));
  const { length } = whole.calls();
  expect(length).toBeGreaterThan(20);
  for (let k = 1; k <= length; k++) {
    const base = memoryBackend({ clock });
    const failing = failCall({ k, fault, when: 'before' });
    const checks = await check(stack(base, failing.layer));
    const bad = checks.filter(({ ok }) => !ok);
    const verb = failing.calls()[k - 1];
    // Calls that only tidy up may fail without being told, as what they tidy is tidied again at the end.
    if (verb !== 'abort') expect([k, verb, bad.length]).toEqual([k, verb, 1]);
    for (const { message, next } of bad) expect([message, next]).toEqual(['you may not', faultTexts['permission-denied'].next]);
    expect([k, (await collect(base.list(''))).length]).toEqual([k, 0]);
  }
});

test.each<[Verb, readonly string[]]>([
  ['beginUpload', ['write']],
  ['read', ['read', 'range', 'overwrite']],
  ['list', ['list']],
  ['remove', ['delete']],
  ['openUploads', ['delete', 'leftovers']],
])('a place where %s never works gets its crosses', async (verb, expected) => {
  const fault = new Fault('permission-denied', 'you may not');
  const failing = chaos((call) => (call.verb === verb ? { kind: 'before', fault } : null));
  expect(crosses(await check(stack(memoryBackend({ clock }), failing)))).toEqual(expected);
});

describe('a place that says yes and does otherwise gets a cross', () => {
  test('when it ignores ranges', async () => {
    const lying: Layer = (inner) => ({ ...inner, read: (key) => inner.read(key) });
    expect(crosses(await check(stack(memoryBackend({ clock }), lying)))).toEqual(['range']);
  });

  test('when it changes a byte', async () => {
    const lying: Layer = (inner) => ({
      ...inner,
      read: async (key, options) => {
        const stream = await inner.read(key, options);
        return (async function* () {
          for await (const piece of stream) yield piece.with(0, (piece[0] ?? 0) ^ 1);
        })();
      },
    });
    expect(crosses(await check(stack(memoryBackend({ clock }), lying)))).toEqual(['read', 'range', 'overwrite']);
  });

  test('when it lists nothing', async () => {
    const lying: Layer = (inner) => ({ ...inner, list: () => inner.list('nothing/') });
    expect(crosses(await check(stack(memoryBackend({ clock }), lying)))).toEqual(['list']);
  });

  test('when it removes nothing', async () => {
    const lying: Layer = (inner) => ({ ...inner, remove: () => Promise.resolve() });
    expect(crosses(await check(stack(memoryBackend({ clock }), lying)))).toEqual(['delete']);
  });

  test('when its checksum is another', async () => {
    const lying: Layer = (inner) => ({
      ...inner,
      stat: async (key, options) => ({ ...(await inner.stat(key, options)), checksum: { algorithm: 'sha256', hex: '0'.repeat(64) } }),
    });
    expect(crosses(await check(stack(memoryBackend({ clock }), lying)))).toEqual(['checksum']);
  });

  test('when it keeps the older object', async () => {
    const lying: Layer = (inner) => ({
      ...inner,
      beginUpload: async (key, options) => {
        const upload = await inner.beginUpload(key, { ...options, ifAbsent: true });
        return { ...upload, complete: () => upload.complete().catch(() => inner.stat(key)) };
      },
    });
    expect(crosses(await check(stack(memoryBackend({ clock }), lying)))).toContain('overwrite');
  });
});

test('a place that cannot create once is only told of', async () => {
  const plain: Layer = (inner) => ({ ...inner, beginUpload: (key) => inner.beginUpload(key) });
  const checks = await check(stack(memoryBackend({ clock }), plain));
  expect(crosses(checks)).toEqual([]);
  expect(checks.find(({ name }) => name === 'create once')?.message).toContain('cannot keep two computers');
});

test.each([
  [9 * 60_000, true],
  [-9 * 60_000, true],
  [11 * 60_000, false],
  [-11 * 60_000, false],
])('a clock that is %i ms off is fine: %s', async (offset, ok) => {
  const theirs = { now: () => clock.now() + offset };
  const result = (await check(memoryBackend({ clock: theirs }))).find(({ name }) => name === 'clock');
  expect(result?.ok).toBe(ok);
  if (!ok) expect(result?.message).toContain(offset > 0 ? 'behind' : 'ahead');
});

test('unfinished uploads are counted, the age of the oldest told', async () => {
  const base = memoryBackend({ clock });
  await base.beginUpload('server/left');
  await clock.advance(50 * 3_600_000);
  await base.beginUpload('server/newer');
  expect((await check(base)).at(-1)).toMatchObject({ ok: true, message: '2 unfinished uploads, the oldest 50 hours old' });
});

test('what a test left that was killed is cleared away by the next one, but nothing of one that may be going on', async () => {
  const base = memoryBackend({ clock });
  const [old, young] = ['0'.repeat(16), '1'.repeat(16)];
  const stranger = 'holdfast.test-of-mine/probe';
  for (const name of ['probe', 'once']) await put(base, `holdfast.test-${old}/${name}`, Buffer.from('x'));
  await put(base, stranger, Buffer.from('x'));
  await base.beginUpload(`holdfast.test-${old}/probe`);
  await clock.advance(61 * 60_000);
  await put(base, `holdfast.test-${young}/probe`, Buffer.from('x'));
  await base.beginUpload(`holdfast.test-${young}/once`);
  expect((await check(base)).filter(({ ok }) => !ok)).toEqual([]);
  expect((await collect(base.list(''))).map(({ key }) => key).sort()).toEqual([`holdfast.test-${young}/probe`, stranger]);
  expect(await collect(base.openUploads(''))).toHaveLength(1);
});

test('a server that is called like a test keeps the upload that it has under way', async () => {
  const base = memoryBackend({ clock });
  const upload = await base.beginUpload('holdfast-test-world/20261123T220500Z-k3v9qa.holdfast');
  await upload.writePart(0, Buffer.from('x'));
  await clock.advance(61 * 60_000);
  expect((await check(base)).filter(({ ok }) => !ok)).toEqual([]);
  expect((await upload.complete()).size).toBe(1);
});

test('cancelled in the middle it ends with fault cancelled and has tidied up', async () => {
  const base = memoryBackend({ clock });
  const controller = new AbortController();
  const running = (async () => {
    for await (const { name } of checkDestination(base, { clock, random: seededRandom(1), signal: controller.signal })) {
      if (name === 'range') controller.abort();
    }
  })();
  expect(await codeOf(running)).toBe('cancelled');
  expect(await collect(base.list(''))).toEqual([]);
});

test('given up by its caller it has tidied up too', async () => {
  const base = memoryBackend({ clock });
  for await (const { ok } of checkDestination(base, { clock, random: seededRandom(1) })) {
    expect(ok).toBe(true);
    break;
  }
  expect(await collect(base.list(''))).toEqual([]);
});

test.each([0, 3_600_000, -86_400_000])('the clock offset is measured: %i', async (offset) => {
  const base = memoryBackend({ clock: { now: () => clock.now() + offset } });
  expect(await measureClockOffset(base, 'server/', clock, seededRandom(1))).toBe(offset);
  expect(await collect(base.list(''))).toEqual([]);
});

test('a slow answer is not taken for a clock that is wrong', async () => {
  const slow: Layer = (inner) => ({
    ...inner,
    beginUpload: async (key, options) => {
      clock.jump(1_200_000);
      const upload = await inner.beginUpload(key, options);
      return {
        ...upload,
        complete: async () => {
          const info = await upload.complete();
          clock.jump(1_200_000);
          return info;
        },
      };
    },
  });
  expect(await measureClockOffset(stack(memoryBackend({ clock }), slow), '', clock, seededRandom(1))).toBe(0);
});

describe('a computer that begins a backup there takes the probe of another one away', () => {
  const takeAway = async (base: Backend): Promise<void> => {
    for await (const { token } of base.openUploads('server/')) await base.abandon(token);
    for await (const { key } of base.list('server/')) await base.remove(key);
  };
  /** As S3: when it is stored its stamp is asked for. */
  const asking: Layer = (inner) => ({
    ...inner,
    beginUpload: async (key, options) => {
      const upload = await inner.beginUpload(key, options);
      return { ...upload, complete: (call) => upload.complete(call).then(() => inner.stat(key)) };
    },
  });
  const rival =
    (times: number, when: 'before' | 'after', base: Backend): Layer =>
    (inner) => ({
      ...inner,
      beginUpload: async (key, options) => {
        const upload = await inner.beginUpload(key, options);
        const strikes = times-- > 0;
        const complete: typeof upload.complete = async (call) => {
          if (strikes && when === 'before') await takeAway(base);
          const info = await upload.complete(call);
          if (strikes && when === 'after') await takeAway(base);
          return info;
        };
        return { ...upload, complete };
      },
    });
  const measured = async (times: number, when: 'before' | 'after'): Promise<number> => {
    const base = memoryBackend({ clock: { now: () => clock.now() + 3_600_000 } });
    return await measureClockOffset(stack(base, rival(times, when, base), asking), 'server/', clock, seededRandom(1));
  };

  test.each(['before', 'after'] as const)('%s it is stored: another one is put', async (when) => {
    expect(await measured(2, when)).toBe(3_600_000);
  });

  test('but not for ever', async () => {
    expect(await codeOf(measured(Infinity, 'after'))).toBe('not-found');
  });
});

test('every fault has one sentence for people and one next step', () => {
  expect(Object.keys(faultTexts).sort()).toEqual([...faultCodes].sort());
  for (const { says, next } of Object.values(faultTexts)) {
    expect(says).toMatch(/^[A-Z].*\.$/);
    expect(next).toMatch(/^[A-Z].*\.$/);
  }
});
