import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDrivePlace, type DrivePlace } from '../support/clouds/google-drive/place.ts';
import { patterned } from './suite-support.ts';

/** The server of the tests itself: that it refuses what Google refuses. rclone shows that it grants what Google grants. */
let opened: DrivePlace | undefined;
let token = '';
beforeAll(async () => {
  opened = await openDrivePlace();
  token = await opened.tokens.source.token();
});
afterAll(() => opened?.close());

const piece = 256 * 1024;

interface Told {
  readonly status: number;
  readonly reason: string;
  readonly range: string | null;
  readonly location: string | null;
  readonly body: { readonly id?: string; readonly size?: string; readonly ids?: readonly string[] };
}

async function call(address: string, how: RequestInit = {}, bearer = token): Promise<Told> {
  const url = new URL(address, opened?.server.endpoint);
  const reply = await fetch(url, { ...how, headers: { authorization: `Bearer ${bearer}`, ...(how.headers as Record<string, string>) } });
  const text = await reply.text();
  const body = (text === '' ? {} : JSON.parse(text)) as Told['body'] & { readonly error?: { errors: [{ reason: string }] } };
  const { status, headers } = reply;
  return { status, reason: body.error?.errors[0].reason ?? '', range: headers.get('range'), location: headers.get('location'), body };
}

const json = (method: string, value: object): RequestInit => ({
  ...{ method, body: JSON.stringify(value), headers: { 'content-type': 'application/json' } },
});

async function begin(metadata: object = { name: 'object' }): Promise<string> {
  const { location } = await call('/upload/drive/v3/files?uploadType=resumable&fields=id,size', json('POST', metadata));
  return location ?? '';
}

/** `last` of the bytes that are told, if they are others than those sent. */
function put(session: string, first: number, bytes: Buffer, total: number | '*', last = first + bytes.byteLength - 1): Promise<Told> {
  return call(session, { method: 'PUT', body: Uint8Array.from(bytes), headers: { 'content-range': `bytes ${first}-${last}/${total}` } });
}
const ask = (session: string, total: number | '*'): Promise<Told> =>
  call(session, { method: 'PUT', headers: { 'content-range': `bytes */${total}` } });

test('a session takes multiples of 256 KiB one behind the other, and any length at the end, which makes the file', async () => {
  const session = await begin();
  expect(await put(session, 0, patterned(piece), '*')).toMatchObject({ status: 308, range: `bytes=0-${piece - 1}` });
  expect(await ask(session, '*')).toMatchObject({ status: 308, range: `bytes=0-${piece - 1}` });
  const done = await put(session, piece, patterned(17), piece + 17);
  expect(done).toMatchObject({ status: 200, body: { size: String(piece + 17) } });
  // Whoever did not hear of it may ask again.
  expect(await ask(session, piece + 17)).toMatchObject({ status: 200, body: { id: done.body.id } });
});

test('without a byte a session tells no range, and its end makes an empty file', async () => {
  const session = await begin();
  expect(await ask(session, '*')).toMatchObject({ status: 308, range: null });
  expect(await ask(session, 0)).toMatchObject({ status: 200, body: { size: '0' } });
});

test.each([
  ['a piece before the end that is no multiple of 256 KiB', 0, piece + 1, '*', undefined],
  ['a piece that leaves a gap', 2 * piece, piece, '*', undefined],
  ['a piece that begins before what is kept', 0, 2 * piece, '*', undefined],
  ['a piece that goes beyond the total', piece, piece, piece + 5, undefined],
  ['fewer bytes than are told', piece, piece, '*', 3 * piece - 1],
] as const)('%s is a mistake that no other attempt mends, and nothing of it is kept', async (_, first, length, total, last) => {
  const session = await begin();
  if (first !== 0 || length !== piece + 1) await put(session, 0, patterned(piece), '*');
  const { range } = await ask(session, '*');
  expect(await put(session, first, patterned(length), total, last)).toMatchObject({ status: 400, reason: 'badRequest' });
  expect(await ask(session, '*')).toMatchObject({ status: 308, range });
});

test.each([undefined, 'bytes=0-5/10', 'bytes 0-5', 'items 0-5/10'])('a piece whose Content-Range is %s is refused', async (range) => {
  const session = await begin();
  const headers = range === undefined ? {} : { 'content-range': range };
  expect(await call(session, { method: 'PUT', body: 'abcdef', headers })).toMatchObject({ status: 400, reason: 'badRequest' });
});

test('a session that is unknown or older than a week is not found', async () => {
  const session = await begin();
  expect(await ask(session.replace(/upload_id=[^&]+/, 'upload_id=other'), '*')).toMatchObject({ status: 404, reason: 'notFound' });
  if (opened !== undefined) opened.server.now = () => Date.now() + 8 * 86_400_000;
  expect(await put(session, 0, patterned(piece), '*')).toMatchObject({ status: 404, reason: 'notFound' });
  if (opened !== undefined) opened.server.now = Date.now;
});

test('an id is taken only if Google gave it, and once', async () => {
  const { body } = await call('/drive/v3/files/generateIds?count=2');
  const [id] = body.ids ?? [];
  expect(body.ids).toHaveLength(2);
  expect(await call('/drive/v3/files', json('POST', { id: 'made up', name: 'x' }))).toMatchObject({ status: 400, reason: 'invalid' });
  expect(await call('/drive/v3/files', json('POST', { id, name: 'x' }))).toMatchObject({ status: 200, body: { id } });
  expect(await call('/drive/v3/files', json('POST', { id, name: 'x' }))).toMatchObject({ status: 409, reason: 'fileIdInUse' });
});

test('a parent that is missing or a file, a query that is none and a page that was never told are refused', async () => {
  const { body } = await call('/drive/v3/files', json('POST', { name: 'a file' }));
  const inFile = json('POST', { name: 'x', parents: [body.id] });
  expect(await call('/drive/v3/files', json('POST', { name: 'x', parents: ['nowhere'] }))).toMatchObject({ status: 404 });
  expect(await call('/drive/v3/files', inFile)).toMatchObject({ status: 403 });
  expect(await call(`/drive/v3/files?q=${encodeURIComponent("'nowhere' in parents")}`)).toMatchObject({ status: 404 });
  expect(await call(`/drive/v3/files?q=${encodeURIComponent('name ~ 5')}`)).toMatchObject({ status: 400 });
  expect(await call('/drive/v3/files?pageToken=other')).toMatchObject({ status: 400 });
});

test('without a valid token nothing is answered', async () => {
  expect(await call('/drive/v3/about?fields=*', {}, 'other')).toMatchObject({ status: 401, reason: 'authError' });
});
