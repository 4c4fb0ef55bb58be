import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../main/adapters/system/clock.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import { uploadBytes, uploadStream } from '../../main/engine/storage/upload-object.ts';
import { isCall, randomRefusals, randomTransport, refusals, type B2Refusal } from '../support/clouds/backblaze-b2/faults.ts';
import { openB2Place, testBucket, type B2Place } from '../support/clouds/backblaze-b2/place.ts';
import { Refusal } from '../support/clouds/backblaze-b2/refusal.ts';
import { startFaultProxy, type Decide, type FaultProxy } from '../support/clouds/fault-proxy.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { abandonMidway, codeOf, collect, expectReadOn, get, patterned, put, sha256, uploadEnded } from './suite-support.ts';
import { describeBackend } from './suite.ts';

let opened: B2Place | undefined;
let proxy: FaultProxy | undefined;
let decide: Decide<never> = () => null;
let seed = 0;
const refused = new Set<B2Refusal>();
const calls: string[] = [];

beforeAll(async () => {
  opened = await openB2Place();
  proxy = await startFaultProxy(opened.server.port, (request) => decide(request), {});
});
afterAll(async () => {
  await proxy?.close();
  await opened?.close();
});
beforeEach(() => {
  decide = () => null;
  calls.length = 0;
  const { server } = place();
  server.refuse = () => null;
  server.tamper = (_, body) => body;
  server.onCall = (call) => calls.push(call);
});

function place(): B2Place {
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

/** In three parts. */
const large = patterned(11_000_000);
const upload = (backend: Backend, key: string): Promise<unknown> => uploadStream(backend, key, inPieces(large), { partSize: 5_000_000 });
const count = (name: string): number => calls.filter((call) => call === name).length;

/** On the way, and of what arrives again as many by the provider itself: three of ten together. */
const rate = 1 - Math.sqrt(0.7);

describe('with a fault in three of ten requests', () => {
  describeBackend(
    'backblaze-b2 under the whole stack',
    () => {
      decide = randomTransport(++seed, rate);
      place().server.refuse = randomRefusals(++seed, rate, (kind) => refused.add(kind));
      return Promise.resolve({ backend: stacked() });
    },
    { createsOnce: false, resumesReads: true, manyKeys: 60, mostBuffers: 110_000_000 },
  );

  test('every kind of fault has struck, and no upload URL was used again after it', () => {
    const kinds = ['stall', 'reset-before', 'reset-within', 'web-page', 'cut-reply', 'lost-reply'];
    expect(kinds.filter((kind) => proxy?.struck().has(kind) !== true)).toEqual([]);
    expect(Object.keys(refusals).filter((kind) => !refused.has(kind as B2Refusal))).toEqual([]);
    expect(place().server.misuses).toEqual([]);
  });
});

/** What has been done all the same. */
const unheard = ['lost-reply', 'failed-reply'] as const;
const eachUnheard = (...names: readonly string[]): readonly (readonly [string, (typeof unheard)[number]])[] =>
  names.flatMap((name) => unheard.map((fault) => [name, fault] as const));

test.each(eachUnheard('b2_authorize_account', 'b2_get_upload_part_url', 'b2_upload_part', 'b2_finish_large_file', 'b2_list_file_versions'))(
  'of a large object the reply to %s does not come (%s): the object is whole, there once, and no upload is left',
  async (name, fault) => {
    let left = 1;
    decide = (request) => (isCall(request, name) && left-- > 0 ? fault : null);
    const backend = stacked(place().fresh({ endpoint: proxy?.endpoint, prefix: `${fault}/${name}` }));
    await upload(backend, 'server/large');
    expect(left).toBeLessThanOrEqual(0);
    expect(sha256(await get(backend, 'server/large'))).toBe(sha256(large));
    expect(await collect(backend.openUploads(''))).toEqual([]);
    expect(place().server.actionsOf(testBucket, `${fault}/${name}/server/large`)).toEqual(['upload']);
  },
);

test.each(eachUnheard('b2_get_upload_url', 'b2_upload_file', 'b2_cancel_large_file', 'b2_delete_file_version'))(
  'of a small object that replaces another the reply to %s does not come (%s): it is there once',
  async (name, fault) => {
    const open = (): Backend => stacked(place().fresh({ endpoint: proxy?.endpoint, prefix: `${fault}/${name}` }));
    await uploadBytes(open(), 'server/small', Buffer.from('older'));
    const backend = open();
    let left = 1;
    decide = (request) => (isCall(request, name) && left-- > 0 ? fault : null);
    // Of unknown size, so that it is begun as a large file.
    await uploadStream(backend, 'server/small', inPieces(Buffer.from('newer')), {});
    expect(left).toBeLessThanOrEqual(0);
    expect((await get(backend, 'server/small')).toString()).toBe('newer');
    expect(place().server.actionsOf(testBucket, `${fault}/${name}/server/small`)).toEqual(['upload']);
    expect(await collect(backend.openUploads(''))).toEqual([]);
    decide = (request) => (isCall(request, name) && left++ === 0 ? fault : null);
    await backend.remove('server/small');
    expect(place().server.actionsOf(testBucket, `${fault}/${name}/server/small`)).toEqual([]);
  },
);

test('a lost reply to the beginning leaves an upload that is told of and can be abandoned, also when its answer is lost', async () => {
  let left = 1;
  decide = (request) => (isCall(request, 'b2_start_large_file') && left-- > 0 ? 'lost-reply' : null);
  const backend = stacked();
  await upload(backend, 'server/large');
  const open = await collect(backend.openUploads('server/'));
  expect(open.length).toBe(1);
  left = 1;
  decide = (request) => (isCall(request, 'b2_cancel_large_file') && left-- > 0 ? 'lost-reply' : null);
  for (const { token } of open) await backend.abandon(token);
  expect(await collect(backend.openUploads(''))).toEqual([]);
});

test('the reply to a small object that must be new is lost: it is known for ours', async () => {
  let left = 1;
  decide = (request) => (isCall(request, 'b2_upload_file') && left-- > 0 ? 'lost-reply' : null);
  const backend = stacked();
  expect((await uploadBytes(backend, 'holdfast.vault', Buffer.from('mine'), { ifAbsent: true })).size).toBe(4);
  expect(await codeOf(uploadBytes(backend, 'holdfast.vault', Buffer.from('else'), { ifAbsent: true }))).toBe('already-exists');
  expect((await get(backend, 'holdfast.vault')).toString()).toBe('mine');
});

test('a large file that was cancelled without becoming the object: an older one of the same length does not pass for it', async () => {
  const { server } = place();
  const backend = stacked(place().fresh({ endpoint: proxy?.endpoint, prefix: 'cancelled' }));
  const other = place().fresh({ prefix: 'cancelled' });
  const older = patterned(large.byteLength, 9);
  await uploadStream(backend, 'server/older', inPieces(older), { partSize: 5_000_000 });
  decide = (request) => {
    if (!isCall(request, 'b2_finish_large_file')) return null;
    decide = () => null;
    return 'reset-before';
  };
  server.hold = async (call) => {
    if (call !== 'b2_finish_large_file') return;
    server.hold = () => Promise.resolve();
    for (const { token } of await collect(other.openUploads(''))) await other.abandon(token);
  };
  await expect(upload(backend, 'server/older')).rejects.toMatchObject(uploadEnded);
  expect(sha256(await get(other, 'server/older'))).toBe(sha256(older));
});

test('a download whose line falls silent half-way is given up and read on from there', async () => {
  const backend = stacked();
  await upload(backend, 'server/silent');
  const ranges = silentOnce(({ method, url = '' }) => method === 'GET' && url.startsWith('/file/'));
  expect(sha256(await get(backend, 'server/silent'))).toBe(sha256(large));
  expectReadOn(ranges, large.byteLength);
});

test('tokens and upload URLs expire at every part: nobody notices', async () => {
  const { server } = place();
  server.onCall = (call) => {
    calls.push(call);
    if (call !== 'b2_upload_part') return;
    server.expireTokens();
    server.expireUploadUrls();
  };
  const backend = stacked();
  await upload(backend, 'server/large');
  expect(sha256(await get(backend, 'server/large'))).toBe(sha256(large));
  expect(count('b2_authorize_account')).toBeGreaterThan(2);
  expect(server.misuses).toEqual([]);
});

test('a token that ends after each single call is renewed within the next one, without the retry layer', async () => {
  const { server } = place();
  server.tamper = (call, body) => {
    if (call !== 'b2_authorize_account') server.expireTokens();
    return body;
  };
  const backend = place().fresh();
  await put(backend, 'server/a', Buffer.from('x'));
  expect((await get(backend, 'server/a')).toString()).toBe('x');
  expect((await backend.stat('server/a')).size).toBe(1);
  await backend.remove('server/a');
  expect(await collect(backend.list(''))).toEqual([]);
});

test('calls that find the token ended at the same moment renew it once', async () => {
  const backend = place().fresh();
  await put(backend, 'server/a', Buffer.from('x'));
  place().server.expireTokens();
  calls.length = 0;
  await Promise.all(Array.from({ length: 8 }, () => backend.stat('server/a')));
  expect(count('b2_authorize_account')).toBe(1);
});

test('who waits for a sign-in that hangs can give up, and the next one begins anew', async () => {
  const hangs = Promise.withResolvers<void>();
  let left = 1;
  decide = (request) => {
    if (!isCall(request, 'b2_authorize_account') || left-- <= 0) return null;
    hangs.resolve();
    return 'stall';
  };
  const backend = place().fresh({ endpoint: proxy?.endpoint });
  const controller = new AbortController();
  const waiting = codeOf(backend.stat('server/none', { signal: controller.signal }));
  await hangs.promise;
  controller.abort();
  expect(await waiting).toBe('cancelled');
  expect(await codeOf(backend.stat('server/none'))).toBe('not-found');
});

test('an upload URL that fails is never used again: a busy server is left for another at once', async () => {
  const { server } = place();
  let left = 3;
  server.refuse = (call) => (call === 'b2_upload_part' && left-- > 0 ? refusals.busy : null);
  const backend = place().fresh();
  await put(backend, 'server/warm', Buffer.from('x'));
  const open = await backend.beginUpload('server/large');
  await open.writePart(0, large.subarray(0, 5_000_000));
  // Two answers of "busy" to one part are weather, which the retry layer above sits out.
  expect(await codeOf(open.writePart(1, large.subarray(5_000_000)))).toBe('unavailable');
  await open.writePart(1, large.subarray(5_000_000));
  expect((await open.complete()).size).toBe(large.byteLength);
  expect(sha256(await get(backend, 'server/large'))).toBe(sha256(large));
  expect(server.misuses).toEqual([]);
});

test.each([
  ['storage_cap_exceeded', 'b2_upload_file', 'storage cap'],
  ['transaction_cap_exceeded', 'b2_list_file_names', 'cap of transactions'],
  ['download_cap_exceeded', 'b2_download_file_by_name', 'cap of downloads'],
])('%s is fault quota-exceeded, said plainly, and tried once only', async (code, name, words) => {
  const backend = stacked();
  await uploadBytes(backend, 'server/object', Buffer.from('x'));
  place().server.refuse = (call) => (call === name ? new Refusal(403, code) : null);
  calls.length = 0;
  const work = async (): Promise<void> => {
    await uploadBytes(backend, 'server/object', Buffer.from('y'));
    await backend.stat('server/object');
    await get(backend, 'server/object');
  };
  await expect(work()).rejects.toMatchObject({
    code: 'quota-exceeded',
    message: expect.stringContaining(words) as string,
    context: { next: expect.stringContaining('docs/setup/backblaze-b2.md') as string },
  });
  expect(count(name)).toBe(1);
});

test('a storage cap that is reached within a large object leaves nothing behind', async () => {
  let parts = 0;
  place().server.refuse = (call) => (call === 'b2_upload_part' && ++parts > 1 ? new Refusal(403, 'storage_cap_exceeded') : null);
  const backend = stacked();
  expect(await codeOf(upload(backend, 'server/large'))).toBe('quota-exceeded');
  expect(await collect(backend.openUploads(''))).toEqual([]);
  expect(await collect(backend.list(''))).toEqual([]);
});

test('a refusal with 401 and no word why renews the token once, and then stands', async () => {
  const backend = place().fresh();
  await put(backend, 'server/a', Buffer.from('x'));
  let left = 1;
  place().server.refuse = (call) => (call === 'b2_list_file_names' && left-- > 0 ? new Refusal(401, '') : null);
  expect((await backend.stat('server/a')).size).toBe(1);
  left = 2;
  calls.length = 0;
  expect(await codeOf(backend.stat('server/a'))).toBe('permission-denied');
  expect(calls).toEqual(['b2_list_file_names', 'b2_authorize_account', 'b2_list_file_names']);
});

test('a part whose reply tells another SHA-1 is sent again; a small object of which B2 says so is corrupt and taken away', async () => {
  const { server } = place();
  const wrong = '0'.repeat(40);
  let left = 1;
  server.tamper = (call, body) => (call === 'b2_upload_part' && left-- > 0 ? { ...body, contentSha1: wrong } : body);
  const backend = stacked();
  await upload(backend, 'server/large');
  expect(sha256(await get(backend, 'server/large'))).toBe(sha256(large));
  expect(count('b2_upload_part')).toBe(4);
  server.tamper = (call, body) => (call === 'b2_upload_file' ? { ...body, contentSha1: wrong } : body);
  expect(await codeOf(uploadBytes(backend, 'server/small', Buffer.from('x')))).toBe('corrupt');
  expect(await codeOf(backend.stat('server/small'))).toBe('not-found');
});

test('bytes that change on the way are refused by B2 and sent again', async () => {
  const { server } = place();
  let left = 1;
  server.refuse = (call) =>
    call === 'b2_upload_part' && left-- > 0 ? new Refusal(400, 'bad_request', 'Sha1 did not match data received') : null;
  const backend = stacked();
  await upload(backend, 'server/large');
  expect(sha256(await get(backend, 'server/large'))).toBe(sha256(large));
});

test('an upload that somebody else cancels on the way says so, and is not tried again', async () => {
  expect(await abandonMidway(stacked())).toMatchObject([uploadEnded, uploadEnded]);
});

test('a page of a listing that never comes is a fault, and no end of the listing', async () => {
  const keys = Array.from({ length: 1_001 }, (_, index) => `pages/${index}`);
  const direct = place().fresh({ prefix: 'second-page' });
  const waiting = [...keys];
  const worker = async (): Promise<void> => {
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) await put(direct, key, Buffer.from('x'));
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  for (const kind of ['web-page', 'reset-before', 'lost-reply', 'cut-reply'] as const) {
    let pages = 0;
    decide = (request) => (isCall(request, 'b2_list_file_names') && ++pages > 1 ? kind : null);
    const behind = place().fresh({ endpoint: proxy?.endpoint, prefix: 'second-page' });
    expect([kind, await codeOf(collect(behind.list('')))]).toEqual([kind, 'unavailable']);
  }
  let pages = 0;
  decide = (request) => (isCall(request, 'b2_list_file_names') && ++pages === 2 ? 'cut-reply' : null);
  const listed = await collect(stacked(place().fresh({ endpoint: proxy?.endpoint, prefix: 'second-page' })).list(''));
  expect(listed.map(({ key }) => key).sort()).toEqual([...keys].sort());
});

test('no token or key has stood in an address', () => {
  const seen = proxy?.seen ?? [];
  expect(seen.length).toBeGreaterThan(100);
  expect(seen.filter((line) => /4_upload_|\b4_[0-9a-f]{24}|[?]/.test(line))).toEqual([]);
});
