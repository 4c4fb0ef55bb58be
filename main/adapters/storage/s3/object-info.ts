import { createHash } from 'node:crypto';
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { Fault } from '../../../contract/faults.ts';
import type { CallOptions, ObjectInfo } from '../../../engine/storage/backend.ts';
import type { ToldSums } from './checksums.ts';
import { stopBy, type Connect } from './client.ts';
import { mapped } from './errors.ts';
import type { S3Place } from './settings.ts';

/** Where calls go: the bucket and the client for it. */
export interface Bucket {
  readonly place: S3Place;
  readonly connect: Connect;
  readonly pageSize?: number | undefined;
}

export async function headObject(bucket: Bucket, key: string, operation: string, options?: CallOptions): Promise<ObjectInfo> {
  return (await headWithTag(bucket, key, operation, options)).info;
}

/** An object with its ETag, as it came: it tells whether this is still the object of an earlier reply. */
export interface Seen {
  readonly info: ObjectInfo;
  readonly tag: string;
  readonly told: ToldSums;
}

/** `sums`: asks for them by a header, which servers without sums may not know. */
export async function headWithTag(
  bucket: Bucket,
  key: string,
  operation: string,
  options?: CallOptions & { readonly sums?: boolean },
): Promise<Seen> {
  const { place, connect } = bucket;
  const head = await mapped(operation, key, options?.signal, async () => {
    const s3 = await connect();
    const asked = options?.sums === true ? { ChecksumMode: 'ENABLED' as const } : {};
    return await s3.headObject({ Bucket: place.bucket, Key: place.base + key, ...asked }, stopBy(options?.signal));
  });
  if (head.ContentLength === undefined || head.LastModified === undefined || head.ETag === undefined) {
    throw notS3(operation, key);
  }
  const info = { key, size: head.ContentLength, modifiedAt: head.LastModified.getTime() };
  return { info: { ...info, ...checksumOf(head, place) }, tag: head.ETag, told: head };
}

/** Missing: success. */
export async function removeObject(bucket: Bucket, key: string, options?: CallOptions): Promise<void> {
  const { place, connect } = bucket;
  await mapped('remove', key, options?.signal, async () => {
    const s3 = await connect();
    await s3.deleteObject({ Bucket: place.bucket, Key: place.base + key }, stopBy(options?.signal));
  });
}

const md5Tag = /^"?([0-9a-f]{32})"?$/;

/** The ETag of what was put together of parts with these: MD5 of their MD5s and how many. Null where one is no MD5. */
export function tagOfParts(tags: readonly string[]): string | null {
  const sums = tags.map((tag) => md5Tag.exec(tag)?.[1] ?? '');
  if (sums.includes('')) return null;
  return `"${createHash('md5')
    .update(Buffer.from(sums.join(''), 'hex'))
    .digest('hex')}-${sums.length}"`;
}

/**
 * The ETag of what was put in one piece is its MD5, unless the server encrypted it with a key service (AWS: "Checking object integrity");
 * what servers other than AWS do with any encryption is not written down. In listings nothing tells the one from the other.
 */
function checksumOf(head: HeadObjectCommandOutput, place: S3Place): Pick<ObjectInfo, 'checksum'> {
  const sse = head.ServerSideEncryption;
  const hex = md5Tag.exec(head.ETag ?? '')?.[1];
  const isAws = place.endpoint === undefined;
  if (hex === undefined || head.SSECustomerAlgorithm !== undefined) return {};
  if (sse !== undefined && !(isAws && sse === 'AES256')) return {};
  return { checksum: { algorithm: 'md5', hex } };
}

/** A reply with 200 that lacks what every S3 server gives. */
export function notS3(operation: string, what: string): Fault {
  return new Fault('unavailable', `${operation} of ${what} was answered by something that is no S3 server`, {
    operation,
    context: { key: what },
  });
}
