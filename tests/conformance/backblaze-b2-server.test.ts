import { createHash } from 'node:crypto';
import { request as send } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openB2Place, testBucket, type B2Place } from '../support/clouds/backblaze-b2/place.ts';
import { patterned } from './suite-support.ts';

/** The server of the tests itself: that it refuses what B2 refuses. rclone shows that it grants what B2 grants. */
let opened: B2Place | undefined;
beforeAll(async () => {
  opened = await openB2Place();
});
afterAll(() => opened?.close());

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly json: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

type Headers = Readonly<Record<string, string>>;

async function ask(method: string, address: string, headers: Headers, body: Uint8Array = Buffer.alloc(0), chunked = false): Promise<Reply> {
  const url = address.startsWith('http') ? address : `${opened?.server.endpoint ?? ''}${address}`;
  const length: Headers = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(body.byteLength) };
  return await new Promise((settle, reject) => {
    const outgoing = send(url, { method, headers: { ...headers, ...length } }, (reply) => {
      const pieces: Buffer[] = [];
      reply.on('data', (piece: Buffer) => pieces.push(piece));
      reply.on('end', () => {
        const all = Buffer.concat(pieces);
        const isJson = reply.headers['content-type'] === 'application/json';
        const json = isJson ? (JSON.parse(all.toString()) as Reply['json']) : {};
        settle({ status: reply.statusCode ?? 0, headers: reply.headers, json, body: all });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const sha1 = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');
const told = ({ status, json }: Reply): string => (status === 200 ? 'done' : `${status} ${String(json['code'])}`);

interface Account {
  readonly token: string;
  readonly bucketId: string;
  call(name: string, fields: object, api?: number): Promise<Reply>;
  upload(url: Reply, headers: Headers, body: Uint8Array, chunked?: boolean): Promise<Reply>;
}

async function account(rights: Parameters<B2Place['server']['addKey']>[0] = {}): Promise<Account> {
  if (opened === undefined) throw new Error('no server');
  const { keyId, applicationKey } = opened.server.addKey(rights);
  const basic = `Basic ${Buffer.from(`${keyId}:${applicationKey}`).toString('base64')}`;
  const reply = await ask('GET', '/b2api/v2/b2_authorize_account', { authorization: basic });
  const token = String(reply.json['authorizationToken']);
  const call = (name: string, fields: object, api = 2): Promise<Reply> =>
    ask('POST', `/b2api/v${api}/${name}`, { authorization: token }, Buffer.from(JSON.stringify(fields)));
  const buckets = await call('b2_list_buckets', { accountId: 'account000001', bucketName: testBucket });
  const [bucket] = (buckets.json['buckets'] ?? []) as { readonly bucketId: string }[];
  return {
    token,
    call,
    bucketId: bucket?.bucketId ?? '',
    upload: ({ json }, headers, body, chunked) =>
      ask('POST', String(json['uploadUrl']), { authorization: String(json['authorizationToken']), ...headers }, body, chunked),
  };
}

const named = (name: string, sum: string): Headers => ({
  'x-bz-file-name': name,
  'content-type': 'b2/x-auto',
  'x-bz-content-sha1': sum,
});

test('a SHA-1 is compared in all of its three ways', async () => {
  const own = await account();
  const bytes = Buffer.from('some bytes');
  const put = async (sum: string, body: Uint8Array = bytes): Promise<Reply> =>
    own.upload(await own.call('b2_get_upload_url', { bucketId: own.bucketId }), named('sums', sum), body);
  expect((await put(sha1(bytes))).json['contentSha1']).toBe(sha1(bytes));
  expect(told(await put(sha1(Buffer.from('other'))))).toBe('400 bad_request');
  const behind = await put('hex_digits_at_end', Buffer.concat([bytes, Buffer.from(sha1(bytes))]));
  expect([behind.json['contentSha1'], behind.json['contentLength']]).toEqual([sha1(bytes), bytes.byteLength]);
  expect(told(await put('hex_digits_at_end', Buffer.concat([bytes, Buffer.from(sha1(Buffer.from('other')))])))).toBe('400 bad_request');
  expect((await put('do_not_verify')).json['contentSha1']).toBe(`unverified:${sha1(bytes)}`);
  expect(told(await put('md5'))).toBe('400 bad_request');
  const got = await ask('GET', `/file/${testBucket}/sums`, { authorization: own.token });
  expect(got.body.toString()).toBe('some bytes');
});

test('a body without a length is refused, and the address that failed takes nothing more', async () => {
  const own = await account();
  const url = await own.call('b2_get_upload_url', { bucketId: own.bucketId });
  const bytes = Buffer.from('x');
  expect(told(await own.upload(url, named('chunked', sha1(bytes)), bytes, true))).toBe('400 bad_request');
  expect(told(await own.upload(url, named('again', sha1(bytes)), bytes))).toBe('401 bad_auth_token');
  expect(opened?.server.misuses).toContain('an upload URL was used after it had failed');
});

test('an upload URL serves one upload at a time', async () => {
  const own = await account();
  const url = await own.call('b2_get_upload_url', { bucketId: own.bucketId });
  const begun = Promise.withResolvers<void>();
  if (opened !== undefined) opened.server.onCall = (call) => (call === 'b2_upload_file' ? begun.resolve() : undefined);
  const { json } = url;
  const headers = { authorization: String(json['authorizationToken']), ...named('slow', sha1(Buffer.from('ab'))), 'content-length': '2' };
  const slow = send(String(json['uploadUrl']), { method: 'POST', headers });
  const reply = new Promise<number>((settle) => slow.on('response', (got) => settle(got.resume().statusCode ?? 0)));
  slow.write('a');
  await begun.promise;
  expect(told(await own.upload(url, named('second', sha1(Buffer.from('x'))), Buffer.from('x')))).toBe('400 auth_token_limit');
  slow.end('b');
  expect(await reply).toBe(200);
});

test('a large file has two parts at least, of 5 MB but for the last, each with the SHA-1 that was told', async () => {
  const own = await account();
  const start = async (): Promise<string> => {
    const fields = { bucketId: own.bucketId, fileName: 'large', contentType: 'b2/x-auto', fileInfo: {} };
    return String((await own.call('b2_start_large_file', fields)).json['fileId']);
  };
  const part = async (fileId: string, number: number, bytes: Uint8Array): Promise<string> => {
    const url = await own.call('b2_get_upload_part_url', { fileId });
    return told(await own.upload(url, { 'x-bz-part-number': String(number), 'x-bz-content-sha1': sha1(bytes) }, bytes));
  };
  const finish = async (fileId: string, ...parts: readonly Uint8Array[]): Promise<string> =>
    told(await own.call('b2_finish_large_file', { fileId, partSha1Array: parts.map(sha1) }));
  const [big, little] = [patterned(5_000_000), patterned(10)];

  const fileId = await start();
  expect(await part(fileId, 0, little)).toBe('400 bad_request');
  expect(await part(fileId, 10_001, little)).toBe('400 bad_request');
  expect(await part(fileId, 1, big)).toBe('done');
  expect(await finish(fileId, big)).toBe('400 bad_request');
  expect(await part(fileId, 3, little)).toBe('done');
  expect(await finish(fileId, big, little)).toBe('400 missing_part');
  const other = await start();
  expect(await part(other, 1, little)).toBe('done');
  expect(await part(other, 2, little)).toBe('done');
  expect(await finish(other, little, little)).toBe('400 bad_request');
  expect(await part(other, 1, big)).toBe('done');
  expect(await finish(other, little, little)).toBe('400 part_sha1_mismatch');
  expect((await own.call('b2_list_parts', { fileId: other })).json['parts']).toMatchObject([
    { partNumber: 1, contentLength: 5_000_000, contentSha1: sha1(big) },
    { partNumber: 2, contentLength: 10 },
  ]);
  expect(await finish(other, big, little)).toBe('done');
  expect(await finish(other, big, little)).toBe('400 bad_request');
  expect(told(await own.call('b2_cancel_large_file', { fileId: other }))).toBe('400 bad_request');
  expect(told(await own.call('b2_cancel_large_file', { fileId }))).toBe('done');
  const range = { authorization: own.token, range: 'bytes=4999998-5000001' };
  const stretch = await ask('GET', `/file/${testBucket}/large`, range);
  expect([stretch.status, stretch.headers['content-range'], stretch.headers['x-bz-content-sha1']]).toEqual([
    206,
    'bytes 4999998-5000001/5000010',
    'none',
  ]);
  expect(stretch.body).toEqual(Buffer.concat([big.subarray(-2), little.subarray(0, 2)]));
  const byId = await ask('HEAD', `/b2api/v2/b2_download_file_by_id?fileId=${other}`, { authorization: own.token });
  expect([byId.status, byId.headers['content-length'], byId.body.byteLength]).toEqual([200, '5000010', 0]);
  expect(told(await ask('GET', `/file/${testBucket}/large`, { ...range, range: 'bytes=5000010-' }))).toBe('416 range_not_satisfiable');
});

test.each(['', '/a', 'a/', 'a//b', 'a%00b', 'a%7Fb', 'x'.repeat(251), 'x/'.repeat(520) + 'x', 'a%zz', 'ünencoded'])(
  'what cannot be a name is refused: %j',
  async (name) => {
    const own = await account();
    const url = await own.call('b2_get_upload_url', { bucketId: own.bucketId });
    const headers = { ...named('', sha1(Buffer.from('x'))), 'x-bz-file-name': Buffer.from(name).toString('latin1') };
    expect(told(await own.upload(url, headers, Buffer.from('x')))).toBe('400 bad_request');
  },
);

test('each version of the interface nests its rights its own way', async () => {
  const keys = opened?.server.addKey({ buckets: [testBucket], namePrefix: 'p/' });
  const authorization = `Basic ${Buffer.from(`${keys?.keyId ?? ''}:${keys?.applicationKey ?? ''}`).toString('base64')}`;
  const at = async (api: number): Promise<Reply['json']> =>
    (await ask('GET', `/b2api/v${api}/b2_authorize_account`, { authorization })).json;
  const sizes = { absoluteMinimumPartSize: 5_000_000, recommendedPartSize: 100_000_000 };
  expect(await at(1)).toMatchObject({ ...sizes, minimumPartSize: 100_000_000, allowed: { bucketName: testBucket, namePrefix: 'p/' } });
  expect(await at(2)).toMatchObject({ ...sizes, allowed: { bucketName: testBucket, namePrefix: 'p/' } });
  expect(await at(3)).toMatchObject({ apiInfo: { storageApi: { ...sizes, bucketName: testBucket, namePrefix: 'p/' } } });
  expect(await at(4)).toMatchObject({
    apiInfo: { storageApi: { ...sizes, allowed: { buckets: [{ name: testBucket }], namePrefix: 'p/' } } },
  });
  opened?.server.addBucket('second-bucket');
  const two = opened?.server.addKey({ buckets: [testBucket, 'second-bucket'] });
  const both = `Basic ${Buffer.from(`${two?.keyId ?? ''}:${two?.applicationKey ?? ''}`).toString('base64')}`;
  expect(told(await ask('GET', '/b2api/v3/b2_authorize_account', { authorization: both }))).toBe('401 unsupported');
  expect(told(await ask('GET', '/b2api/v4/b2_authorize_account', { authorization: both }))).toBe('done');
});

test('what a key may not do is 401 unauthorized, a token that is none bad_auth_token, an odd field bad_json', async () => {
  const own = await account({ capabilities: ['listBuckets', 'listFiles', 'writeFiles'], buckets: [testBucket], namePrefix: 'mine/' });
  const { bucketId } = own;
  expect(told(await own.call('b2_list_file_names', { bucketId }))).toBe('401 unauthorized');
  expect(told(await own.call('b2_list_file_names', { bucketId, prefix: 'mine/' }))).toBe('done');
  expect(told(await own.call('b2_delete_file_version', { fileId: 'x', fileName: 'mine/x' }))).toBe('401 unauthorized');
  expect(told(await own.call('b2_list_buckets', { accountId: 'account000001' }))).toBe('401 unauthorized');
  const url = await own.call('b2_get_upload_url', { bucketId });
  expect(told(await own.upload(url, named('other/x', sha1(Buffer.from('x'))), Buffer.from('x')))).toBe('401 unauthorized');
  expect(told(await ask('GET', `/file/${testBucket}/mine/x`, { authorization: own.token }))).toBe('401 unauthorized');
  expect(told(await own.call('b2_list_file_names', { bucketId, prefix: 'mine/', page: 2 }))).toBe('400 bad_json');
  expect(told(await own.call('b2_list_file_names', { bucketId: 'none', prefix: 'mine/' }))).toBe('400 bad_bucket_id');
  expect(told(await ask('POST', '/b2api/v2/b2_list_file_names', { authorization: 'none' }))).toBe('401 bad_auth_token');
  opened?.server.expireTokens();
  expect(told(await own.call('b2_list_file_names', { bucketId, prefix: 'mine/' }))).toBe('401 expired_auth_token');
});
