import type { IncomingMessage } from 'node:http';
import { Fault } from '../../../contract/faults.ts';
import type { ByteRange } from '../../../engine/storage/backend.ts';
import { bodyPieces } from '../../network/body.ts';
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
  const headers: Record<string, string> = {};
  if (range !== undefined) headers['range'] = `bytes=${range.offset}-${range.offset + range.length - 1}`;
  const reply = await mapped(about, async () => {
    const url = `${drive.api.place.root}/drive/v3/files/${encodeURIComponent(file.id)}?alt=media`;
    const found = await drive.api.send({ url, method: 'GET', headers }, about);
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

/** RFC 9110 §15.3.7: a server may answer with less than was asked for, and cuts what reaches past the end. */
function lengthOf({ statusCode, headers }: IncomingMessage, key: string, range: ByteRange | undefined): number {
  if (range === undefined) {
    const isPage = /^text\/html\b/i.test(headers['content-type'] ?? '');
    if (statusCode === 200 && !isPage && headers['content-length'] !== undefined) return Number(headers['content-length']);
    throw notDrive('read', key);
  }
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
  if (first === undefined) throw notDrive('read', key);
  const { offset, length } = range;
  if (Number(size) < offset + length) {
    const context = { key, size: Number(size), end: offset + length };
    throw new Fault('range-invalid', `${key} has ${size} bytes, none at ${offset + length - 1}`, { operation: 'read', context });
  }
  if (Number(first) !== offset || Number(last) !== offset + length - 1) throw notDrive('read', key);
  return length;
}
