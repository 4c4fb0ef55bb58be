import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDropboxPlace, type DropboxPlace } from '../support/clouds/dropbox/place.ts';
import { patterned } from './suite-support.ts';

/** The server of the tests itself: that it refuses of a session what Dropbox refuses. rclone shows that it grants what Dropbox grants. */
let opened: DropboxPlace | undefined;
let token = '';
beforeAll(async () => {
  opened = await openDropboxPlace();
  token = await opened.tokens.source.token();
});
afterAll(() => opened?.close());

const block = 4 * 1024 * 1024;

/** `done`, or the tags of the refusal. */
async function call(route: string, argument: object, body?: Uint8Array): Promise<{ told: string; reply: unknown }> {
  return await send(`upload_session/${route}`, argument, body);
}

async function send(route: string, argument: object, body: Uint8Array = Buffer.alloc(0)): Promise<{ told: string; reply: unknown }> {
  const reply = await fetch(`${opened?.server.endpoint ?? ''}/2/files/${route}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream', 'dropbox-api-arg': JSON.stringify(argument) },
    body: Uint8Array.from(body),
  });
  const json = (await reply.json()) as { readonly error_summary?: string } | null;
  return { told: reply.ok ? 'done' : (json?.error_summary ?? '').replace(/\/\.+$/, ''), reply: json };
}

async function begin(type?: string): Promise<string> {
  const { reply } = await call('start', type === undefined ? {} : { session_type: type });
  return (reply as { readonly session_id: string }).session_id;
}

const append = async (id: string, offset: number, body: Uint8Array, close = false): Promise<string> =>
  (await call('append_v2', { cursor: { session_id: id, offset }, close }, body)).told;
const finish = async (id: string, offset: number, body?: Uint8Array): Promise<string> =>
  (await call('finish', { cursor: { session_id: id, offset }, commit: { path: `/${id.slice(-12)}` } }, body)).told;

test('a session in order takes pieces of any size, each where the one before ended', async () => {
  const id = await begin();
  expect(await append(id, 0, patterned(5))).toBe('done');
  expect(await append(id, 4, patterned(7))).toBe('incorrect_offset');
  expect(await append(id, 5, patterned(7))).toBe('done');
  expect(await finish(id, 12, patterned(3))).toBe('done');
});

test('a concurrent session takes multiples of 4 MiB in any order, and any length with the last', async () => {
  const id = await begin('concurrent');
  const bytes = patterned(2 * block + 17);
  expect(await append(id, 2 * block, bytes.subarray(2 * block), true)).toBe('done');
  expect(await finish(id, bytes.byteLength)).toBe('concurrent_session_missing_data');
  expect(await append(id, block, bytes.subarray(block, 2 * block))).toBe('done');
  expect(await append(id, 0, bytes.subarray(0, block))).toBe('done');
  expect(await finish(id, block)).toBe('lookup_failed/incorrect_offset');
  expect(await finish(id, bytes.byteLength)).toBe('done');
});

test('a concurrent session refuses what is no multiple of 4 MiB, and data anywhere else', async () => {
  expect((await call('start', { session_type: 'concurrent' }, patterned(1))).told).toBe('concurrent_session_data_not_allowed');
  expect((await call('start', { session_type: { '.tag': 'concurrent' }, close: true })).told).toBe('concurrent_session_close_not_allowed');
  const id = await begin('concurrent');
  expect(await append(id, 1, patterned(block))).toBe('concurrent_session_invalid_offset');
  expect(await append(id, 0, patterned(block + 1))).toBe('concurrent_session_invalid_data_size');
  expect(await append(id, 0, patterned(block))).toBe('done');
  expect(await finish(id, block)).toBe('concurrent_session_not_closed');
  expect(await append(id, block, patterned(1), true)).toBe('done');
  expect(await append(id, 2 * block, patterned(block))).toBe('closed');
  expect(await finish(id, block + 1, patterned(1))).toBe('concurrent_session_data_not_allowed');
  expect(await finish(id, block + 1)).toBe('done');
});

test('a body whose hash is told has to have it, in every call that brings one; what has not is not taken', async () => {
  const bytes = patterned(10);
  const content_hash = createHash('sha256').update(createHash('sha256').update(bytes).digest()).digest('hex');
  const [right, wrong] = [{ content_hash }, { content_hash: content_hash.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) }];
  const mismatch = 'content_hash_mismatch';
  expect((await send('upload', { path: '/hashed', ...wrong }, bytes)).told).toBe(mismatch);
  expect(opened?.server.state.find('/hashed')).toBeUndefined();
  expect((await send('upload', { path: '/hashed', ...right }, bytes)).told).toBe('done');
  expect((await call('start', wrong, bytes)).told).toBe(mismatch);
  const { told, reply } = await call('start', right, bytes);
  const { session_id } = reply as { readonly session_id: string };
  const at = (offset: number): object => ({ cursor: { session_id, offset } });
  const commit = { path: '/hashed parts' };
  expect([told, (await call('append_v2', { ...at(10), ...wrong }, bytes)).told]).toEqual(['done', mismatch]);
  expect((await call('append_v2', { ...at(10), ...right }, bytes)).told).toBe('done');
  expect((await call('finish', { ...at(20), commit, ...wrong }, bytes)).told).toBe(mismatch);
  expect((await call('finish', { ...at(20), commit, ...right }, bytes)).told).toBe('done');
  expect(opened?.server.state.find('/hashed parts')?.size).toBe(30);
});

/** The reply to a request of which only the headers are sent. */
async function onHeaders(route: string, headers: Readonly<Record<string, string>>): Promise<{ status: number; text: string }> {
  return await new Promise((settle, fail) => {
    const outgoing = request(`${opened?.server.endpoint ?? ''}/2/files/${route}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream', ...headers },
    });
    outgoing.on('error', fail);
    outgoing.on('response', (reply) => {
      let text = '';
      reply.on('data', (piece: Buffer) => (text += piece.toString()));
      reply.on('end', () => {
        outgoing.destroy();
        settle({ status: reply.statusCode ?? 0, text });
      });
    });
    outgoing.flushHeaders();
  });
}

test.each(['upload', 'upload_session/start', 'upload_session/append_v2', 'upload_session/finish'])(
  '%s refuses more than 150 MB in one request',
  async (route) => {
    const argument = { path: '/large', cursor: { session_id: await begin(), offset: 0 }, commit: { path: '/large' } };
    const headers = { 'dropbox-api-arg': JSON.stringify(argument), 'content-length': String(150 * 1024 * 1024 + 1) };
    expect(await onHeaders(route, headers)).toMatchObject({ status: 409, text: expect.stringContaining('payload_too_large') as string });
  },
);

test.each([
  ['a letter beyond ASCII', Buffer.from('{"path":"/ü"}').toString('latin1')],
  ['no JSON', '{"path":'],
])('an argument with %s is refused with a line of text', async (_, argument) => {
  const { status, text } = await onHeaders('upload', { 'dropbox-api-arg': argument, 'content-length': '0' });
  expect([status, text]).toEqual([400, expect.stringMatching(/^Error in call: .*Dropbox-API-Arg/)]);
});
