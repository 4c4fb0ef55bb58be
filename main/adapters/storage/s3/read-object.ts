import { IncomingMessage } from 'node:http';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import type { ByteRange } from '../../../engine/storage/backend.ts';
import { bodyPieces } from '../../network/body.ts';
import { rangedLength, sentWhole } from '../../network/content-range.ts';
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

function rangeLength(reply: GetObjectCommandOutput, key: string, range: ByteRange): number {
  if (reply.$metadata.httpStatusCode !== 206) throw sentWhole(key);
  return rangedLength(reply.ContentRange, key, range, () => notS3('read', key));
}
