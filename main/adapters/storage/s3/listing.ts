import type { ListMultipartUploadsCommandOutput, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import type { CallOptions, ObjectInfo, OpenUpload } from '../../../engine/storage/backend.ts';
import { isKey } from '../../../engine/storage/object-key.ts';
import { stopBy } from './client.ts';
import { mapped } from './errors.ts';
import { notS3, type Bucket } from './object-info.ts';
import { tokenOf } from './tokens.ts';

/** Every object below the prefix, page by page (ListObjectsV2); what others put there under names that are no keys is left out. */
export async function* listObjects(bucket: Bucket, prefix: string, options?: CallOptions): AsyncGenerator<ObjectInfo, void, undefined> {
  const { place, connect, pageSize } = bucket;
  let next: string | undefined;
  do {
    const page: ListObjectsV2CommandOutput = await mapped('list', prefix || place.label, options?.signal, async () => {
      const s3 = await connect();
      return await s3.listObjectsV2(
        { Bucket: place.bucket, Prefix: place.base + prefix, EncodingType: 'url', ContinuationToken: next, MaxKeys: pageSize },
        stopBy(options?.signal),
      );
    });
    // An answer without this is no listing, and must not pass for an empty one.
    if (page.IsTruncated === undefined) throw notS3('list', place.label);
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      if (Key === undefined || Size === undefined || LastModified === undefined) throw notS3('list', place.label);
      const key = keyIn(place.base, decoded(Key, page.EncodingType));
      if (key !== null) yield { key, size: Size, modifiedAt: LastModified.getTime() };
    }
    if (page.IsTruncated && (page.NextContinuationToken ?? '') === '') throw notS3('list', place.label);
    next = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (next !== undefined);
}

/** Multipart uploads that are neither completed nor aborted, page by page. */
export async function* listUploads(bucket: Bucket, prefix: string, options?: CallOptions): AsyncGenerator<OpenUpload, void, undefined> {
  const { place, connect, pageSize } = bucket;
  let marker: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {};
  while (marker !== undefined) {
    const from: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } = marker;
    const page: ListMultipartUploadsCommandOutput = await mapped('openUploads', prefix || place.label, options?.signal, async () => {
      const s3 = await connect();
      return await s3.listMultipartUploads(
        { Bucket: place.bucket, Prefix: place.base + prefix, EncodingType: 'url', MaxUploads: pageSize, ...from },
        stopBy(options?.signal),
      );
    });
    if (page.IsTruncated === undefined) throw notS3('openUploads', place.label);
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Key === undefined || UploadId === undefined || Initiated === undefined) throw notS3('openUploads', place.label);
      const key = keyIn(place.base, decoded(Key, page.EncodingType));
      if (key !== null) yield { token: tokenOf(key, UploadId), startedAt: Initiated.getTime() };
    }
    if (!page.IsTruncated) return;
    if (page.NextKeyMarker === undefined) throw notS3('openUploads', place.label);
    marker = { KeyMarker: decoded(page.NextKeyMarker, page.EncodingType), UploadIdMarker: page.NextUploadIdMarker ?? '' };
  }
}

function keyIn(base: string, name: string): string | null {
  const key = name.startsWith(base) ? name.slice(base.length) : '';
  return isKey(key) ? key : null;
}

/** Names come URL-encoded, as XML cannot hold each of them; `+` is a space then. */
function decoded(name: string, encoding: string | undefined): string {
  if (encoding !== 'url') return name;
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    // Not UTF-8, so not ours.
    return '';
  }
}
