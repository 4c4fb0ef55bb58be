import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { DriveError, fromSdk, notDrive, reasonIn, toFault } from '../../main/adapters/storage/google-drive/errors.ts';
import { quoted } from '../../main/adapters/storage/google-drive/files.ts';
import { head, tail } from '../../main/adapters/storage/google-drive/pieces.ts';
import { expectPage } from '../support/setup-page.ts';

const errno = (code: string): Error => Object.assign(new Error(code), { code });

test.each([
  ['rateLimitExceeded', 403, 'rate-limited'],
  ['userRateLimitExceeded', 403, 'rate-limited'],
  ['rateLimitExceeded', 429, 'rate-limited'],
  ['dailyLimitExceeded', 403, 'quota-exceeded'],
  ['uploadLimitExceeded', 403, 'quota-exceeded'],
  ['downloadQuotaExceeded', 403, 'quota-exceeded'],
  ['cannotDownloadAbusiveFile', 403, 'permission-denied'],
  ['storageQuotaExceeded', 403, 'quota-exceeded'],
  ['teamDriveFileLimitExceeded', 403, 'quota-exceeded'],
  ['insufficientPermissions', 403, 'permission-denied'],
  ['appNotAuthorizedToFile', 403, 'permission-denied'],
  ['domainPolicy', 403, 'permission-denied'],
  ['accessNotConfigured', 403, 'config-invalid'],
  ['notFound', 404, 'not-found'],
  ['authError', 401, 'sign-in-needed'],
  ['fileIdInUse', 409, 'already-exists'],
  ['conditionNotMet', 412, 'unavailable'],
  ['requestedRangeNotSatisfiable', 416, 'range-invalid'],
  ['internalError', 500, 'unavailable'],
  ['backendError', 503, 'unavailable'],
  // What no reason tells goes by the status.
  ['', 400, 'unexpected'],
  ['invalid', 400, 'unexpected'],
  ['', 401, 'sign-in-needed'],
  ['', 403, 'permission-denied'],
  ['somethingNew', 403, 'permission-denied'],
  ['', 404, 'not-found'],
  ['', 410, 'not-found'],
  ['', 429, 'rate-limited'],
  ['', 502, 'unavailable'],
  ['constructor', 418, 'unexpected'],
])('%s with status %i is %s', (reason, status, code) => {
  const fault = toFault(new DriveError(status, reason), 'stat', 'server/x', { key: 'server/x' });
  expect([fault.code, fault.context['status'], fault.operation]).toEqual([code, status, 'stat']);
  expectPage(fault, 'docs/setup/google-drive.md');
});

test.each([
  ['ECONNREFUSED', 'unavailable'],
  ['UND_ERR_SOCKET', 'unavailable'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout'],
  ['CERT_HAS_EXPIRED', 'config-invalid'],
  ['EWHATEVER', 'unexpected'],
])('%s, also as the cause of what fetch throws, is %s', (code, expected) => {
  expect(toFault(errno(code), 'stat', 'x').code).toBe(expected);
  expect(toFault(new TypeError('fetch failed', { cause: errno(code) }), 'stat', 'x').code).toBe(expected);
});

test('a day’s limit and a full account each say what helps', () => {
  expect(toFault(new DriveError(403, 'uploadLimitExceeded'), 'complete', 'x')).toMatchObject({
    message: expect.stringContaining('750 GB'),
    context: { next: expect.stringContaining('tomorrow') },
  });
  expect(toFault(new DriveError(403, 'storageQuotaExceeded'), 'complete', 'x').context['next']).toContain('trash');
  expect(toFault(new DriveError(403, 'accessNotConfigured'), 'list', 'x').context['next']).toContain('docs/setup/google-drive.md');
});

test.each([
  // On uploads the limit of a day may stand behind it, elsewhere it cannot.
  ['userRateLimitExceeded', 'writePart', 'drive-uploads-slowed', /too many requests/, /750 GB.*tomorrow/],
  ['userRateLimitExceeded', 'complete', 'drive-uploads-slowed', /too many requests/, /750 GB.*tomorrow/],
  ['userRateLimitExceeded', 'list', undefined, /too many requests/, /^undefined$/],
  ['rateLimitExceeded', 'writePart', undefined, /too many requests/, /^undefined$/],
  ['uploadLimitExceeded', 'complete', 'drive-day-limit', /750 GB/, /tomorrow/],
  ['downloadQuotaExceeded', 'read', 'drive-downloads-limited', /limits downloads of this file for a day/, /tomorrow/],
  ['cannotDownloadAbusiveFile', 'read', 'drive-file-flagged', /marked this file as harmful/, /review/],
])('%s on %s says what it is and what helps', (reason, operation, say, message, next) => {
  const fault = toFault(new DriveError(403, reason), operation, 'server/x');
  expect(fault.context['say']).toBe(say);
  expect(fault.message).toMatch(message);
  expect(String(fault.context['next'])).toMatch(next);
  expect(String(fault.context['next'])).not.toMatch(/[Ss]ign in/);
});

test('a pause that Google asks for is kept', () => {
  expect(toFault(new DriveError(503, 'backendError', 3000), 'stat', 'x')).toMatchObject({ code: 'rate-limited', retryAfterMs: 3000 });
});

test('of an error of the SDK nothing is kept but status and reason: it carries the token', () => {
  const error = Object.assign(new Error('Request failed with Bearer planted'), {
    config: { headers: { authorization: 'Bearer planted' } },
    response: {
      status: 403,
      headers: new Headers({ 'retry-after': '2' }),
      data: { error: { errors: [{ reason: 'userRateLimitExceeded' }] } },
    },
  });
  expect(fromSdk(error)).toMatchObject({ status: 403, reason: 'userRateLimitExceeded', retryAfterMs: 2000 });
  expect(inspect(toFault(error, 'list', 'x'), { depth: 9 })).not.toContain('planted');
  expect(fromSdk(new Error('no answer'))).toBeNull();
});

test('a reason is read from text and from what was parsed; a page has none', () => {
  expect(reasonIn('{"error":{"errors":[{"reason":"authError"}]}}')).toBe('authError');
  for (const value of ['<html>', '', null, {}, { error: { errors: [] } }, { error: { errors: [{ reason: 7 }] } }])
    expect(reasonIn(value)).toBe('');
});

test('an aborted call is cancelled, and a fault stays the fault it is', () => {
  expect(toFault(Object.assign(new Error('x'), { name: 'AbortError' }), 'stat', 'x').code).toBe('cancelled');
  const fault = notDrive('stat', 'x');
  expect(toFault(fault, 'list', 'y')).toBe(fault);
});

test('a name in a query cannot end it', () => {
  expect(quoted("it's")).toBe("'it\\'s'");
  expect(quoted("a\\' or name != '")).toBe("'a\\\\\\' or name != \\''");
});

test('the head and the tail of pieces are the whole, wherever it is cut', () => {
  const pieces = [Buffer.from('abc'), Buffer.from(''), Buffer.from('defg'), Buffer.from('h')];
  for (let at = 0; at <= 9; at++) {
    expect([at, Buffer.concat(head(pieces, at)).toString() + Buffer.concat(tail(pieces, at)).toString()]).toEqual([at, 'abcdefgh']);
    expect(Buffer.concat(head(pieces, at)).length).toBe(Math.min(at, 8));
  }
});
