import { expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import { failCall, randomChaos } from '../support/chaos.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { codeOf, collect, get, patterned, put } from './suite-support.ts';
import { describeBackend } from './suite.ts';

let seed = 0;

function troubled(seed: number) {
  const clock = fakeClock({ auto: true });
  const trouble = randomChaos({ seed, rate: 0.3 });
  const provider = memoryBackend({ clock });
  const { backend } = standardStack(trouble.layer(provider), {
    clock,
    random: seededRandom(seed),
    retry: { attempts: 40, totalMs: 30 * 86_400_000 },
  });
  return { backend, provider, trouble };
}

/** Every layer over a provider of which about a third of all calls fail. */
describeBackend('the whole stack over a provider that fails', async () => ({ backend: troubled(++seed).backend }), {
  keepsBytesElsewhere: false,
  resumesReads: true,
});

test('hundreds of calls of every verb get through a provider that fails in every way, and leave nothing behind', async () => {
  const { backend, provider, trouble } = troubled(1);
  const content = patterned(150_000);
  for (let round = 0; round < 100; round++) {
    const key = `server/${round % 10}`;
    expect((await put(backend, key, content)).size).toBe(150_000);
    expect((await get(backend, key)).equals(content)).toBe(true);
    expect((await get(backend, key, { offset: 70_000, length: 70_000 })).equals(content.subarray(70_000, 140_000))).toBe(true);
    expect((await backend.stat(key)).size).toBe(150_000);
    const upload = await backend.beginUpload('server/left');
    await upload.writePart(0, content);
    expect((await collect(backend.openUploads('server/'))).map(({ token }) => token)).toEqual([upload.token]);
    await (round % 2 === 0 ? upload.abort() : backend.abandon(upload.token));
    await backend.remove('server/left');
    expect((await collect(backend.list('server/'))).length).toBe(Math.min(10, round + 1));
  }
  for (const { key } of await collect(backend.list(''))) await backend.remove(key);
  expect(await collect(provider.list(''))).toEqual([]);
  expect(await collect(provider.openUploads(''))).toEqual([]);

  const streams = ['list', 'read', 'openUploads'];
  const verbs = [...streams, 'stat', 'beginUpload', 'writePart', 'complete', 'abort', 'abandon', 'remove'];
  const ways = verbs.flatMap((verb) => [
    `${verb} before`,
    ...(verb === 'beginUpload' ? [] : [`${verb} after`]),
    ...(verb === 'abort' ? [] : [`${verb} hang`]),
    ...(streams.includes(verb) ? [`${verb} cut`] : []),
  ]);
  expect(ways.filter((way) => !trouble.struck().has(way))).toEqual([]);
});

test('a lost reply to beginUpload leaves an upload that the provider tells of and that can be abandoned', async () => {
  const clock = fakeClock({ auto: true });
  const provider = memoryBackend({ clock });
  const lost = failCall({ k: 1, fault: new Fault('unavailable', 'reset'), when: 'after', verbs: ['beginUpload'] });
  const { backend } = standardStack(lost.layer(provider), { clock, random: seededRandom(1) });
  await put(backend, 'server/object', patterned(1000));
  const left = await collect(backend.openUploads('server/'));
  expect(left.length).toBe(1);
  for (const { token } of left) await backend.abandon(token);
  expect(await collect(backend.openUploads(''))).toEqual([]);
  expect(await codeOf(backend.stat('server/object'))).toBe('no fault');
});
