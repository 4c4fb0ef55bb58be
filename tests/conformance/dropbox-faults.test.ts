import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { dropboxAccount } from '../../main/adapters/storage/dropbox/account.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import { uploadBytes, uploadStream } from '../../main/engine/storage/upload-object.ts';
import { isRoute, randomRefusals, randomTransport, refusals, type DropboxRefusal } from '../support/clouds/dropbox/faults.ts';
import { openDropboxPlace, type DropboxPlace } from '../support/clouds/dropbox/place.ts';
import { Refusal } from '../support/clouds/dropbox/refusal.ts';
import { startFaultProxy, type Decide, type FaultProxy } from '../support/clouds/fault-proxy.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { codeOf, collect, expectReadOn, get, patterned, sha256, uploadEnded } from './suite-support.ts';
import { describeBackend } from './suite.ts';

let opened: DropboxPlace | undefined;
let proxy: FaultProxy | undefined;
let decide: Decide<never> = () => null;
let seed = 0;
const refused = new Set<DropboxRefusal>();

beforeAll(async () => {
  opened = await openDropboxPlace();
  proxy = await startFaultProxy(opened.server.port, (request) => decide(request), {});
});
afterAll(async () => {
  await proxy?.close();
  await opened?.close();
});
beforeEach(() => {
  decide = () => null;
  const { server } = place();
  server.refuse = () => null;
  server.tamper = (_, body) => body;
  server.pageSize = 500;
  server.state.quota = 2 ** 41;
});

function place(): DropboxPlace {
  if (opened === undefined) throw new Error('no server');
  return opened;
}

/** Every layer, in real time: pauses are short, and what stalls is given up soon. */
function stacked(base: Backend = place().fresh({ endpoint: proxy?.endpoint })): Backend {
  return standardStack(base, {
    clock: systemClock,
    random: seededRandom(++seed),
    timeout: { idleMs: 2_000, slowestBytesPerSecond: 2_000_000, completeMs: 3_000 },
    retry: { attempts: 40, totalMs: 600_000, baseMs: 2, capMs: 20 },
  }).backend;
}

/** One download falls silent half-way; what ranges are asked for. */
function silentOnce(isDownload: (request: IncomingMessage) => boolean): readonly unknown[] {
  const ranges: unknown[] = [];
  decide = (request) => (isDownload(request) && ranges.push(request.headers.range) === 1 ? 'stalled-reply' : null);
  return ranges;
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += 1_000_000) yield await Promise.resolve(bytes.subarray(at, at + 1_000_000));
}

const part = 4 * 1024 * 1024;
/** In three parts. */
const large = patterned(2 * part + 1_000_001);
const upload = (backend: Backend, key: string): Promise<unknown> => uploadStream(backend, key, inPieces(large), { partSize: part });

/** On the way, and of what arrives again as many by the provider itself: three of ten together. */
const rate = 1 - Math.sqrt(0.7);

describe('with a fault in three of ten requests', () => {
  describeBackend(
    'dropbox under the whole stack',
    () => {
      decide = randomTransport(++seed, rate);
      place().server.refuse = randomRefusals(++seed, rate, (kind) => refused.add(kind));
      return Promise.resolve({ backend: stacked() });
    },
    { tellsOpenUploads: false, createsOnce: false, resumesReads: true, manyKeys: 60, mostBuffers: 110_000_000 },
  );

  test('every kind of fault has struck', () => {
    const kinds = ['stall', 'reset-before', 'reset-within', 'web-page', 'cut-reply', 'lost-reply'];
    expect(kinds.filter((kind) => proxy?.struck().has(kind) !== true)).toEqual([]);
    expect(Object.keys(refusals).filter((kind) => !refused.has(kind as DropboxRefusal))).toEqual([]);
  });
});

/** What has been done all the same. */
const unheard = ['lost-reply', 'failed-reply'] as const;

test.each(['start', 'append_v2', 'finish'].flatMap((name) => unheard.map((fault) => [name, fault] as const)))(
  'of a large object the reply to %s does not come (%s): it is whole, and no byte was sent into it twice',
  async (name, fault) => {
    let left = 1;
    decide = (request) => (isRoute(request, `files/upload_session/${name}`) && left-- > 0 ? fault : null);
    const backend = stacked();
    await upload(backend, 'server/large');
    expect(left).toBeLessThanOrEqual(0);
    expect(sha256(await get(backend, 'server/large'))).toBe(sha256(large));
  },
);

test('all that goes into a session is a multiple of 4 MiB, but for the last piece; its end brings nothing', async () => {
  const sent: [string, number][] = [];
  place().server.refuse = (route, { headers }) => {
    if (route.startsWith('files/upload_session/'))
      sent.push([route.slice('files/upload_session/'.length), Number(headers['content-length'])]);
    return null;
  };
  // The engine's own choice of parts.
  await uploadStream(place().fresh(), 'server/blocks', inPieces(patterned(6 * part + 1)));
  const last = sent.at(-2);
  expect([last?.[0], (last?.[1] ?? 0) % part, sent.at(-1)]).toEqual(['append_v2', 1, ['finish', 0]]);
  expect(sent.slice(0, -2).map(([, size]) => size % part)).toEqual(sent.slice(0, -2).map(() => 0));
  expect(sent.reduce((sum, [, size]) => sum + size, 0)).toBe(6 * part + 1);
});

test.each(unheard)('of a small object that replaces another, and of its removal, the reply does not come (%s)', async (fault) => {
  const backend = stacked();
  await uploadBytes(backend, 'server/small', Buffer.from('older'));
  let left = 1;
  decide = (request) => (isRoute(request, 'files/upload') && left-- > 0 ? fault : null);
  await uploadBytes(backend, 'server/small', Buffer.from('newer'));
  expect([(await get(backend, 'server/small')).toString(), left]).toEqual(['newer', -1]);
  left = 1;
  decide = (request) => (isRoute(request, 'files/delete_v2') && left-- > 0 ? fault : null);
  await backend.remove('server/small');
  expect([await codeOf(backend.stat('server/small')), left]).toEqual(['not-found', 0]);
});

test('of one that must be new the reply is lost: it is known for ours', async () => {
  const backend = stacked();
  let left = 1;
  decide = (request) => (isRoute(request, 'files/upload') && left-- > 0 ? 'lost-reply' : null);
  expect((await uploadBytes(backend, 'holdfast.vault', Buffer.from('mine'), { ifAbsent: true })).size).toBe(4);
  expect(await codeOf(uploadBytes(backend, 'holdfast.vault', Buffer.from('else'), { ifAbsent: true }))).toBe('already-exists');
  expect((await get(backend, 'holdfast.vault')).toString()).toBe('mine');
});

test('the token ends before each part and at the end: it is renewed once each time', async () => {
  const { server, tokens } = place();
  const before = tokens.given();
  let calls = 0;
  let ends = true;
  server.refuse = (route) => {
    if (!route.startsWith('files/upload_session/')) return null;
    ends = !ends;
    if (ends) return null;
    calls++;
    tokens.expire();
    return refusals.expired;
  };
  const backend = place().fresh();
  await upload(backend, 'server/large');
  server.refuse = () => null;
  expect(sha256(await get(backend, 'server/large'))).toBe(sha256(large));
  expect([calls, tokens.given() - before]).toEqual([4, 4]);
});

test('an account that is no longer connected is fault sign-in-needed, after one renewal', async () => {
  const { server, tokens } = place();
  const before = tokens.given();
  server.refuse = () => new Refusal(401, ['invalid_access_token']);
  expect(await codeOf(place().fresh().stat('server/x'))).toBe('sign-in-needed');
  expect(tokens.given() - before).toBe(1);
});

test('a full account, at whatever moment it fills', async () => {
  const { server } = place();
  const backend = stacked();
  server.state.quota = server.state.used + 1_000_000;
  expect(await codeOf(upload(backend, 'server/large'))).toBe('quota-exceeded');
  expect(await codeOf(uploadBytes(backend, 'server/small', patterned(2_000_000)))).toBe('quota-exceeded');
  expect(await codeOf(backend.stat('server/large'))).toBe('not-found');
});

test('a session that has ended: the upload is over, nothing is visible, and the next one works', async () => {
  const { server } = place();
  const backend = place().fresh();
  const begun = await backend.beginUpload('server/large');
  await begun.writePart(0, large.subarray(0, part));
  server.now = () => Date.now() + 8 * 86_400_000;
  await expect(begun.writePart(1, large.subarray(part, 2 * part))).rejects.toMatchObject(uploadEnded);
  await expect(begun.complete()).rejects.toMatchObject(uploadEnded);
  server.now = Date.now;
  expect(await codeOf(backend.stat('server/large'))).toBe('not-found');
  await upload(backend, 'server/large');
});

test('a download whose line falls silent half-way is given up and read on from there', async () => {
  const backend = stacked();
  await upload(backend, 'server/silent');
  const ranges = silentOnce((request) => isRoute(request, 'files/download'));
  expect(sha256(await get(backend, 'server/silent'))).toBe(sha256(large));
  expectReadOn(ranges, large.byteLength);
});

test('a session that ended without becoming the object: the older one is left, though it has the same length', async () => {
  const { server } = place();
  const backend = stacked();
  const older = patterned(large.byteLength, 9);
  await uploadStream(backend, 'server/older', inPieces(older), { partSize: part });
  decide = (request) => {
    if (!isRoute(request, 'files/upload_session/finish')) return null;
    decide = () => null;
    server.now = () => Date.now() + 8 * 86_400_000;
    return 'reset-before';
  };
  await expect(upload(backend, 'server/older')).rejects.toMatchObject(uploadEnded);
  server.now = Date.now;
  expect(sha256(await get(backend, 'server/older'))).toBe(sha256(older));
});

test('a page of a listing that fails, or a cursor that is reset, is a fault and no end; the whole stack lists anew', async () => {
  const { server } = place();
  server.pageSize = 3;
  const direct = place().fresh({ folder: 'pages' });
  for (let index = 0; index < 8; index++) await uploadBytes(direct, `server/${index}`, Buffer.from('x'));
  const failures: readonly (readonly [Refusal, string])[] = [
    [new Refusal(409, ['reset']), 'unavailable'],
    [new Refusal(500, ['internal_error']), 'unavailable'],
    [new Refusal(403, ['access_denied']), 'permission-denied'],
  ];
  for (const [refusal, code] of failures) {
    server.refuse = (route) => (route === 'files/list_folder/continue' ? refusal : null);
    expect(await codeOf(collect(direct.list('')))).toBe(code);
  }
  let left = 2;
  server.refuse = (route) => (route === 'files/list_folder/continue' && left-- > 0 ? new Refusal(409, ['reset']) : null);
  expect((await collect(stacked(direct).list('server/'))).map(({ key }) => key).sort()).toHaveLength(8);
});

test('a reply that tells another hash than that of what was sent is fault corrupt, and the object is removed', async () => {
  const { state } = place().server;
  const commit = state.commit.bind(state);
  const backend = place().fresh();
  state.commit = async (...how) => ({ ...(await commit(...how)), hash: '0'.repeat(64) });
  try {
    expect(await codeOf(uploadBytes(backend, 'server/small', Buffer.from('x')))).toBe('corrupt');
    expect(await codeOf(upload(backend, 'server/large'))).toBe('corrupt');
  } finally {
    state.commit = commit;
  }
  expect(await collect(backend.list(''))).toEqual([]);
});

test('a large object of which only other sums are known is compared all the same', async () => {
  const { state } = place().server;
  const commit = state.commit.bind(state);
  const backend = place().fresh();
  const sent = async (key: string): Promise<unknown> => {
    const session = await backend.beginUpload(key);
    await session.writePart(0, large.subarray(0, part));
    await session.writePart(1, large.subarray(part));
    return await session.complete({ known: { sha256: sha256(large) } });
  };
  await sent('server/right');
  state.commit = async (...how) => ({ ...(await commit(...how)), hash: '0'.repeat(64) });
  try {
    expect(await codeOf(sent('server/wrong'))).toBe('corrupt');
  } finally {
    state.commit = commit;
  }
  expect((await collect(backend.list(''))).map(({ key }) => key)).toEqual(['server/right']);
});

test.each(['not_found', 'closed'])(
  'the reply to an end is lost, and the session is %s then: what stands there is ours if its hash is',
  async (tag) => {
    const { server } = place();
    const direct = place().fresh({ folder: `lost-${tag}` });
    await upload(direct, 'server/a');
    const ends = (request: IncomingMessage): boolean => isRoute(request, 'files/upload_session/finish');
    const backend = place().fresh({ endpoint: proxy?.endpoint, folder: `lost-${tag}` });
    for (const isOurs of [true, false]) {
      let left = 1;
      decide = (request) => (ends(request) && left-- > 0 ? (isOurs ? 'lost-reply' : 'reset-before') : null);
      let first = isOurs;
      server.refuse = (route) => {
        if (route !== 'files/upload_session/finish') return null;
        if (!first) return new Refusal(409, ['lookup_failed', tag]);
        first = false;
        return null;
      };
      const changed = patterned(large.byteLength).map((byte) => byte ^ (isOurs ? 1 : 2));
      const work = uploadStream(stacked(backend), 'server/a', inPieces(changed), { partSize: part });
      if (isOurs) await work;
      else expect(await codeOf(work)).toBe('unavailable');
      const expected = patterned(large.byteLength).map((byte) => byte ^ 1);
      server.refuse = () => null;
      expect(sha256(await get(direct, 'server/a'))).toBe(sha256(expected));
    }
  },
);

test('removing a key never removes a folder of that name', async () => {
  const backend = place().fresh();
  await uploadBytes(backend, 'server/a/one', Buffer.from('x'));
  await backend.remove('server/a');
  await backend.remove('server');
  expect((await backend.stat('server/a/one')).size).toBe(1);
});

test('two accounts at once do not see each other, nor use each other’s tokens', async () => {
  const other = await openDropboxPlace();
  try {
    const [mine, theirs] = [place().fresh({ folder: 'same' }), other.fresh({ folder: 'same' })];
    await Promise.all([uploadBytes(mine, 'server/x', Buffer.from('mine')), uploadBytes(theirs, 'server/x', Buffer.from('theirs'))]);
    expect([(await get(mine, 'server/x')).toString(), (await get(theirs, 'server/x')).toString()]).toEqual(['mine', 'theirs']);
    expect(await codeOf(other.fresh({ endpoint: place().server.endpoint }).stat('server/x'))).toBe('sign-in-needed');
  } finally {
    await other.close();
  }
});

test('whose account it is and how full', async () => {
  const { tokens, server } = place();
  const account = await dropboxAccount(tokens.source, { endpoint: server.endpoint });
  expect(account).toEqual({ name: 'person@example.org', usedBytes: server.state.used, quotaBytes: 2 ** 41 });
});
