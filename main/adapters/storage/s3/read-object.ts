import { IncomingMessage } from 'node:http';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { Fault } from '../../../contract/faults.ts';
import type { ByteRange } from '../../../engine/storage/backend.ts';
import { bodyPieces } from '../../network/body.ts';
import { bodyOf } from '../../network/large-body.ts';
import { stopBy } from './client.ts';
import { mapped, toFault } from './errors.ts';
import { notS3, type Bucket } from './object-info.ts';

/** The object's bytes as they come. The request is made at the first step: a stream that nobody reads holds no connection. */
export async function* readPieces(
  bucket: Bucket,
  key: string,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { place, connect } = bucket;
  const reply = await mapped('read', key, signal, async () => {
    const s3 = await connect();
    const wanted = range === undefined ? {} : { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
    return await s3.getObject({ Bucket: place.bucket, Key: place.base + key, ...wanted }, stopBy(signal));
  });
  const body: unknown = reply.Body;
  if (!(body instanceof IncomingMessage)) throw notS3('read', key);
  let expected: number;
  try {
    expected = range === undefined ? wholeLength(reply, key) : rangeLength(reply, key, range);
  } catch (error) {
    body.destroy();
    throw error;
  }
  yield* bodyPieces(bodyOf(body), { key, expected, signal, toFault: (error) => toFault(error, 'read', key, { key }) });
}

function wholeLength(reply: GetObjectCommandOutput, key: string): number {
  if (reply.ETag === undefined || reply.ContentLength === undefined) throw notS3('read', key);
  return reply.ContentLength;
}

/** RFC 9110 §15.3.7: a server may answer with less, and cuts what reaches past the end. */
function rangeLength(reply: GetObjectCommandOutput, key: string, range: ByteRange): number {
  const { offset, length } = range;
  if (reply.$metadata.httpStatusCode !== 206) {
    throw new Fault('unsupported', `the server sent all of ${key} where a range was asked for`, { operation: 'read', context: { key } });
  }
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(reply.ContentRange ?? '') ?? [];
  if (first === undefined) throw notS3('read', key);
  if (Number(size) < offset + length) {
    const context = { key, size: Number(size), end: offset + length };
    throw new Fault('range-invalid', `${key} has ${size} bytes, none at ${offset + length - 1}`, { operation: 'read', context });
  }
  if (Number(first) !== offset || Number(last) !== offset + length - 1) throw notS3('read', key);
  return length;
}
