import { randomBytes } from 'node:crypto';
import { S3 } from '@aws-sdk/client-s3';
import { s3Backend } from '../../../main/adapters/storage/s3/s3-backend.ts';
import type { S3Keys, S3Settings } from '../../../main/adapters/storage/s3/settings.ts';
import type { Backend } from '../../../main/engine/storage/backend.ts';
import { swiftKeys } from './swift.ts';

/** A bucket with a name of its own, made by a plain client. */
export async function makeBucket(endpoint: string, name = `holdfast-${randomBytes(6).toString('hex')}`, keys = swiftKeys): Promise<string> {
  const s3 = plainClient(endpoint, keys);
  await s3.createBucket({ Bucket: name });
  s3.destroy();
  return name;
}

export function plainClient(endpoint: string, credentials = swiftKeys): S3 {
  return new S3({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
}

/** Small enough that a few dozen objects need several pages. */
const pageSize = 25;

/** A place in the bucket that nothing else uses. */
export function freshPlace(endpoint: string, bucket: string, more: Partial<S3Settings> = {}, keys: S3Keys = swiftKeys): Backend {
  return s3Backend({ bucket, endpoint, prefix: `place-${randomBytes(6).toString('hex')}`, ...more }, keys, { pageSize });
}
