import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { s3Backend } from '../../main/adapters/storage/s3/s3-backend.ts';
import { resolveS3Place, s3Presets, type S3Settings } from '../../main/adapters/storage/s3/settings.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { retry } from '../../main/engine/storage/layers/retry.ts';
import { uploadBytes, uploadStream } from '../../main/engine/storage/upload-object.ts';
import { codeOf, collect, get, put, uploadEnded } from '../conformance/suite-support.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { seededRandom } from '../support/seeded-random.ts';

/** What the real server of the conformance suite never answers is answered here by hand. */
interface Answer {
  /** The line breaks in its place. */
  readonly lost?: boolean;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function answering(
  answer: (seen: Seen) => Answer,
  more: Partial<S3Settings> = {},
): Promise<{ readonly backend: Backend; readonly seen: readonly Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const about = { method: request.method ?? '', url: request.url ?? '', headers: request.headers };
      seen.push(about);
      const { lost = false, status = 200, headers = {}, body = '' } = answer(about);
      if (lost) {
        request.socket.resetAndDestroy();
        return;
      }
      response.writeHead(status, headers).end(about.method === 'HEAD' ? undefined : body);
    });
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const settings = { bucket: 'b1', endpoint: `http://127.0.0.1:${port}`, ...more };
  return { backend: s3Backend(settings, { accessKeyId: 'id', secretAccessKey: 'secret' }), seen };
}

const md5 = 'd41d8cd98f00b204e9800998ecf8427e';
const stored = (size: number, more: Readonly<Record<string, string>> = {}): Answer => ({
  headers: { etag: `"${md5}"`, 'last-modified': 'Tue, 24 Nov 2026 10:00:00 GMT', 'content-length': String(size), ...more },
});
const error = (status: number, code: string): Answer => ({ status, body: `<Error><Code>${code}</Code></Error>` });
const xml = (body: string): Answer => ({ headers: { 'content-type': 'application/xml' }, body: `<?xml version="1.0"?>${body}` });

const begunUpload = xml('<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>');

describe('an object that must be new', () => {
  const absent = (seen: Seen, on: Answer): Answer => (seen.method === 'HEAD' ? { status: 404 } : on);

  test('is asked for with If-None-Match, and 412 is fault already-exists', async () => {
    const { backend, seen } = await answering((request) => absent(request, error(412, 'PreconditionFailed')));
    expect(await codeOf(put(backend, 'holdfast.vault', Buffer.from('x'), true))).toBe('already-exists');
    expect(seen.at(-1)?.headers['if-none-match']).toBe('*');
  });

  test('another writer at the same moment, 409, is worth another try', async () => {
    const { backend } = await answering((request) => absent(request, error(409, 'ConditionalRequestConflict')));
    expect(await codeOf(put(backend, 'holdfast.vault', Buffer.from('x'), true))).toBe('unavailable');
  });

  test('is written without the condition where the server does not know it', async () => {
    let there = false;
    const { backend, seen } = await answering(({ method, headers }) => {
      if (method === 'HEAD') return there ? stored(1) : { status: 404 };
      if (headers['if-none-match'] !== undefined) return error(501, 'NotImplemented');
      there = true;
      return { headers: { etag: `"${md5}"` } };
    });
    expect((await put(backend, 'holdfast.vault', Buffer.from('x'), true)).size).toBe(1);
    expect(seen.map(({ method }) => method)).toEqual(['HEAD', 'PUT', 'PUT', 'HEAD']);
  });

  test('is not written over one that is there by a server that takes no notice of the condition', async () => {
    const { backend, seen } = await answering(() => stored(1));
    expect(await codeOf(put(backend, 'holdfast.vault', Buffer.from('x'), true))).toBe('already-exists');
    expect(seen.map(({ method }) => method)).toEqual(['HEAD']);
  });
});

describe('replies that are not what was asked for', () => {
  test('all of an object where a range was asked for', async () => {
    const { backend } = await answering(() => ({ ...stored(10), body: '0123456789' }));
    expect(await codeOf(get(backend, 'server/x', { offset: 2, length: 3 }))).toBe('unsupported');
  });

  test('another range', async () => {
    const range = { 'content-range': 'bytes 0-2/10' };
    const { backend } = await answering(() => ({ ...stored(3, range), status: 206, body: '012' }));
    expect(await codeOf(get(backend, 'server/x', { offset: 2, length: 3 }))).toBe('unavailable');
  });

  test.each([
    ['nothing', ''],
    ['XML that is no listing', '<Welcome><To>hotel</To></Welcome>'],
    ['a page without the place to go on from', '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>'],
  ])('%s in place of a listing is no empty listing', async (_, body) => {
    const { backend } = await answering(() => xml(body));
    expect(await codeOf(collect(backend.list('')))).toBe('unavailable');
  });

  test('an upload put together without an ETag may have failed', async () => {
    const { backend } = await answering(({ method, url }) => {
      if (method === 'POST' && url.includes('uploads')) return begunUpload;
      if (method === 'PUT') return { headers: { etag: `"${md5}"` } };
      // A line end behind the error hides it from a look at the last characters.
      return xml('<Error><Code>InternalError</Code><Message>x</Message></Error>\n\n');
    });
    const upload = await backend.beginUpload('server/x');
    await upload.writePart(0, Buffer.from('x'));
    expect(await codeOf(upload.complete())).toBe('unavailable');
  });

  test('an object of another size than was sent is fault corrupt', async () => {
    const { backend } = await answering(({ method }) => (method === 'HEAD' ? stored(4) : { headers: { etag: `"${md5}"` } }));
    expect(await codeOf(put(backend, 'server/x', Buffer.from('12345')))).toBe('corrupt');
  });
});

test.each([
  ['an hour before', -60, 'config-invalid'],
  ['an hour after', 60, 'config-invalid'],
  ['nearly at', 10, 'permission-denied'],
])('HEAD, refused without a word by a server whose time is %s ours', async (_, minutes, code) => {
  const date = new Date(Date.now() + minutes * 60_000).toUTCString();
  const { backend } = await answering(() => ({ status: 403, headers: { date } }));
  expect(await codeOf(backend.stat('server/x'))).toBe(code);
});

test('an object that another computer has replaced since is not judged by our bytes, and stays', async () => {
  const theirs = '9dd4e461268c8034f5c8564e155c67a6';
  const { backend, seen } = await answering(({ method }) =>
    method === 'HEAD' ? stored(4, { etag: `"${theirs}"` }) : { headers: { etag: `"${md5}"` } },
  );
  const { size } = await uploadBytes(backend, 'holdfast.vault', Buffer.from('12345'));
  expect(size).toBe(5);
  expect(seen.map(({ method }) => method)).toEqual(['PUT', 'HEAD']);
});

describe('checksums', () => {
  test.each([
    ['an MD5', {}, md5],
    ['of parts', { etag: `"${md5}-3"` }, undefined],
    ['with a key service', { 'x-amz-server-side-encryption': 'aws:kms' }, undefined],
    ['encrypted by a server that is not AWS', { 'x-amz-server-side-encryption': 'AES256' }, undefined],
  ])('an ETag %s', async (_, headers, expected) => {
    const { backend } = await answering(() => stored(0, headers));
    expect((await backend.stat('server/x')).checksum?.hex).toBe(expected);
  });

  test.each([
    [true, 'CRC32'],
    [false, undefined],
  ])('sent with each part: %s', async (sendChecksums, algorithm) => {
    const { backend, seen } = await answering(({ method }) => (method === 'HEAD' ? stored(1) : { headers: { etag: `"${md5}"` } }), {
      sendChecksums,
    });
    await put(backend, 'server/x', Buffer.from('x'));
    expect(seen[0]?.headers['x-amz-sdk-checksum-algorithm']).toBe(algorithm);
    // SHA-256 of “x”: the signature covers the body in any case.
    expect(seen[0]?.headers['x-amz-content-sha256']).toBe('2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881');
  });
});

test.each([
  ['put in one piece', 'PUT', (backend: Backend) => uploadBytes(backend, 'server/x', Buffer.from('x'))],
  ['made of parts', 'POST', (backend: Backend) => backend.beginUpload('server/parts')],
] as const)('an object %s gets the storage class and the encryption that were chosen', async (_, method, make) => {
  const { backend, seen } = await answering(
    ({ method: asked }) => (asked === 'POST' ? begunUpload : asked === 'PUT' ? { headers: { etag: '"x"' } } : stored(1, { etag: '"x"' })),
    { storageClass: 'STANDARD_IA', sse: 'aws:kms', sseKmsKey: 'arn:aws:kms:eu:1:key/x-1' },
  );
  await make(backend);
  expect([seen[0]?.method, seen[0]?.headers]).toMatchObject([
    method,
    {
      'x-amz-storage-class': 'STANDARD_IA',
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'arn:aws:kms:eu:1:key/x-1',
    },
  ]);
});

interface TellingOptions {
  readonly put?: string;
  /** Of each part, in order. */
  readonly parts?: readonly string[];
  readonly sha?: string;
  /** In the reply that ends an upload in parts, and of the object afterwards. */
  readonly whole?: string;
  readonly head?: Readonly<Record<string, string>>;
  /** The reply that ends the upload is lost, and the server knows it no more. */
  readonly losesComplete?: boolean;
  readonly mayNotDelete?: boolean;
  /** Of the object afterwards. */
  readonly tag?: string;
  readonly size?: number;
}

/** An S3 server in memory that may tell wrong sums of what it was sent. CRC-32 of “x”: 8cdc1683; of the four bytes of that: 6a717d86. */
function telling(told: TellingOptions, more: Partial<S3Settings> = {}) {
  const tell = (sum: string | undefined): Readonly<Record<string, string>> => (sum === undefined ? {} : { 'x-amz-checksum-crc32': sum });
  const tag = `"${md5}-1"`;
  let ends = 0;
  return answering(({ method, url }) => {
    if (method === 'HEAD') return stored(told.size ?? 1, { ...told.head, ...(url.includes('parts') ? { etag: told.tag ?? tag } : {}) });
    if (method === 'DELETE') return told.mayNotDelete === true ? error(403, 'AccessDenied') : { status: 204 };
    if (url.includes('uploads')) return begunUpload;
    if (method === 'POST') {
      if (told.losesComplete === true) return ends++ === 0 ? { lost: true } : error(404, 'NoSuchUpload');
      const whole = told.whole === undefined ? '' : `<ChecksumCRC32>${told.whole}</ChecksumCRC32>`;
      return xml(`<CompleteMultipartUploadResult><ETag>${tag}</ETag>${whole}</CompleteMultipartUploadResult>`);
    }
    const hash: Readonly<Record<string, string>> = told.sha === undefined ? {} : { 'x-amz-checksum-sha256': told.sha };
    const part = /partNumber=(\d+)/.exec(url)?.[1];
    return { headers: { etag: `"${md5}"`, ...tell(part === undefined ? told.put : told.parts?.[Number(part) - 1]), ...hash } };
  }, more);
}

describe('sums that the server tells of what it has', () => {
  const right = 'jNwWgw==';
  const wrong = 'AAAAAA==';
  const base64 = (number: number): string => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(number);
    return bytes.toString('base64');
  };
  const sum = (text: string): string => base64(crc32(text));
  const composite = (...texts: readonly string[]): string =>
    `${base64(crc32(Buffer.concat(texts.map((text) => Buffer.from(sum(text), 'base64')))))}-${texts.length}`;
  const sha = (text: string | Buffer): string => createHash('sha256').update(text).digest('base64');
  const removals = (seen: readonly Seen[]): number =>
    seen.filter(({ method, url }) => method === 'DELETE' && !url.includes('uploadId')).length;
  const heads = (seen: readonly Seen[]): readonly unknown[] =>
    seen.filter(({ method }) => method === 'HEAD').map(({ headers }) => headers['x-amz-checksum-mode']);

  test.each([
    ['right', { put: right }, 'no fault'],
    ['a wrong CRC-32', { put: wrong }, 'corrupt'],
    ['the right SHA-256', { sha: sha('x') }, 'no fault'],
    ['a wrong SHA-256', { put: right, sha: sha('y') }, 'corrupt'],
  ])('of an object in one piece: %s', async (_, told, code) => {
    const { backend, seen } = await telling(told);
    expect(await codeOf(put(backend, 'server/x', Buffer.from('x')))).toBe(code);
    expect(removals(seen)).toBe(code === 'corrupt' ? 1 : 0);
  });

  test.each([
    ['right', { parts: [right], whole: 'anF9hg==-1' }, 'no fault'],
    ['right, of the whole', { parts: [right], whole: right }, 'no fault'],
    ['another composite', { parts: [right], whole: 'AnF9hg==-1' }, 'corrupt'],
    ['a composite of two parts', { parts: [right], whole: 'anF9hg==-2' }, 'corrupt'],
    ['another whole', { parts: [right], whole: wrong }, 'corrupt'],
    ['of a part none, and right of the whole', { whole: right }, 'no fault'],
    ['of a part none, and another whole', { whole: wrong }, 'corrupt'],
  ])('of an object in parts: %s', async (_, told, code) => {
    const { backend, seen } = await telling(told);
    const upload = await backend.beginUpload('server/parts');
    await upload.writePart(0, Buffer.from('x'));
    expect(await codeOf(upload.complete())).toBe(code);
    expect(removals(seen)).toBe(code === 'corrupt' ? 1 : 0);
  });

  const type = { 'x-amz-checksum-type': 'COMPOSITE' };
  const full = { 'x-amz-checksum-type': 'FULL_OBJECT' };
  const hashes = Buffer.concat(['abc', 'de'].map((text) => Buffer.from(sha(text), 'base64')));
  test.each<readonly [string, TellingOptions, string]>([
    ['right, of the whole', { whole: sum('abcde') }, 'no fault'],
    ['of the whole with its parts the other way round', { whole: sum('deabc') }, 'corrupt'],
    ['right, of the parts', { whole: composite('abc', 'de') }, 'no fault'],
    ['of the parts the other way round', { whole: composite('de', 'abc') }, 'corrupt'],
    ['right, told by HEAD alone', { head: { 'x-amz-checksum-crc32': sum('abcde') } }, 'no fault'],
    ['wrong, told by HEAD alone', { head: { 'x-amz-checksum-crc32': sum('abcdE') } }, 'corrupt'],
    [
      'right, of the parts without their number',
      { head: { 'x-amz-checksum-crc32': composite('abc', 'de').slice(0, 8), ...type } },
      'no fault',
    ],
    ['right, of the parts by a server that says nothing more', { whole: composite('abc', 'de').slice(0, 8) }, 'no fault'],
    [
      'of the parts where the server says of the whole',
      { head: { 'x-amz-checksum-crc32': composite('abc', 'de').slice(0, 8), ...full } },
      'corrupt',
    ],
    ['wrong, of the parts without their number', { head: { 'x-amz-checksum-crc32': sum('abcde'), ...type } }, 'corrupt'],
    ['a SHA-256 of the whole, which nobody has', { head: { 'x-amz-checksum-sha256': sha('abcde') } }, 'no fault'],
    ['a SHA-256 of parts that told none', { head: { 'x-amz-checksum-sha256': `${sha(hashes)}-2` } }, 'no fault'],
  ])('of an object of two parts: %s', async (_, told, code) => {
    const { backend, seen } = await telling({ size: 5, ...told }, { sendChecksums: true });
    const upload = await backend.beginUpload('server/parts');
    await upload.writePart(1, Buffer.from('de'));
    await upload.writePart(0, Buffer.from('abc'));
    expect(await codeOf(upload.complete())).toBe(code);
    expect(removals(seen)).toBe(code === 'corrupt' ? 1 : 0);
    expect(heads(seen).every((mode) => mode === 'ENABLED')).toBe(true);
  });

  test.each([
    ['right, of one part', sha('x'), 'no fault'],
    ['right, of the hash of one part', `${sha(Buffer.from(sha('x'), 'base64'))}-1`, 'no fault'],
    ['wrong', sha('y'), 'corrupt'],
  ])('a SHA-256 that was told of the part too: %s', async (_, told, code) => {
    const { backend, seen } = await telling({ sha: sha('x'), head: { 'x-amz-checksum-sha256': told } });
    const upload = await backend.beginUpload('server/parts');
    await upload.writePart(0, Buffer.from('x'));
    expect(await codeOf(upload.complete())).toBe(code);
    // It tells sums, so it knows the header that asks for them.
    expect(heads(seen)).toEqual(['ENABLED']);
  });

  test('are not asked for where none are sent and none were told: an older server may refuse the header', async () => {
    const { backend, seen } = await telling({});
    const upload = await backend.beginUpload('server/parts');
    await upload.writePart(0, Buffer.from('x'));
    await upload.complete();
    expect(heads(seen)).toEqual([undefined]);
  });

  test('an object that is not the one of the reply is not taken away, but neither passes for ours', async () => {
    const { backend, seen } = await telling({ parts: [right], tag: '"another"', head: { 'x-amz-checksum-crc32': wrong } });
    const upload = await backend.beginUpload('server/parts');
    await upload.writePart(0, Buffer.from('x'));
    expect(await codeOf(upload.complete())).toBe('corrupt');
    expect(removals(seen)).toBe(0);
  });

  const ofEmptyPart = `"${createHash('md5').update(Buffer.from(md5, 'hex')).digest('hex')}-1"`;
  test.each([
    ['right', { head: { 'x-amz-checksum-crc32': right } }, 'no fault'],
    ['none, but the ETag of these parts', { tag: ofEmptyPart }, 'no fault'],
    ['none, and another ETag: it may be an older object of the same length', {}, 'unavailable'],
    ['wrong: it may be an older object of the same length', { head: { 'x-amz-checksum-crc32': wrong } }, 'unavailable'],
    ['none, and another length', { size: 2, tag: ofEmptyPart }, 'unavailable'],
  ])('of an object whose last reply was lost: %s', async (_, told, code) => {
    const { backend, seen } = await telling({ losesComplete: true, parts: [right], ...told });
    const upload = await backend.beginUpload('server/parts');
    await upload.writePart(0, Buffer.from('x'));
    expect(await codeOf(upload.complete())).toBe('unavailable');
    expect(await codeOf(upload.complete())).toBe(code);
    // Whose it is nobody knows.
    expect(removals(seen)).toBe(0);
  });

  test('an older object of the same length, put in one piece, is left when the parts have become nothing', async () => {
    const { backend, seen } = await telling({ losesComplete: true, tag: `"${md5}"` });
    const surely = retry({ clock: fakeClock({ auto: true }), random: seededRandom(1) })(backend);
    // A stream of unknown length goes in parts, and its MD5 is known.
    const failed = uploadStream(
      surely,
      'server/parts',
      (async function* () {
        yield await Promise.resolve(Buffer.from('x'));
      })(),
    );
    await expect(failed).rejects.toMatchObject(uploadEnded);
    expect(removals(seen)).toBe(0);
  });

  test('that the server may not remove what has another sum does not hide the sum', async () => {
    const { backend } = await telling({ put: wrong, mayNotDelete: true });
    await expect(put(backend, 'server/x', Buffer.from('x'))).rejects.toMatchObject({
      ...{ code: 'corrupt', context: { leftover: 'server/x', leftoverReason: expect.stringContaining('may not delete') as string } },
    });
  });

  test('of a part: a wrong one is worth sending it again', async () => {
    const { backend } = await telling({ parts: [wrong] });
    const upload = await backend.beginUpload('server/x');
    expect(await codeOf(upload.writePart(0, Buffer.from('x')))).toBe('unavailable');
  });
});

describe('the destination test finds out what becomes of a CRC-32', () => {
  const tried = async (sendChecksums: boolean, answer: (sum: unknown) => Answer): Promise<unknown> => {
    const { backend } = await answering(({ headers }) => answer(headers['x-amz-checksum-crc32']), { sendChecksums });
    return await backend.info.ownChecks?.[0]?.run('server/x').catch((fault: unknown) => (fault instanceof Fault ? fault.code : fault));
  };
  const taken: Answer = { headers: { etag: `"${md5}"` } };
  let times = 0;
  const second = (on: Answer): Answer => (times++ % 2 === 0 ? taken : on);

  test.each([
    ['compared', true, () => second(error(400, 'BadDigest')), /compares the CRC-32 that is sent/],
    ['compared, but not sent', false, () => second(error(400, 'BadDigest')), /could compare.*checksums=true/],
    ['not looked at', true, () => taken, /does not look at a CRC-32/],
    ['refused, and not sent', false, () => error(400, 'InvalidArgument'), /none is sent: as it should be/],
    ['not known, and not sent', false, () => error(501, 'NotImplemented'), /none is sent: as it should be/],
  ] as const)('%s', async (_, sendChecksums, answer, text) => {
    times = 0;
    expect(await tried(sendChecksums, answer)).toMatch(text);
  });

  test('refused, but sent: that is wrong, with the setting to use', async () => {
    const next = expect.stringContaining('checksums=false') as string;
    expect(await tried(true, () => error(400, 'InvalidArgument'))).toMatchObject({ problem: expect.any(String) as string, next });
  });

  test.each([
    [error(403, 'AccessDenied'), 'permission-denied'],
    [error(503, 'SlowDown'), 'rate-limited'],
    [error(500, 'InternalError'), 'unavailable'],
  ])('what has nothing to do with it is no answer', async (answer, code) => {
    expect(await tried(false, () => answer)).toBe(code);
  });
});

// `m/…` names features of the SDK by letters.
test('storage class and encryption are asked for, and nothing is told of this computer', async () => {
  const settings: Partial<S3Settings> = { storageClass: 'COLD', sse: 'aws:kms', sseKmsKey: 'key-1' };
  const { backend, seen } = await answering(({ method }) => (method === 'HEAD' ? stored(1) : { headers: { etag: `"${md5}"` } }), settings);
  await put(backend, 'server/x', Buffer.from('x'));
  expect(seen[0]?.headers).toMatchObject({
    ...{ 'x-amz-storage-class': 'COLD', 'x-amz-server-side-encryption': 'aws:kms' },
    ...{ 'x-amz-server-side-encryption-aws-kms-key-id': 'key-1', 'user-agent': expect.stringMatching(/^holdfast( m\/[\w,]+)?$/) as string },
  });
});

test('a request is made once: the loop that repeats is elsewhere', async () => {
  const { backend, seen } = await answering(() => error(503, 'SlowDown'));
  expect(await codeOf(collect(backend.list('')))).toBe('rate-limited');
  expect(seen).toHaveLength(1);
});

test('names come URL-encoded, and what is no name of ours is left out', async () => {
  const entry = (key: string): string =>
    `<Contents><Key>${key}</Key><Size>1</Size><LastModified>2026-11-24T10:00:00.000Z</LastModified></Contents>`;
  const names = ['home/a%2Bb+c%25', 'home/', 'home/%01', 'home/%FF', 'else/x'];
  const { backend } = await answering(
    () =>
      xml(
        `<ListBucketResult><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>${names.map(entry).join('')}</ListBucketResult>`,
      ),
    { prefix: 'home' },
  );
  expect((await collect(backend.list(''))).map(({ key }) => key)).toEqual(['a+b c%']);
});

describe('presets', () => {
  const place = (settings: Omit<S3Settings, 'bucket'>): string => {
    const { endpoint, region, pathStyle, sendChecksums } = resolveS3Place({ bucket: 'b', ...settings });
    return [endpoint ?? '-', region ?? '-', pathStyle ? 'path' : 'host', sendChecksums ? 'crc' : 'plain'].join(' ');
  };

  test.each([
    [{}, '- - host crc'],
    [{ preset: 'aws', region: 'eu-west-1' }, '- eu-west-1 host crc'],
    [{ preset: 'digitalocean', region: 'fra1' }, 'https://fra1.digitaloceanspaces.com us-east-1 host plain'],
    [{ preset: 'wasabi' }, 'https://s3.us-east-1.wasabisys.com us-east-1 host plain'],
    [{ preset: 'hetzner', region: 'fsn1' }, 'https://fsn1.your-objectstorage.com fsn1 host plain'],
    [{ preset: 'b2-s3', region: 'us-west-004' }, 'https://s3.us-west-004.backblazeb2.com us-west-004 path plain'],
    [{ preset: 'r2', endpoint: 'https://abc.r2.cloudflarestorage.com' }, 'https://abc.r2.cloudflarestorage.com auto path plain'],
    [{ preset: 'minio', endpoint: 'http://nas:9000', pathStyle: false }, 'http://nas:9000 us-east-1 host plain'],
    [{ endpoint: 'https://s3.example.org' }, 'https://s3.example.org us-east-1 path plain'],
    [{ endpoint: 'https://s3.eu-west-1.amazonaws.com', region: 'eu-west-1' }, 'https://s3.eu-west-1.amazonaws.com eu-west-1 host crc'],
  ] as const)('%j is %s', (settings, expected) => {
    expect(place(settings)).toBe(expected);
  });

  test('say what they need', () => {
    for (const preset of Object.keys(s3Presets) as (keyof typeof s3Presets)[]) {
      if (preset === 'aws' || preset === 'wasabi') continue;
      expect(() => resolveS3Place({ bucket: 'b', preset })).toThrow(Fault);
    }
  });
});
