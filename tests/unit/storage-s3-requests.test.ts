import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { s3Backend } from '../../main/adapters/storage/s3/s3-backend.ts';
import { resolveS3Place, s3Presets, type S3Settings } from '../../main/adapters/storage/s3/settings.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { uploadBytes } from '../../main/engine/storage/upload-object.ts';
import { codeOf, collect, get, put } from '../conformance/suite-support.ts';

/** What the real server of the conformance suite never answers is answered here by hand. */
interface Answer {
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
      const { status = 200, headers = {}, body = '' } = answer(about);
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
      if (method === 'POST' && url.includes('uploads'))
        return xml('<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>');
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

/** An S3 server in memory that may tell wrong sums of what it was sent. CRC-32 of “x”: 8cdc1683; of the four bytes of that: 6a717d86. */
function telling(sums: { readonly put?: string; readonly part?: string; readonly whole?: string }, sha?: string) {
  const tell = (sum: string | undefined): Readonly<Record<string, string>> => (sum === undefined ? {} : { 'x-amz-checksum-crc32': sum });
  return answering(({ method, url }) => {
    if (method === 'HEAD') return stored(1);
    if (method === 'DELETE') return { status: 204 };
    if (url.includes('uploads')) return xml('<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>');
    if (method === 'POST') {
      const whole = sums.whole === undefined ? '' : `<ChecksumCRC32>${sums.whole}</ChecksumCRC32>`;
      return xml(`<CompleteMultipartUploadResult><ETag>"${md5}-1"</ETag>${whole}</CompleteMultipartUploadResult>`);
    }
    const hash: Readonly<Record<string, string>> = sha === undefined ? {} : { 'x-amz-checksum-sha256': sha };
    return { headers: { etag: `"${md5}"`, ...tell(url.includes('partNumber') ? sums.part : sums.put), ...hash } };
  });
}

describe('sums that the server tells of what it has', () => {
  const right = 'jNwWgw==';
  const wrong = 'AAAAAA==';
  const removals = (seen: readonly Seen[]): number =>
    seen.filter(({ method, url }) => method === 'DELETE' && !url.includes('uploadId')).length;

  test.each([
    ['right', { put: right }, undefined, 'no fault'],
    ['a wrong CRC-32', { put: wrong }, undefined, 'corrupt'],
    ['the right SHA-256', {}, 'LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=', 'no fault'],
    ['a wrong SHA-256', { put: right }, 'AXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=', 'corrupt'],
  ])('of an object in one piece: %s', async (_, sums, sha, code) => {
    const { backend, seen } = await telling(sums, sha);
    expect(await codeOf(put(backend, 'server/x', Buffer.from('x')))).toBe(code);
    expect(removals(seen)).toBe(code === 'corrupt' ? 1 : 0);
  });

  test.each([
    ['right', { part: right, whole: 'anF9hg==-1' }, 'no fault'],
    ['right, of the whole', { part: right, whole: right }, 'no fault'],
    ['another composite', { part: right, whole: 'AnF9hg==-1' }, 'corrupt'],
    ['a composite of two parts', { part: right, whole: 'anF9hg==-2' }, 'corrupt'],
    ['another whole', { part: right, whole: wrong }, 'corrupt'],
    ['of a part none, so nothing to compare the whole with', { whole: wrong }, 'no fault'],
  ])('of an object in parts: %s', async (_, sums, code) => {
    const { backend, seen } = await telling(sums);
    const upload = await backend.beginUpload('server/x');
    await upload.writePart(0, Buffer.from('x'));
    expect(await codeOf(upload.complete())).toBe(code);
    expect(removals(seen)).toBe(code === 'corrupt' ? 1 : 0);
  });

  test('of a part: a wrong one is worth sending it again', async () => {
    const { backend } = await telling({ part: wrong });
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
