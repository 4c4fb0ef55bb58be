import type { IncomingMessage } from 'node:http';
import type { ByteRange } from '../../../engine/storage/backend.ts';
import { bodyPieces } from '../../network/body.ts';
import { rangedLength, rangeHeader, sentWhole } from '../../network/content-range.ts';
import { bodyOf } from '../../network/large-body.ts';
import { mapped, refusalOf } from './api.ts';
import { notDrive, toFault } from './errors.ts';
import { newestOf, type Drive } from './objects.ts';

/** The object's bytes as they come. The request is made at the first step: a stream that nobody reads holds no connection. */
export async function* readPieces(
  drive: Drive,
  key: string,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const about = { operation: 'read', what: key, signal };
  const file = await newestOf(drive, key, about);
  const reply = await mapped(about, async () => {
    const url = `${drive.api.place.root}/drive/v3/files/${encodeURIComponent(file.id)}?alt=media`;
    const found = await drive.api.send({ url, method: 'GET', headers: rangeHeader(range) }, about);
    if (found.statusCode !== 200 && found.statusCode !== 206) throw await refusalOf(found);
    return found;
  });
  let expected: number;
  try {
    expected = lengthOf(reply, key, range);
  } catch (error) {
    reply.destroy();
    throw error;
  }
  yield* bodyPieces(bodyOf(reply), { key, expected, signal, toFault: (error) => toFault(error, 'read', key, { key }) });
}

function lengthOf({ statusCode, headers }: IncomingMessage, key: string, range: ByteRange | undefined): number {
  const isPage = /^text\/html\b/i.test(headers['content-type'] ?? '') && statusCode === 200;
  if (isPage || headers['content-length'] === undefined) throw notDrive('read', key);
  if (range === undefined) return Number(headers['content-length']);
  if (statusCode !== 206) throw sentWhole(key);
  return rangedLength(headers['content-range'], key, range, () => notDrive('read', key));
}
