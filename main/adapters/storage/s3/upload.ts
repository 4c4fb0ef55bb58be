import type { CompletedPart } from '@aws-sdk/client-s3';
import { Fault } from '../../../contract/faults.ts';
import type { CallOptions, ObjectInfo, Upload } from '../../../engine/storage/backend.ts';
import { isUploadEnded } from '../../../engine/storage/upload-ended.ts';
import { changedPartFault, wrongComposite, wrongSum } from './checksums.ts';
import { stopBy } from './client.ts';
import { mapped, toFault } from './errors.ts';
import { headObject, notS3, type Bucket } from './object-info.ts';
import { putWhole, refuseWrong, throwIfExists, withCondition } from './put-object.ts';
import { tokenOf } from './tokens.ts';

interface SentPart {
  readonly completed: CompletedPart;
  readonly size: number;
}

/** An upload in parts (multipart). It exists on the server from the first moment. */
export async function beginMultipart(bucket: Bucket, key: string, ifAbsent: boolean, options?: CallOptions): Promise<Upload> {
  const { place, connect } = bucket;
  const target = { Bucket: place.bucket, Key: place.base + key };
  const uploadId = await mapped('beginUpload', key, options?.signal, async () => {
    const s3 = await connect();
    const created = await s3.createMultipartUpload(
      {
        ...target,
        ContentType: 'application/octet-stream',
        ...(place.sendChecksums ? { ChecksumAlgorithm: 'CRC32' } : {}),
        ...place.objectOptions,
      },
      stopBy(options?.signal),
    );
    if (created.UploadId === undefined) throw notS3('beginUpload', key);
    return created.UploadId;
  });
  const parts = new Map<number, SentPart>();
  let done = false;

  async function sendComplete(call: CallOptions | undefined): Promise<void> {
    const list = inOrder(key, parts).map(({ completed }) => completed);
    if (ifAbsent) await throwIfExists(bucket, key, call);
    const reply = await withCondition(bucket, ifAbsent, async (condition) => {
      const s3 = await connect();
      return await s3.completeMultipartUpload(
        { ...target, UploadId: uploadId, MultipartUpload: { Parts: list }, ...condition },
        stopBy(call?.signal),
      );
    });
    // The status comes before the work is done: the body alone tells how it ended.
    if (reply.ETag === undefined) throw notS3('complete', key);
    const sums = list.map(({ ChecksumCRC32 }) => ChecksumCRC32);
    await refuseWrong(bucket, key, wrongComposite(reply, sums));
  }

  async function abort(call?: CallOptions): Promise<void> {
    await abortMultipart(bucket, key, uploadId, call);
  }

  return {
    token: tokenOf(key, uploadId),
    async writePart(index, bytes, call) {
      const PartNumber = index + 1;
      const reply = await mapped('writePart', key, call?.signal, async () => {
        const s3 = await connect();
        return await s3.uploadPart(
          { ...target, UploadId: uploadId, PartNumber, Body: asBody(bytes), ContentLength: bytes.byteLength },
          stopBy(call?.signal),
        );
      });
      if (reply.ETag === undefined) throw notS3('writePart', key);
      const wrong = wrongSum(reply, bytes);
      if (wrong !== null) throw changedPartFault(key, index, wrong);
      const sum = reply.ChecksumCRC32 === undefined ? {} : { ChecksumCRC32: reply.ChecksumCRC32 };
      parts.set(index, { completed: { PartNumber, ETag: reply.ETag, ...sum }, size: bytes.byteLength });
    },
    async complete(call) {
      const size = [...parts.values()].reduce((sum, part) => sum + part.size, 0);
      if (!done) {
        // Some servers know no part without bytes.
        if (size === 0 && parts.size > 0) {
          await putWhole(bucket, key, new Uint8Array(0), ifAbsent, call);
          await abort(call);
        } else await mapped('complete', key, call?.signal, () => sendComplete(call));
        done = true;
      }
      return checkedSize(await headObject(bucket, key, 'complete', call), size);
    },
    abort: (call) => (done ? Promise.resolve() : abort(call)),
  };
}

/** Gone already, or never there: success. */
export async function abortMultipart(bucket: Bucket, key: string, uploadId: string, options?: CallOptions): Promise<void> {
  const { place, connect } = bucket;
  try {
    const s3 = await connect();
    await s3.abortMultipartUpload({ Bucket: place.bucket, Key: place.base + key, UploadId: uploadId }, stopBy(options?.signal));
  } catch (error) {
    const fault = toFault(error, 'abort', key, { key });
    if (!isUploadEnded(fault) && fault.code !== 'not-found') throw fault;
  }
}

export function checkedSize(info: ObjectInfo, size: number): ObjectInfo {
  if (info.size === size) return info;
  // It may have been replaced since by somebody else, so nothing is removed here.
  throw new Fault('corrupt', `${info.key} has ${info.size} bytes in the bucket, ${size} were sent`, {
    operation: 'complete',
    context: { key: info.key, size, found: info.size },
  });
}

/** A view of the same memory, shared or not. Both the SDK's hashes and its sockets take it without a copy. */
export function asBody(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function inOrder(key: string, parts: ReadonlyMap<number, SentPart>): readonly SentPart[] {
  return Array.from({ length: parts.size }, (_, index) => {
    const part = parts.get(index);
    if (part !== undefined) return part;
    throw new Fault('unexpected', `part ${index} of ${key} is missing`, { operation: 'complete', context: { key, part: index } });
  });
}
