import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { b2Account } from '../../main/adapters/storage/backblaze-b2/account.ts';
import { b2Backend } from '../../main/adapters/storage/backblaze-b2/b2-backend.ts';
import type { B2Keys } from '../../main/adapters/storage/backblaze-b2/settings.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import { uploadBytes, uploadStream } from '../../main/engine/storage/upload-object.ts';
import { openB2Place, testBucket, type B2Place } from '../support/clouds/backblaze-b2/place.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { codeOf, collect, get, patterned, put, sha256 } from './suite-support.ts';

/** What a key may do, and two accounts at once. */
let opened: B2Place | undefined;
beforeAll(async () => {
  opened = await openB2Place();
});
afterAll(() => opened?.close());
afterEach(() => {
  place().server.tamper = (_, body) => body;
  place().server.onCall = () => undefined;
});

function place(): B2Place {
  if (opened === undefined) throw new Error('no server');
  return opened;
}

function at(keys: B2Keys, prefix: string | undefined, bucket = testBucket): Backend {
  return b2Backend({ bucket, prefix }, keys, { endpoint: place().server.endpoint });
}

/** A token may end again between its renewal and its use, which the retry layer sits out. */
function stacked(base: Backend): Backend {
  return standardStack(base, { clock: systemClock, random: seededRandom(1), retry: { baseMs: 2, capMs: 20 } }).backend;
}

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let offset = 0; offset < bytes.byteLength; offset += 1_000_000)
    yield await Promise.resolve(bytes.subarray(offset, offset + 1_000_000));
}

test('two accounts at once, of which one has its tokens expire and its key deleted, do not disturb each other', async () => {
  const { server } = place();
  const accounts = ['one', 'two'].map((name) => {
    const [account, bucket] = [`account-${name}`, `bucket-of-${name}`];
    server.addBucket(bucket, account);
    const keys = server.addKey({ account });
    return { bucket, keys, backend: stacked(at(keys, 'home', bucket)) };
  });
  const contents = [patterned(12_000_000, 1), patterned(12_000_000, 2)];
  server.onCall = (call) => {
    if (call === 'b2_upload_part') server.expireTokens();
  };
  await Promise.all(
    accounts.map(({ backend }, index) =>
      uploadStream(backend, 'server/object', inPieces(contents[index] ?? Buffer.alloc(0)), { partSize: 5_000_000 }),
    ),
  );
  for (const [index, { backend, bucket }] of accounts.entries()) {
    expect(sha256(await get(backend, 'server/object'))).toBe(sha256(contents[index] ?? Buffer.alloc(0)));
    expect(server.actionsOf(bucket, 'home/server/object')).toEqual(['upload']);
  }
  const [one, two] = accounts;
  server.removeKey(one?.keys.keyId ?? '');
  expect(await codeOf(one?.backend.stat('server/object') ?? Promise.resolve())).toBe('unauthenticated');
  expect(await codeOf(two?.backend.stat('server/object') ?? Promise.resolve())).toBe('no fault');
  // Neither key sees the other's bucket.
  expect(await codeOf(at(two?.keys ?? { keyId: '', applicationKey: '' }, 'home', one?.bucket).stat('server/object'))).toBe(
    'config-invalid',
  );
});

test('a wrong key is fault unauthenticated, and asked about once', async () => {
  const { server } = place();
  const right = server.addKey();
  let calls = 0;
  server.onCall = () => calls++;
  const wrong = { keyId: right.keyId, applicationKey: 'GEHEIM-but-wrong' };
  const fault = await at(wrong, 'x')
    .stat('server/object')
    .catch((error: unknown) => error);
  expect(fault).toMatchObject({
    code: 'unauthenticated',
    context: { next: expect.stringContaining('docs/setup/backblaze-b2.md') as string },
  });
  expect(inspect(fault, { depth: 9, showHidden: true })).not.toContain('GEHEIM');
  expect(calls).toBe(1);
  expect(await codeOf(at({ keyId: 'nobody', applicationKey: 'x' }, 'x').stat('server/object'))).toBe('unauthenticated');
});

test('a bucket that does not exist, or is not this key’s, is fault config-invalid', async () => {
  const { server } = place();
  server.addBucket('another-bucket');
  expect(await codeOf(at(server.addKey(), 'x', 'no-such-bucket').stat('server/object'))).toBe('config-invalid');
  expect(await codeOf(at(server.addKey({ buckets: ['another-bucket'] }), 'x').stat('server/object'))).toBe('config-invalid');
  expect(() => at(server.addKey(), 'x', 'a/b')).toThrow('cannot be a bucket');
});

test('a key that is restricted to a prefix works below it, and says so elsewhere', async () => {
  const keys = place().server.addKey({ buckets: [testBucket], namePrefix: 'home/' });
  const backend = at(keys, 'home');
  await uploadBytes(backend, 'server/object', Buffer.from('x'));
  expect((await collect(backend.list(''))).map(({ key }) => key)).toEqual(['server/object']);
  expect(await collect(at(keys, 'home/deeper').openUploads(''))).toEqual([]);
  for (const prefix of ['homes', 'other', undefined]) {
    await expect(at(keys, prefix).stat('server/object')).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('names that begin with home/') as string,
      context: { next: expect.stringContaining(`b2:${testBucket}/home`) as string },
    });
  }
});

test('a key that may only read reads, and each other verb names the right that it lacks', async () => {
  const { server } = place();
  await uploadBytes(at(server.addKey(), 'read-only'), 'server/object', Buffer.from('x'));
  const backend = at(server.addKey({ buckets: [testBucket], capabilities: ['listBuckets', 'listFiles', 'readFiles'] }), 'read-only');
  expect((await get(backend, 'server/object')).toString()).toBe('x');
  const lacking = (right: string): object => ({
    code: 'permission-denied',
    message: expect.stringContaining(right) as string,
    context: { next: expect.stringContaining('docs/setup/backblaze-b2.md') as string },
  });
  await expect(uploadBytes(backend, 'server/other', Buffer.from('x'))).rejects.toMatchObject(lacking('writeFiles'));
  await expect(backend.beginUpload('server/large')).rejects.toMatchObject(lacking('writeFiles'));
  await expect(backend.remove('server/object')).rejects.toMatchObject(lacking('deleteFiles'));
  const writing = at(server.addKey({ buckets: [testBucket], capabilities: ['listBuckets', 'listFiles', 'writeFiles'] }), 'read-only');
  await expect(get(writing, 'server/object')).rejects.toMatchObject(lacking('readFiles'));
  const blind = at(server.addKey({ buckets: [testBucket], capabilities: ['readFiles', 'writeFiles'] }), 'read-only');
  await expect(collect(blind.list(''))).rejects.toMatchObject(lacking('listFiles'));
});

test('a key that may not delete stores and replaces; what is removed stays, and the fault says what to do', async () => {
  const { server } = place();
  const capabilities = ['listBuckets', 'listFiles', 'readFiles', 'writeFiles'];
  const backend = at(server.addKey({ buckets: [testBucket], capabilities }), 'no-delete');
  await uploadBytes(backend, 'server/object', Buffer.from('first'));
  await uploadBytes(backend, 'server/object', Buffer.from('second'));
  expect((await get(backend, 'server/object')).toString()).toBe('second');
  // The older version stays, out of reach of whoever takes this computer over.
  expect(server.actionsOf(testBucket, 'no-delete/server/object')).toEqual(['upload', 'upload']);
  await expect(backend.remove('server/object')).rejects.toMatchObject({
    code: 'permission-denied',
    message: 'server/object was not removed: this application key may not delete (it has not the right deleteFiles)',
    context: { next: expect.stringContaining('prune') as string },
  });
  expect((await get(backend, 'server/object')).toString()).toBe('second');
  expect(await codeOf(backend.remove('server/never'))).toBe('no fault');
  // One that may, takes all of them away.
  await at(server.addKey(), 'no-delete').remove('server/object');
  expect(server.actionsOf(testBucket, 'no-delete/server/object')).toEqual([]);
  // An upload in parts that is given up needs no such right.
  const upload = await backend.beginUpload('server/left');
  await upload.abort();
  expect(await collect(backend.openUploads(''))).toEqual([]);
});

test('an object that arrived with another checksum is told as that, also where the key may not remove it', async () => {
  const { server } = place();
  const capabilities = ['listBuckets', 'listFiles', 'readFiles', 'writeFiles'];
  const backend = at(server.addKey({ buckets: [testBucket], capabilities }), 'no-delete');
  server.tamper = (call, body) => (call === 'b2_upload_file' ? { ...body, contentSha1: '0'.repeat(40) } : body);
  await expect(uploadBytes(backend, 'server/tampered', Buffer.from('x'))).rejects.toMatchObject({
    code: 'corrupt',
    context: { leftover: 'server/tampered', leftoverReason: expect.stringContaining('this application key may not delete') as string },
  });
});

test('of two that create the same object at the same moment one wins, though both saw nothing', async () => {
  const { server } = place();
  const [one, two] = [at(server.addKey(), 'race'), at(server.addKey(), 'race')];
  const uploads = await Promise.all([one, two].map((backend) => backend.beginUpload('holdfast.vault', { ifAbsent: true, sizeHint: 3 })));
  for (const [index, upload] of uploads.entries()) await upload.writePart(0, Buffer.from(['one', 'two'][index] ?? ''));
  // Both look before either uploads.
  const both = Promise.withResolvers<void>();
  let looks = 0;
  const names: string[] = [];
  server.onCall = (call) => {
    names.push(call);
    if (call === 'b2_list_file_names' && ++looks === 2) both.resolve();
  };
  server.hold = async (call) => {
    if (call === 'b2_list_file_names') await both.promise;
  };
  const outcomes = await Promise.all(uploads.map((upload) => codeOf(upload.complete())));
  server.hold = () => Promise.resolve();
  expect(outcomes.sort()).toEqual(['already-exists', 'no fault']);
  expect(names.filter((name) => name === 'b2_upload_file').length).toBe(2);
  expect(server.actionsOf(testBucket, 'race/holdfast.vault')).toEqual(['upload']);
});

test('what a hide marker hides is not there, and removal takes marker and versions', async () => {
  const { server } = place();
  const backend = at(server.addKey(), 'hidden');
  await put(backend, 'server/object', Buffer.from('x'));
  server.hide(testBucket, 'hidden/server/object');
  expect(await codeOf(backend.stat('server/object'))).toBe('not-found');
  expect(await codeOf(get(backend, 'server/object'))).toBe('not-found');
  expect(await collect(backend.list(''))).toEqual([]);
  await put(backend, 'server/object', Buffer.from('yy'), true);
  expect((await backend.stat('server/object')).size).toBe(2);
  server.hide(testBucket, 'hidden/server/object');
  await backend.remove('server/object');
  expect(server.actionsOf(testBucket, 'hidden/server/object')).toEqual([]);
});

test('an account that nests its rights as version 3 did is understood too', async () => {
  const { server } = place();
  server.tamper = (call, body) => (call === 'b2_authorize_account' ? asVersion3(body) : body);
  const keys = server.addKey({ buckets: [testBucket], namePrefix: 'third/' });
  await uploadBytes(at(keys, 'third'), 'server/object', Buffer.from('x'));
  expect(await codeOf(at(keys, 'other').stat('server/object'))).toBe('config-invalid');
});

function asVersion3(body: object): object {
  const { apiInfo, ...account } = body as { apiInfo: { storageApi: { allowed: { buckets: { id: string; name: string }[] } } } };
  const { allowed, ...others } = apiInfo.storageApi;
  const { buckets, ...rights } = allowed;
  return { ...account, apiInfo: { storageApi: { ...others, ...rights, bucketId: buckets[0]?.id, bucketName: buckets[0]?.name } } };
}

test('the account is told with what its key may do', async () => {
  const { server } = place();
  const settings = { bucket: testBucket, prefix: 'x' };
  const options = { endpoint: server.endpoint };
  const keys = server.addKey({ capabilities: ['listBuckets', 'listFiles', 'readFiles', 'writeFiles'] });
  expect(await b2Account(settings, keys, options)).toEqual({
    name: `account account000001, bucket ${testBucket} (the key may list, read, write; not delete)`,
  });
  expect(await codeOf(b2Account(settings, { ...keys, applicationKey: 'x' }, options))).toBe('unauthenticated');
});
