import type { ByteRange } from '../../../engine/storage/backend.ts';
import { bodyPieces } from '../../network/body.ts';
import { rangedLength, rangeHeader, sentWhole } from '../../network/content-range.ts';
import { bodyOf } from '../../network/large-body.ts';
import type { DropboxApi } from './api.ts';
import { notDropbox, toFault } from './errors.ts';
import { pathOf } from './metadata.ts';

/** The object's bytes as they come. The request is made at the first step: a stream that nobody reads holds no connection. */
export async function* readPieces(
  api: DropboxApi,
  key: string,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const about = { operation: 'read', what: key, signal };
  const reply = await api.download('files/download', { path: pathOf(api, key) }, rangeHeader(range), about);
  let expected: number;
  try {
    const { headers, statusCode } = reply;
    if (range === undefined) expected = wholeLength(headers['content-length'], key);
    else if (statusCode === 206) expected = rangedLength(headers['content-range'], key, range, () => notDropbox('read', key));
    else throw sentWhole(key);
  } catch (error) {
    reply.destroy();
    throw error;
  }
  yield* bodyPieces(bodyOf(reply), { key, expected, signal, toFault: (error) => toFault(error, 'read', key, { key }) });
}

function wholeLength(header: string | undefined, key: string): number {
  if (header !== undefined && /^\d+$/.test(header)) return Number(header);
  throw notDropbox('read', key);
}
