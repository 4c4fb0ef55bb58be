import { crc32 } from 'node:zlib';
import type { CompletedPart } from '@aws-sdk/client-s3';
import { Fault } from '../../../contract/faults.ts';
import type { CallOptions, CompleteOptions, ObjectInfo, Upload } from '../../../engine/storage/backend.ts';
import { isUploadEnded, uploadEnded } from '../../../engine/storage/upload-ended.ts';
import { changedPartFault, corruptFault, wrongSum, wrongWhole, type PartSums } from './checksums.ts';
import { stopBy } from './client.ts';
import { mapped, toFault } from './errors.ts';
import { headWithTag, notS3, tagOfParts, type Bucket, type Seen } from './object-info.ts';
import { putWhole, refuseWrong, throwIfExists, withCondition } from './put-object.ts';
import { tokenOf } from './tokens.ts';

interface SentPart {
  readonly completed: CompletedPart;
  readonly sums: PartSums;
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
  /** Of the reply to the call that put the parts together, where one came. */
  let tag: string | undefined;
  /** Such a call failed, and may have worked. */
  let unsure = false;
  /** The server keeps sums, so that it knows the header which asks for them. */
  let asksSums = place.sendChecksums;

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
    tag = reply.ETag;
    await refuseWrong(bucket, key, wrongWhole(reply, sumsOf(key, parts)));
  }

  /** Puts the parts together. An upload that is no longer known after a call without an answer has become the object, or nothing. */
  async function putTogether(call: CompleteOptions | undefined): Promise<Seen | null> {
    try {
      await mapped('complete', key, call?.signal, () => sendComplete(call));
      return null;
    } catch (error) {
      if (!isUploadEnded(error)) unsure = true;
      else if (unsure) {
        const found = await look(call).catch((fault: unknown) => {
          throw fault instanceof Fault && fault.code === 'not-found' ? error : fault;
        });
        if (isMadeOf(inOrder(key, parts), found, call?.known)) return found;
        throw uploadEnded('complete', key, { cause: error, lookedAt: true });
      }
      throw error;
    }
  }

  async function look(call: CallOptions | undefined): Promise<Seen> {
    return await headWithTag(bucket, key, 'complete', { signal: call?.signal, sums: asksSums });
  }

  async function checked({ info, tag: present, told }: Seen): Promise<ObjectInfo> {
    checkedSize(info, sizeOf(parts));
    const wrong = wrongWhole(told, sumsOf(key, parts));
    // Without the reply's ETag nobody knows whose it is.
    if (wrong !== null && present !== tag) throw corruptFault(key, wrong);
    await refuseWrong(bucket, key, wrong);
    return info;
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
      const sum = crc32(asBody(bytes));
      const wrong = wrongSum(reply, bytes, sum);
      if (wrong !== null) throw changedPartFault(key, index, wrong);
      const { ChecksumCRC32: crc, ChecksumSHA256: sha256 } = reply;
      if (crc !== undefined || sha256 !== undefined) asksSums = true;
      parts.set(index, {
        completed: { PartNumber, ETag: reply.ETag, ...(crc === undefined ? {} : { ChecksumCRC32: crc }) },
        sums: { size: bytes.byteLength, crc32: sum, sha256 },
      });
    },
    async complete(call) {
      let found: Seen | null = null;
      if (!done) {
        // Some servers know no part without bytes.
        if (sizeOf(parts) === 0 && parts.size > 0) {
          tag = await putWhole(bucket, key, new Uint8Array(0), ifAbsent, call);
          await abort(call);
        } else found = await putTogether(call);
        done = true;
      }
      return await checked(found ?? (await look(call)));
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

/**
 * Whether an object that was found without a reply is the one of these parts. It may be an older one of the same length, so the size alone does not do: a
 * sum tells it, or the ETag, which AWS and most others make of those of the parts.
 */
function isMadeOf(parts: readonly SentPart[], { info, tag, told }: Seen, known: CompleteOptions['known'] = {}): boolean {
  const sums = parts.map((part) => part.sums);
  if (info.size !== sums.reduce((sum, { size }) => sum + size, 0) || wrongWhole(told, sums) !== null) return false;
  if (told.ChecksumCRC32 !== undefined) return true;
  const { checksum } = info;
  if (checksum !== undefined && known[checksum.algorithm] === checksum.hex) return true;
  return tag === tagOfParts(parts.map(({ completed }) => completed.ETag ?? ''));
}

function sizeOf(parts: ReadonlyMap<number, SentPart>): number {
  return [...parts.values()].reduce((sum, part) => sum + part.sums.size, 0);
}

function sumsOf(key: string, parts: ReadonlyMap<number, SentPart>): readonly PartSums[] {
  return inOrder(key, parts).map((part) => part.sums);
}

function inOrder(key: string, parts: ReadonlyMap<number, SentPart>): readonly SentPart[] {
  return Array.from({ length: parts.size }, (_, index) => {
    const part = parts.get(index);
    if (part !== undefined) return part;
    throw new Fault('unexpected', `part ${index} of ${key} is missing`, { operation: 'complete', context: { key, part: index } });
  });
}
