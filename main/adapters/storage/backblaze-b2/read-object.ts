import type { IncomingMessage } from 'node:http';
import type { ByteRange } from '../../../engine/storage/backend.ts';
import { bodyPieces } from '../../network/body.ts';
import { rangedLength, rangeHeader, sentWhole } from '../../network/content-range.ts';
import { bodyOf } from '../../network/large-body.ts';
import { naming, type B2Api } from './api.ts';
import { mapped, notB2, toFault } from './errors.ts';
import { encodeName } from './file-version.ts';
import { readRefusal } from './replies.ts';

/** The file's bytes as they come. The request is made at the first step: a stream that nobody reads holds no connection. */
export async function* readPieces(
  api: B2Api,
  key: string,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reply = await mapped('read', key, signal, () => open(api, key, range, signal));
  let expected: number;
  try {
    expected = range === undefined ? wholeLength(reply, key) : rangeLength(reply, key, range);
  } catch (error) {
    reply.destroy();
    throw error;
  }
  yield* bodyPieces(bodyOf(reply), { key, expected, signal, toFault: (error) => toFault(error, 'read', key, { key }) });
}

async function open(api: B2Api, key: string, range: ByteRange | undefined, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  return await api.withSession(signal, (session) =>
    naming('readFiles', session, 'read', key, async () => {
      const url = `${session.downloadUrl}/file/${api.place.bucket}/${encodeName(api.place.base + key)}`;
      const reply = await api.http({ url, method: 'GET', headers: { authorization: session.token, ...rangeHeader(range) }, signal });
      if (reply.statusCode === 200 || reply.statusCode === 206) return reply;
      throw await readRefusal(reply, 'read', key);
    }),
  );
}

/** Only B2 names the file's id: a sign-in page of the network does not. */
function wholeLength(reply: IncomingMessage, key: string): number {
  const length = reply.headers['content-length'];
  if (reply.statusCode !== 200 || reply.headers['x-bz-file-id'] === undefined || length === undefined) throw notB2('read', key);
  return Number(length);
}

function rangeLength(reply: IncomingMessage, key: string, range: ByteRange): number {
  if (reply.headers['x-bz-file-id'] === undefined) throw notB2('read', key);
  if (reply.statusCode !== 206) throw sentWhole(key);
  return rangedLength(reply.headers['content-range'], key, range, () => notB2('read', key));
}
