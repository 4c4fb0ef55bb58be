import { Fault } from '../../../contract/faults.ts';
import type { ByteRange } from '../../../engine/storage/backend.ts';
import { bodyPieces } from '../../network/body.ts';
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
  const wanted: Record<string, string> = {};
  if (range !== undefined) wanted['range'] = `bytes=${range.offset}-${range.offset + range.length - 1}`;
  const about = { operation: 'read', what: key, signal };
  const reply = await api.download('files/download', { path: pathOf(api, key) }, wanted, about);
  let expected: number;
  try {
    const { headers, statusCode } = reply;
    if (range === undefined) expected = wholeLength(headers['content-length'], key);
    else if (statusCode === 206) expected = rangeLength(headers['content-range'], key, range);
    else throw new Fault('unsupported', `Dropbox sent all of ${key} where a range was asked for`, { operation: 'read', context: { key } });
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

/** RFC 9110 §15.3.7: a server may answer with less, and cuts what reaches past the end. */
function rangeLength(header: string | undefined, key: string, { offset, length }: ByteRange): number {
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header ?? '') ?? [];
  if (first === undefined) throw notDropbox('read', key);
  if (Number(size) < offset + length) {
    const context = { key, size: Number(size), end: offset + length };
    throw new Fault('range-invalid', `${key} has ${size} bytes, none at ${offset + length - 1}`, { operation: 'read', context });
  }
  if (Number(first) !== offset || Number(last) !== offset + length - 1) throw notDropbox('read', key);
  return length;
}
