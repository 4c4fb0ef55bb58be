import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { B2Error, mapped, notB2, signInFault, toFault } from '../../main/adapters/storage/backblaze-b2/errors.ts';
import { Fault } from '../../main/contract/faults.ts';
import { expectPage } from '../support/setup-page.ts';

const errno = (code: string): Error => Object.assign(new Error(code), { code });

test.each([
  ['bad_auth_token', 401, 'unauthenticated'],
  ['expired_auth_token', 401, 'unavailable'],
  ['unauthorized', 401, 'permission-denied'],
  ['unsupported', 401, 'permission-denied'],
  ['email_not_verified', 401, 'permission-denied'],
  ['access_denied', 403, 'permission-denied'],
  ['storage_cap_exceeded', 403, 'quota-exceeded'],
  ['transaction_cap_exceeded', 403, 'quota-exceeded'],
  ['download_cap_exceeded', 403, 'quota-exceeded'],
  ['cap_exceeded', 403, 'quota-exceeded'],
  ['not_found', 404, 'not-found'],
  ['file_not_present', 400, 'not-found'],
  ['no_such_file', 400, 'not-found'],
  // Not `not-found`: that would look like a destination in which nothing has been stored yet.
  ['bad_bucket_id', 400, 'config-invalid'],
  ['invalid_bucket_id', 400, 'config-invalid'],
  ['missing_part', 400, 'not-found'],
  ['part_sha1_mismatch', 400, 'unavailable'],
  ['auth_token_limit', 400, 'unavailable'],
  ['bad_request', 400, 'unexpected'],
  ['bad_json', 400, 'unexpected'],
  ['method_not_allowed', 405, 'unsupported'],
  ['request_timeout', 408, 'timeout'],
  ['conflict', 409, 'unavailable'],
  ['range_not_satisfiable', 416, 'range-invalid'],
  ['too_many_requests', 429, 'rate-limited'],
  ['internal_error', 500, 'unavailable'],
  ['service_unavailable', 503, 'unavailable'],
  // A code that nobody knows goes by its status, and so does a reply without a body.
  ['new_code', 401, 'permission-denied'],
  ['', 403, 'permission-denied'],
  ['', 404, 'not-found'],
  ['', 408, 'timeout'],
  ['', 416, 'range-invalid'],
  ['', 429, 'rate-limited'],
  ['', 500, 'unavailable'],
  ['', 502, 'unavailable'],
  ['new_code', 507, 'unavailable'],
  ['', 301, 'unexpected'],
  ['new_code', 400, 'unexpected'],
  ['constructor', 418, 'unexpected'],
])('%s with status %i is %s', (code, status, expected) => {
  const fault = toFault(new B2Error(status, code, 'by the test'), 'read', 'server/x');
  expect(fault.code).toBe(expected);
  expectPage(fault, 'docs/setup/backblaze-b2.md');
});

test.each([
  ['Sha1 did not match data received', 'unavailable'],
  ['Checksum did not match data received', 'unavailable'],
  ['invalid file name', 'unexpected'],
])('a bad request with "%s" is %s', (detail, expected) => {
  expect(toFault(new B2Error(400, 'bad_request', detail), 'writePart', 'server/x').code).toBe(expected);
});

test.each([
  ['unauthorized', 401, 'unauthenticated'],
  ['bad_auth_token', 401, 'unauthenticated'],
  ['unsupported', 401, 'permission-denied'],
  ['service_unavailable', 503, 'unavailable'],
])('at the door %s with status %i is %s', (code, status, expected) => {
  expect(signInFault(new B2Error(status, code, ''), 'sign in', 'bucket b').code).toBe(expected);
});

test.each([
  ['ECONNREFUSED', 'unavailable'],
  ['ECONNRESET', 'unavailable'],
  ['EPIPE', 'unavailable'],
  ['ENOTFOUND', 'unavailable'],
  ['ETIMEDOUT', 'timeout'],
  ['HPE_INVALID_CONSTANT', 'unavailable'],
  ['CERT_HAS_EXPIRED', 'config-invalid'],
  ['ESOMETHING', 'unexpected'],
])('the network error %s is %s', (code, expected) => {
  expect(toFault(errno(code), 'list', 'bucket b').code).toBe(expected);
});

test('Retry-After is honoured, and makes a failing server one that asks for patience', () => {
  const slower = toFault(new B2Error(429, 'too_many_requests', '', 7_000), 'list', 'b');
  expect([slower.code, slower.retryAfterMs, slower.persistence]).toEqual(['rate-limited', 7_000, 'temporary']);
  const busy = toFault(new B2Error(503, 'service_unavailable', '', 1_000), 'list', 'b');
  expect([busy.code, busy.retryAfterMs]).toEqual(['rate-limited', 1_000]);
});

test.each(['bad_auth_token', 'unauthorized', 'access_denied', 'storage_cap_exceeded', 'bad_bucket_id'])(
  'what a person must put right names the page that tells how: %s',
  (code) => {
    const fault = toFault(new B2Error(401, code, ''), 'list', 'bucket b');
    expect(fault.persistence).toBe('permanent');
    expect(fault.context['next']).toContain('docs/setup/backblaze-b2.md');
  },
);

test('a sign-in page of the network is weather', () => {
  expect([notB2('list', 'b').code, notB2('list', 'b').persistence]).toEqual(['unavailable', 'temporary']);
});

test('a token that B2 names in its answer reaches neither message nor cause', () => {
  const token = '4_0022623512fc8f80000000001_0186e431_d18d02_acct_tH7VW03boebOXayIc43-sxptpfA=';
  const error = new B2Error(400, 'auth_token_limit', `more than one upload using auth token ${token}`);
  for (const seen of [error, toFault(error, 'writePart', 'x'), toFault(new B2Error(400, 'odd', `token ${token}`), 'writePart', 'x')]) {
    expect(inspect(seen, { depth: 9, showHidden: true })).not.toContain('tH7VW03boebOXayIc43');
  }
});

test('a fault stays as it is, and after the signal everything is cancelled', async () => {
  const fault = new Fault('corrupt', 'bad');
  expect(toFault(fault, 'read', 'x')).toBe(fault);
  const failing = mapped('read', 'x', AbortSignal.abort(), () => Promise.reject(errno('ECONNRESET')));
  await expect(failing).rejects.toMatchObject({ code: 'cancelled' });
});
