import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { mapped, toFault } from '../../main/adapters/storage/s3/errors.ts';
import { Fault } from '../../main/contract/faults.ts';
import { expectPage } from '../support/setup-page.ts';

interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error as the SDK throws it: the response is there but not enumerable. */
function sdkError(name: string, reply?: Reply, more: object = {}): Error {
  const error = Object.assign(new Error(`${name} happened`), { name, ...more });
  if (reply !== undefined) {
    Object.assign(error, { $metadata: { httpStatusCode: reply.status } });
    Object.defineProperty(error, '$response', { value: { statusCode: reply.status, headers: reply.headers ?? {} }, enumerable: false });
  }
  return error;
}

const errno = (code: string): Error => Object.assign(new Error(code), { code });

test.each([
  ['NoSuchKey', 404, 'not-found'],
  ['NotFound', 404, 'not-found'],
  ['NoSuchUpload', 404, 'unavailable'],
  ['NoSuchBucket', 404, 'config-invalid'],
  ['InvalidBucketName', 400, 'config-invalid'],
  ['InvalidRange', 416, 'range-invalid'],
  ['PreconditionFailed', 412, 'already-exists'],
  ['ConditionalRequestConflict', 409, 'unavailable'],
  ['InvalidAccessKeyId', 403, 'unauthenticated'],
  ['SignatureDoesNotMatch', 403, 'unauthenticated'],
  ['ExpiredToken', 400, 'unauthenticated'],
  ['AccessDenied', 403, 'permission-denied'],
  ['SlowDown', 503, 'rate-limited'],
  ['ServiceUnavailable', 503, 'unavailable'],
  ['InternalError', 500, 'unavailable'],
  // A body with an error behind a status of success.
  ['InternalError', 200, 'unavailable'],
  ['RequestTimeout', 400, 'timeout'],
  ['BadDigest', 400, 'unavailable'],
  ['XAmzContentSHA256Mismatch', 400, 'unavailable'],
  ['QuotaExceeded', 403, 'quota-exceeded'],
  ['XMinioStorageFull', 507, 'quota-exceeded'],
  ['PermanentRedirect', 301, 'config-invalid'],
  ['AuthorizationHeaderMalformed', 400, 'config-invalid'],
  ['InvalidStorageClass', 400, 'config-invalid'],
  ['NotImplemented', 501, 'unsupported'],
  // Replies to HEAD have no body, so only a status.
  ['Unknown', 401, 'unauthenticated'],
  ['Unknown', 403, 'permission-denied'],
  ['Unknown', 404, 'not-found'],
  ['Unknown', 408, 'timeout'],
  ['Unknown', 412, 'already-exists'],
  ['Unknown', 429, 'rate-limited'],
  ['Unknown', 500, 'unavailable'],
  ['Unknown', 502, 'unavailable'],
  ['Unknown', 503, 'unavailable'],
  ['Unknown', 507, 'quota-exceeded'],
  ['Unknown', 301, 'config-invalid'],
  ['Unknown', 400, 'unexpected'],
  ['SyntaxError', 200, 'unavailable'],
  ['constructor', 418, 'unexpected'],
])('%s with status %i is %s', (name, status, code) => {
  const fault = toFault(sdkError(name, { status }), 'read', 'server/x');
  expect(fault.code).toBe(code);
  expectPage(fault, 'docs/setup/s3.md');
});

test.each([
  ['ECONNREFUSED', 'unavailable'],
  ['ECONNRESET', 'unavailable'],
  ['EPIPE', 'unavailable'],
  ['ENOTFOUND', 'unavailable'],
  ['EAI_AGAIN', 'unavailable'],
  ['ETIMEDOUT', 'timeout'],
  ['HPE_INVALID_CONSTANT', 'unavailable'],
  ['CERT_HAS_EXPIRED', 'config-invalid'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'config-invalid'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'config-invalid'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'config-invalid'],
  ['ESOMETHING', 'unexpected'],
])('the network error %s is %s', (code, expected) => {
  expect(toFault(errno(code), 'list', 'bucket b').code).toBe(expected);
});

test('a reset connection is one, though the SDK calls it TimeoutError', () => {
  const error = Object.assign(errno('ECONNRESET'), { name: 'TimeoutError' });
  expect(toFault(error, 'read', 'x').code).toBe('unavailable');
});

test('several addresses that all refuse are one server that cannot be reached', () => {
  expect(toFault(new AggregateError([errno('ECONNREFUSED'), errno('EHOSTUNREACH')]), 'list', 'b').code).toBe('unavailable');
});

test.each([
  ['seconds', { 'retry-after': '7' }, 7_000],
  ['a date by the clock of the server', { 'retry-after': 'Tue, 24 Nov 2026 10:00:30 GMT', date: 'Tue, 24 Nov 2026 10:00:00 GMT' }, 30_000],
  ['a date that has passed', { 'retry-after': 'Tue, 24 Nov 2026 09:00:00 GMT', date: 'Tue, 24 Nov 2026 10:00:00 GMT' }, 0],
  ['nonsense', { 'retry-after': 'soon' }, undefined],
])('Retry-After in %s', (_, headers, expected) => {
  const fault = toFault(sdkError('SlowDown', { status: 503, headers }), 'writePart', 'server/x');
  expect(fault.retryAfterMs).toBe(expected);
  expect(fault.persistence).toBe('temporary');
});

test('a server that fails but names a time asks for patience', () => {
  expect(toFault(sdkError('ServiceUnavailable', { status: 503, headers: { 'retry-after': '1' } }), 'list', 'b').code).toBe('rate-limited');
});

test('a wrong clock has a sentence of its own and is tried once more, as the SDK then goes by the clock of the server', () => {
  const fault = toFault(sdkError('RequestTimeTooSkewed', { status: 403 }), 'list', 'bucket b');
  expect(fault.message).toContain("this computer's clock is wrong");
  expect([fault.code, fault.persistence]).toEqual(['config-invalid', 'temporary']);
});

test('missing keys and a missing region say what to set', () => {
  expect(toFault(sdkError('CredentialsProviderError'), 'list', 'b').message).toContain('AWS_ACCESS_KEY_ID');
  expect(toFault(new Error('Region is missing'), 'list', 'b').message).toContain('region=');
});

test('what a refused signature carries along reaches neither message nor cause', () => {
  const fields = { CanonicalRequest: 'x-amz-security-token:GEHEIM', StringToSign: 'GEHEIM', AWSAccessKeyId: 'AKIAGEHEIM' };
  const fault = toFault(sdkError('SignatureDoesNotMatch', { status: 403 }, fields), 'list', 'bucket b');
  expect(inspect(fault, { depth: 9, showHidden: true })).not.toContain('GEHEIM');
});

test('a fault stays as it is, and after the signal everything is cancelled', async () => {
  const fault = new Fault('corrupt', 'bad');
  expect(toFault(fault, 'read', 'x')).toBe(fault);
  const failing = mapped('read', 'x', AbortSignal.abort(), () => Promise.reject(errno('ECONNRESET')));
  await expect(failing).rejects.toMatchObject({ code: 'cancelled' });
});

test.each([
  ['complete', 'may only read', 's3:PutObject'],
  ['remove', 'may not delete', 's3:DeleteObject'],
  ['abort', 'clear away', 's3:AbortMultipartUpload'],
  ['list', 'list the bucket', 's3:ListBucket'],
  ['openUploads', 'list unfinished', 's3:ListBucketMultipartUploads'],
  ['read', 'no right to it', 'docs/setup/s3.md'],
])('a right that is missing for %s is named', (operation, says, right) => {
  const fault = toFault(sdkError('AccessDenied', { status: 403 }), operation, 'server/x');
  expect([fault.code, fault.message]).toEqual(['permission-denied', expect.stringContaining(says) as string]);
  expect(fault.context['next']).toContain(right);
});

test('a header that an older server does not know is told with the setting that leaves it out', () => {
  const error = Object.assign(sdkError('InvalidArgument', { status: 400 }), {
    message: "Unsupported header 'x-amz-checksum-crc32' received",
  });
  const fault = toFault(error, 'writePart', 'server/x');
  expect([fault.code, fault.context['next']]).toEqual(['config-invalid', expect.stringContaining('checksums=false') as string]);
});
