import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { googleDriveAccount } from '../../main/adapters/storage/google-drive/account.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import { uploadBytes, uploadStream } from '../../main/engine/storage/upload-object.ts';
import { startFaultProxy, type Decide, type FaultProxy } from '../support/clouds/fault-proxy.ts';
import {
  isFinish,
  isSessionPiece,
  randomRefusals,
  randomTransport,
  refusals,
  type DriveRefusal,
} from '../support/clouds/google-drive/faults.ts';
import { openDrivePlace, type DrivePlace } from '../support/clouds/google-drive/place.ts';
import { Refusal } from '../support/clouds/google-drive/refusal.ts';
import { folderType } from '../support/clouds/google-drive/state.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { codeOf, collect, expectReadOn, get, patterned, sha256, uploadEnded } from './suite-support.ts';
import { describeBackend } from './suite.ts';

let opened: DrivePlace | undefined;
let proxy: FaultProxy | undefined;
let decide: Decide<never> = () => null;
let seed = 0;
const refused = new Set<DriveRefusal>();

beforeAll(async () => {
  opened = await openDrivePlace();
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
  server.tamper = (resource) => resource;
  server.hidden = () => false;
  server.pageSize = 1000;
  server.faults.keepAtMost = Number.POSITIVE_INFINITY;
  server.faults.forgetBeyond = Number.POSITIVE_INFINITY;
  server.state.quota = 2 ** 41;
  server.now = Date.now;
});

function place(): DrivePlace {
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

const part = 2 * 1024 * 1024;
/** In four parts. */
const large = patterned(3 * part + 300_001);
const upload = (backend: Backend, key: string, bytes = large): Promise<unknown> =>
  uploadStream(backend, key, inPieces(bytes), { partSize: part });
const named = (name: string): number => [...place().server.state.items.values()].filter((item) => item.name === name).length;

/** On the way, and of what arrives again as many by the provider itself: three of ten together. */
const rate = 1 - Math.sqrt(0.7);

describe('with a fault in three of ten requests', () => {
  describeBackend(
    'google-drive under the whole stack',
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
    expect(Object.keys(refusals).filter((kind) => !refused.has(kind as DriveRefusal))).toEqual([]);
  });
});

const isStart = ({ url = '', method }: IncomingMessage): boolean =>
  method === 'POST' && url.includes('uploadType=resumable') && !url.includes('upload_id=');

/** What has been done all the same. */
const unheard = ['lost-reply', 'failed-reply'] as const;

test.each(
  (
    [
      ['the beginning of the session', isStart],
      ['a piece', isSessionPiece],
      ['the last piece', isFinish],
    ] as const
  ).flatMap(([what, isIt]) => unheard.map((fault) => [what, fault, isIt] as const)),
)('the reply to %s does not come (%s): the object is whole, and there once', async (what, fault, isIt) => {
  let left = 1;
  decide = (request) => (isIt(request) && left-- > 0 ? fault : null);
  const name = `${fault} ${what}`;
  const backend = stacked();
  await upload(backend, `server/${name}`);
  expect(left).toBeLessThanOrEqual(0);
  expect(sha256(await get(backend, `server/${name}`))).toBe(sha256(large));
  expect(named(name)).toBe(1);
});

test.each(unheard)('of an object that replaces another, and of its removal, the reply does not come (%s)', async (fault) => {
  const name = `${fault} of a replacement`;
  const backend = stacked();
  await uploadBytes(backend, `server/${name}`, Buffer.from('older'));
  let left = 1;
  decide = (request) => (isFinish(request) && left-- > 0 ? fault : null);
  await uploadBytes(backend, `server/${name}`, Buffer.from('newer'));
  expect([(await get(backend, `server/${name}`)).toString(), named(name), left]).toEqual(['newer', 1, -1]);
  left = 1;
  decide = ({ method }) => (method === 'DELETE' && left-- > 0 ? fault : null);
  await backend.remove(`server/${name}`);
  expect([named(name), left]).toEqual([0, 0]);
});

test('the reply to the making of a folder is lost, and no listing shows the folder yet: it is there once', async () => {
  const { server } = place();
  const backend = stacked(place().fresh({ endpoint: proxy?.endpoint, folder: 'made once' }));
  let left = 2;
  decide = ({ method, url = '' }) => (method === 'POST' && url.startsWith('/drive/v3/files?') && left-- > 0 ? 'lost-reply' : null);
  server.hidden = ({ mimeType }) => mimeType === folderType;
  await uploadBytes(backend, 'server/object', Buffer.from('x'));
  server.hidden = () => false;
  expect(left).toBeLessThanOrEqual(0);
  const folders = [...server.state.items.values()].filter(({ name }) => name === 'made once');
  expect(folders).toHaveLength(1);
  expect([...server.state.items.values()].filter(({ parents }) => parents.includes(folders[0]?.id ?? ''))).toHaveLength(1);
  expect((await get(place().fresh({ folder: 'made once' }), 'server/object')).toString()).toBe('x');
});

test('the reply to the beginning of a session is lost: the next one is for the same id', async () => {
  const ids: unknown[] = [];
  const { server } = place();
  const create = server.state.create.bind(server.state);
  server.state.create = (metadata, content) => {
    if (metadata.name === 'same id') ids.push(metadata.id);
    return create(metadata, content);
  };
  let left = 1;
  decide = (request) => (isStart(request) && left-- > 0 ? 'lost-reply' : null);
  await uploadBytes(stacked(), 'server/same id', Buffer.from('x'));
  server.state.create = create;
  const begun = [...server.state.sessions.values()].filter(({ metadata }) => metadata.name === 'same id');
  expect(ids).toEqual([expect.stringMatching(/./)]);
  expect(begun.map(({ metadata }) => metadata.id)).toEqual([ids[0], ids[0]]);
});

test('an object that must be new and whose reply is lost is known for ours', async () => {
  const backend = stacked();
  let left = 1;
  decide = (request) => (isFinish(request) && left-- > 0 ? 'lost-reply' : null);
  expect((await uploadBytes(backend, 'holdfast.vault', Buffer.from('mine'), { ifAbsent: true })).size).toBe(4);
  expect(await codeOf(uploadBytes(backend, 'holdfast.vault', Buffer.from('else'), { ifAbsent: true }))).toBe('already-exists');
  expect((await get(backend, 'holdfast.vault')).toString()).toBe('mine');
});

test.each([0, 1, 256 * 1024, 2 * 256 * 1024, part, part + 1, 2 * part])(
  'an object of %i bytes, which may end at the border of a piece',
  async (size) => {
    const backend = place().fresh();
    const bytes = patterned(size);
    await upload(backend, 'server/border', bytes);
    expect(sha256(await get(backend, 'server/border'))).toBe(sha256(bytes));
  },
);

test('of each piece Google keeps less than was sent: the rest is sent again', async () => {
  place().server.faults.keepAtMost = 600_000;
  const backend = place().fresh();
  await upload(backend, 'server/short');
  expect(sha256(await get(backend, 'server/short'))).toBe(sha256(large));
});

test('of a piece nothing is ever kept: a fault, and no endless loop', async () => {
  place().server.faults.keepAtMost = 1;
  expect(await codeOf(upload(place().fresh(), 'server/stuck'))).toBe('unavailable');
});

test('of a piece a part is kept, and then for a while nothing: the next try goes on where Google stands', async () => {
  const { server } = place();
  let pieces = 0;
  server.refuse = (_, request) => {
    if (!isSessionPiece(request)) return null;
    // The first brings something; of those behind it nothing is kept, until the next try.
    pieces++;
    server.faults.keepAtMost = pieces === 1 ? 600_000 : pieces < 8 ? 1 : Number.POSITIVE_INFINITY;
    return null;
  };
  const backend = stacked(place().fresh());
  await upload(backend, 'server/slow');
  server.refuse = () => null;
  expect(pieces).toBeGreaterThan(8);
  expect(sha256(await get(backend, 'server/slow'))).toBe(sha256(large));
});

test('the token ends at each piece: it is renewed once each time', async () => {
  const { server, tokens } = place();
  const backend = place().fresh();
  await uploadBytes(backend, 'server/large', Buffer.from('older'));
  const before = tokens.given();
  let pieces = 0;
  let ends = true;
  server.refuse = (_, request) => {
    if (!isSessionPiece(request)) return null;
    ends = !ends;
    if (ends) return null;
    pieces++;
    tokens.expire();
    return refusals.expired;
  };
  await upload(backend, 'server/large');
  server.refuse = () => null;
  expect(sha256(await get(backend, 'server/large'))).toBe(sha256(large));
  expect(pieces).toBeGreaterThanOrEqual(4);
  expect(tokens.given() - before).toBe(pieces);
});

test('an account that is no longer connected is fault sign-in-needed, after one renewal', async () => {
  const { server, tokens } = place();
  const before = tokens.given();
  server.refuse = () => refusals.expired;
  expect(await codeOf(place().fresh().stat('server/x'))).toBe('sign-in-needed');
  expect(tokens.given() - before).toBe(1);
});

test.each([
  ['storageQuotaExceeded', 'quota-exceeded'],
  ['uploadLimitExceeded', 'quota-exceeded'],
  ['insufficientPermissions', 'permission-denied'],
  ['accessNotConfigured', 'config-invalid'],
])('403 %s at a piece ends the upload as %s, and nothing is visible', async (reason, code) => {
  const backend = stacked();
  place().server.refuse = (_, request) => (isSessionPiece(request) ? new Refusal(403, reason) : null);
  expect(await codeOf(upload(backend, 'server/refused'))).toBe(code);
  place().server.refuse = () => null;
  expect(await codeOf(backend.stat('server/refused'))).toBe('not-found');
});

test('a full account', async () => {
  const { state } = place().server;
  state.quota = state.used + 1_000_000;
  expect(await codeOf(upload(stacked(), 'server/large'))).toBe('quota-exceeded');
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

test('a session that ended without becoming the object: the older one is left, though it has the same length', async () => {
  const { server } = place();
  const backend = stacked();
  await uploadBytes(backend, 'server/pinned', Buffer.from('1'));
  decide = (request) => {
    if (!isFinish(request)) return null;
    decide = () => null;
    server.now = () => Date.now() + 8 * 86_400_000;
    return 'reset-before';
  };
  await expect(uploadBytes(backend, 'server/pinned', Buffer.from('2'))).rejects.toMatchObject(uploadEnded);
  expect((await get(backend, 'server/pinned')).toString()).toBe('1');
});

test.each([
  ['with the next 308', null],
  ['when it is asked after a lost reply', 'lost-reply'],
] as const)('a session that tells, %s, less than it had acknowledged: the upload is over, and is not tried again', async (_, line) => {
  const { server } = place();
  let pieces = 0;
  decide = (request) => {
    if (!isSessionPiece(request) || /^bytes \*/.test(request.headers['content-range'] ?? '')) return null;
    // The first piece has been acknowledged whole.
    if (++pieces !== 2) return null;
    server.faults.forgetBeyond = 256 * 1024;
    return line;
  };
  const backend = stacked();
  await expect(upload(backend, 'server/forgotten')).rejects.toMatchObject(uploadEnded);
  expect(pieces).toBe(2);
  expect(await codeOf(backend.stat('server/forgotten'))).toBe('not-found');
  server.faults.forgetBeyond = Number.POSITIVE_INFINITY;
  await upload(backend, 'server/forgotten');
  expect(sha256(await get(backend, 'server/forgotten'))).toBe(sha256(large));
});

test('a download whose line falls silent half-way is given up and read on from there', async () => {
  const backend = stacked();
  await upload(backend, 'server/silent');
  const ranges = silentOnce(({ method, url = '' }) => method === 'GET' && url.includes('alt=media'));
  expect(sha256(await get(backend, 'server/silent'))).toBe(sha256(large));
  expectReadOn(ranges, large.byteLength);
});

test('a page of a listing that fails is a fault and no end; the whole stack lists anew', async () => {
  const { server } = place();
  server.pageSize = 3;
  const direct = place().fresh();
  for (let index = 0; index < 8; index++) await uploadBytes(direct, `server/${index}`, Buffer.from('x'));
  const onSecondPage = (request: IncomingMessage): boolean => (request.url ?? '').includes('pageToken=');
  server.refuse = (_, request) => (onSecondPage(request) ? new Refusal(500, 'internalError') : null);
  expect(await codeOf(collect(direct.list('')))).toBe('unavailable');
  let left = 2;
  server.refuse = (_, request) => (onSecondPage(request) && left-- > 0 ? new Refusal(503, 'backendError') : null);
  expect(await collect(stacked(direct).list('server/'))).toHaveLength(8);
});

test('a name that is there twice: the newest counts, is listed once, replaced in place, and all of them are removed', async () => {
  const { state } = place().server;
  const backend = place().fresh();
  await uploadBytes(backend, 'server/namesake', Buffer.from('older'));
  const first = [...state.items.values()].find(({ name }) => name === 'namesake');
  if (first === undefined) throw new Error('no file');
  const copy = state.newId();
  state.items.set(copy, { ...first, id: copy, modifiedTime: first.modifiedTime - 1000 });
  expect((await collect(backend.list(''))).map(({ key }) => key)).toEqual(['server/namesake']);
  await uploadBytes(backend, 'server/namesake', Buffer.from('newer'));
  expect([(await get(backend, 'server/namesake')).toString(), named('namesake')]).toEqual(['newer', 1]);
  state.items.set(copy, { ...first, id: copy, modifiedTime: first.modifiedTime - 1000 });
  await backend.remove('server/namesake');
  expect(named('namesake')).toBe(0);
});

test('a folder that was made twice, by two computers at once: what lies in either is found', async () => {
  const { state } = place().server;
  const backend = place().fresh({ folder: 'double' });
  await uploadBytes(backend, 'server/one', Buffer.from('1'));
  const made = [...state.items.values()].find(({ name }) => name === 'double');
  const second = state.newId();
  state.items.set(second, { ...(made ?? state.get('root')), id: second, createdTime: Date.now() + 1000 });
  const inner = state.newId();
  const server = [...state.items.values()].find(({ name, parents }) => name === 'server' && parents.includes(made?.id ?? ''));
  state.items.set(inner, { ...(server ?? state.get('root')), id: inner, parents: [second], createdTime: Date.now() + 2000 });
  const file = [...state.items.values()].find(({ name }) => name === 'one');
  const other = state.newId();
  state.items.set(other, { ...(file ?? state.get('root')), id: other, name: 'two', parents: [inner] });
  const fresh = place().fresh({ folder: 'double' });
  expect((await collect(fresh.list(''))).map(({ key }) => key).sort()).toEqual(['server/one', 'server/two']);
  expect((await get(fresh, 'server/two')).toString()).toBe('1');
});

test('a checksum that is another than that of what was sent is fault corrupt, and the object is removed', async () => {
  const { server } = place();
  const backend = place().fresh();
  const create = server.state.create.bind(server.state);
  server.state.create = (metadata, content) => create(metadata, content === null ? null : { ...content, sha256: '0'.repeat(64) });
  try {
    expect(await codeOf(upload(backend, 'server/large'))).toBe('corrupt');
  } finally {
    server.state.create = create;
  }
  expect(await collect(backend.list(''))).toEqual([]);
});

test('two accounts at once do not see each other, nor use each other’s tokens', async () => {
  const other = await openDrivePlace();
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
  expect(await googleDriveAccount(tokens.source, { endpoint: server.endpoint })).toEqual({
    name: 'person@example.org',
    usedBytes: server.state.used,
    quotaBytes: 2 ** 41,
  });
});
