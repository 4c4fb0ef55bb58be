import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { asciiJson } from '../../main/adapters/storage/dropbox/api.ts';
import { DropboxError, notDropbox, toFault } from '../../main/adapters/storage/dropbox/errors.ts';
import { expectPage } from '../support/setup-page.ts';

const errno = (code: string): Error => Object.assign(new Error(code), { code });

test.each([
  ['path/not_found', 409, 'not-found'],
  ['path_lookup/not_found', 409, 'not-found'],
  ['lookup_failed/not_found', 409, 'unavailable'],
  ['path/not_file', 409, 'not-found'],
  ['path/conflict/file', 409, 'already-exists'],
  ['path/conflict/folder', 409, 'already-exists'],
  ['path/insufficient_space', 409, 'quota-exceeded'],
  ['path/malformed_path', 409, 'config-invalid'],
  ['path/disallowed_name', 409, 'config-invalid'],
  ['path/no_write_permission', 409, 'permission-denied'],
  ['path/restricted_content', 409, 'permission-denied'],
  ['content_hash_mismatch', 409, 'unavailable'],
  ['too_many_write_operations', 409, 'rate-limited'],
  ['path/too_many_write_operations', 409, 'rate-limited'],
  ['too_many_requests', 429, 'rate-limited'],
  ['payload_too_large', 409, 'unsupported'],
  ['reset', 409, 'unavailable'],
  ['invalid_access_token', 401, 'sign-in-needed'],
  ['expired_access_token', 401, 'sign-in-needed'],
  ['missing_scope', 401, 'permission-denied'],
  ['user_suspended', 401, 'permission-denied'],
  // What no summary tells goes by the status.
  ['', 400, 'unexpected'],
  ['', 401, 'sign-in-needed'],
  ['', 403, 'permission-denied'],
  ['', 404, 'unavailable'],
  ['', 416, 'range-invalid'],
  ['', 429, 'rate-limited'],
  ['', 500, 'unavailable'],
  ['', 502, 'unavailable'],
  ['internal_error', 503, 'unavailable'],
  ['path/something_new', 409, 'unexpected'],
])('%s with status %i is %s', (summary, status, code) => {
  const fault = toFault(new DropboxError(status, summary, {}), 'stat', 'server/x', { key: 'server/x' });
  expect([fault.code, fault.context['status'], fault.operation]).toEqual([code, status, 'stat']);
  expectPage(fault, 'docs/setup/dropbox.md');
});

test.each([
  ['ECONNREFUSED', 'unavailable'],
  ['ECONNRESET', 'unavailable'],
  ['ENOTFOUND', 'unavailable'],
  ['ETIMEDOUT', 'timeout'],
  ['CERT_HAS_EXPIRED', 'config-invalid'],
  ['EWHATEVER', 'unexpected'],
])('%s is %s', (code, expected) => {
  expect(toFault(errno(code), 'stat', 'server/x').code).toBe(expected);
});

test('a pause that Dropbox asks for is kept, and a busy server with one is asked less', () => {
  expect(toFault(new DropboxError(429, 'too_many_requests', {}, 7000), 'stat', 'x')).toMatchObject({
    code: 'rate-limited',
    retryAfterMs: 7000,
  });
  expect(toFault(new DropboxError(503, '', {}, 1000), 'stat', 'x')).toMatchObject({ code: 'rate-limited', retryAfterMs: 1000 });
});

test('the missing permission is named', () => {
  const fault = toFault(new DropboxError(401, 'missing_scope', { required_scope: 'files.content.write' }), 'complete', 'x');
  expect([fault.message, fault.context['next']]).toEqual([
    expect.stringContaining('files.content.write'),
    expect.stringContaining('docs/setup/dropbox.md'),
  ]);
});

test('an aborted call is cancelled, and a fault stays the fault it is', () => {
  expect(toFault(Object.assign(new Error('x'), { name: 'AbortError' }), 'stat', 'x').code).toBe('cancelled');
  const fault = notDropbox('stat', 'x');
  expect(toFault(fault, 'list', 'y')).toBe(fault);
});

test('nothing of a foreign error but its name and message is kept', () => {
  const error = Object.assign(errno('ECONNRESET'), { headers: { authorization: 'Bearer planted' } });
  expect(inspect(toFault(error, 'stat', 'x'), { depth: 9 })).not.toContain('planted');
});

test('the argument in the header is ASCII, whatever is in it (Dropbox: Formats)', () => {
  const text = asciiJson({ path: '/Bäckups/\u007f/😀' });
  expect(text).toBe('{"path":"/B\\u00e4ckups/\\u007f/\\ud83d\\ude00"}');
  expect(JSON.parse(text)).toEqual({ path: '/Bäckups/\u007f/😀' });
});
