import { Fault } from '../../../contract/faults.ts';
import type { CallOptions } from '../../../engine/storage/backend.ts';
import { removeWrong } from '../../../engine/storage/remove-wrong.ts';
import { corruptFault, wrongSum, type WrongSum } from './checksums.ts';
import { stopBy } from './client.ts';
import { mapped, toFault } from './errors.ts';
import { headObject, notS3, removeObject, type Bucket } from './object-info.ts';

/** Bytes that are the whole object, in one request; settles to its ETag. `bytes` must not lie in shared memory that changes meanwhile. */
export async function putWhole(bucket: Bucket, key: string, bytes: Uint8Array, ifAbsent: boolean, options?: CallOptions): Promise<string> {
  const { place, connect } = bucket;
  if (ifAbsent) await throwIfExists(bucket, key, options);
  const reply = await mapped('complete', key, options?.signal, () =>
    withCondition(bucket, ifAbsent, async (condition) => {
      const s3 = await connect();
      return await s3.putObject(
        {
          Bucket: place.bucket,
          Key: place.base + key,
          Body: bytes,
          ContentLength: bytes.byteLength,
          ContentType: 'application/octet-stream',
          ...place.objectOptions,
          ...condition,
        },
        stopBy(options?.signal),
      );
    }),
  );
  if (reply.ETag === undefined) throw notS3('complete', key);
  await refuseWrong(bucket, key, wrongSum(reply, bytes));
  return reply.ETag;
}

/** Takes an object away that has just been made of other bytes than were sent, and throws fault corrupt: it must not pass for ours. */
export async function refuseWrong(bucket: Bucket, key: string, wrong: WrongSum | null): Promise<void> {
  if (wrong === null) return;
  throw await removeWrong(key, corruptFault(key, wrong), () => removeObject(bucket, key));
}

/** For servers that know no condition or, worse, take no notice of it: they are at least asked before. */
export async function throwIfExists(bucket: Bucket, key: string, options?: CallOptions): Promise<void> {
  try {
    await headObject(bucket, key, 'complete', options);
  } catch (error) {
    if (error instanceof Fault && error.code === 'not-found') return;
    throw error;
  }
  throw new Fault('already-exists', `${key} exists already`, { operation: 'complete', context: { key } });
}

/** `If-None-Match: *` where it is wanted; once more without it for a server that says it cannot do that (501). */
export async function withCondition<T>(
  bucket: Bucket,
  ifAbsent: boolean,
  send: (condition: { readonly IfNoneMatch?: '*' }) => Promise<T>,
): Promise<T> {
  if (!ifAbsent) return await send({});
  try {
    return await send({ IfNoneMatch: '*' });
  } catch (error) {
    if (toFault(error, 'complete', bucket.place.label).code !== 'unsupported') throw error;
    return await send({});
  }
}
