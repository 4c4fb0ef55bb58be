import type { Backend, BackendLimits } from '../../../engine/storage/backend.ts';
import { checkedCalls } from '../../../engine/storage/layers/checked-calls.ts';
import { checksumCheck } from './checksum-check.ts';
import { connector } from './client.ts';
import { listObjects, listUploads } from './listing.ts';
import { headObject, removeObject, type Bucket } from './object-info.ts';
import { readPieces } from './read-object.ts';
import { resolveS3Place, type S3Credentials, type S3Settings } from './settings.ts';
import { beginSmall, smallSize } from './small-upload.ts';
import { parseToken } from './tokens.ts';
import { abortMultipart, beginMultipart } from './upload.ts';

/** AWS: "Amazon S3 multipart upload limits"; the other servers keep to them. */
const limits: BackendLimits = {
  minPart: 5 * 1024 * 1024,
  maxPart: 5 * 1024 ** 3,
  partMultiple: 1,
  maxParts: 10_000,
  parallelParts: 4,
};

export interface S3Options {
  /** How many names a page of a listing holds; absent: as many as the server likes, usually 1000. */
  readonly pageSize?: number;
}

/**
 * A destination in a bucket of AWS S3 or of any server that speaks its protocol. Nothing is sent, and the SDK not loaded, before the
 * first call. Throws fault config-invalid for settings that lack something.
 */
export function s3Backend(settings: S3Settings, credentials: S3Credentials, options: S3Options = {}): Backend {
  const place = resolveS3Place(settings);
  const bucket: Bucket = { place, connect: connector(place, credentials), pageSize: options.pageSize };
  return checkedCalls({
    info: { scheme: 's3', label: place.label, limits, checksum: 'md5', checksumUpTo: smallSize, ownChecks: [checksumCheck(bucket)] },
    stat: (key, call) => headObject(bucket, key, 'stat', call),
    list: (prefix, call) => listObjects(bucket, prefix, call),
    read: (key, call) => Promise.resolve(readPieces(bucket, key, call?.range, call?.signal)),
    beginUpload: (key, call) => {
      const ifAbsent = call?.ifAbsent === true;
      // What must be new is small, and more servers know the condition for an object put in one piece than for one of parts.
      const small = ifAbsent || (call?.sizeHint !== undefined && call.sizeHint <= smallSize);
      return small ? Promise.resolve(beginSmall(bucket, key, ifAbsent)) : beginMultipart(bucket, key, ifAbsent, call);
    },
    openUploads: (prefix, call) => listUploads(bucket, prefix, call),
    abandon: async (token, call) => {
      const upload = parseToken(token);
      if (upload !== null) await abortMultipart(bucket, upload.key, upload.uploadId, call);
    },
    remove: (key, call) => removeObject(bucket, key, call),
  });
}
