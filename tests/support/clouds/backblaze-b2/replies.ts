import { sizeOf, type Version } from './state.ts';

/** A version as B2 describes it in every reply. Version 1 of the interface says `size` besides in its listings. */
export function describeVersion(version: Version, api: number): Readonly<Record<string, unknown>> {
  const { bucket, fileId, name, action, contentType, info, uploadTimestamp, sha1 } = version;
  const isFile = action === 'upload';
  const size = isFile ? sizeOf(version) : 0;
  return {
    accountId: bucket.accountId,
    action,
    bucketId: bucket.bucketId,
    contentLength: size,
    ...(api === 1 ? { size } : {}),
    contentSha1: action === 'hide' ? null : sha1,
    contentType: action === 'hide' ? 'application/x-bz-hide-marker' : contentType,
    fileId,
    fileInfo: info,
    fileName: name,
    uploadTimestamp,
  };
}

export function describeFolder(name: string): Readonly<Record<string, unknown>> {
  return { action: 'folder', contentLength: 0, size: 0, contentSha1: null, fileId: null, fileInfo: {}, fileName: name, uploadTimestamp: 0 };
}

export function describeUnfinished(version: Version): Readonly<Record<string, unknown>> {
  const { bucket, fileId, name, contentType, info, uploadTimestamp } = version;
  const { accountId, bucketId } = bucket;
  return { accountId, bucketId, contentType, fileId, fileInfo: info, fileName: name, uploadTimestamp };
}
