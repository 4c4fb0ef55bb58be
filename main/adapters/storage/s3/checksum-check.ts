import type { CallOptions, Finding, OwnCheck } from '../../../engine/storage/backend.ts';
import { Fault } from '../../../contract/faults.ts';
import { crc32Text } from './checksums.ts';
import { stopBy } from './client.ts';
import { mapped } from './errors.ts';
import type { Bucket } from './object-info.ts';

/** Told as it is: servers differ, and nothing else finds out whether one looks at the CRC-32 that it is sent. */
export function checksumCheck(bucket: Bucket): OwnCheck {
  return { name: 'checksums sent', run: (key, options) => tryChecksums(bucket, key, options) };
}

async function tryChecksums(bucket: Bucket, key: string, options?: CallOptions): Promise<Finding> {
  const { sendChecksums } = bucket.place;
  const content = Buffer.from('CRC-32 of other bytes');
  const right = await put(bucket, key, content, crc32Text(content), options);
  if (right !== 'taken') {
    if (!sendChecksums) return 'the server takes no CRC-32, and none is sent: as it should be set';
    return { problem: 'the server refuses the CRC-32 that is sent with each part', next: 'Set “checksums=false” for this backup place.' };
  }
  const wrong = await put(bucket, key, content, crc32Text(Buffer.from('of these')), options);
  if (wrong === 'taken') return 'the server does not look at a CRC-32; the signature covers the bytes of each part';
  if (sendChecksums) return 'the server compares the CRC-32 that is sent with each part';
  return 'the server could compare a CRC-32 of each part: “checksums=true” sends it, beside the signature, which covers the bytes in any case';
}

/** Whether the server took the bytes with that sum. Throws what has nothing to do with it. */
async function put(bucket: Bucket, key: string, Body: Buffer, ChecksumCRC32: string, options?: CallOptions): Promise<'taken' | 'refused'> {
  const { place, connect } = bucket;
  try {
    await mapped('complete', key, options?.signal, async () => {
      const s3 = await connect();
      const what = { Bucket: place.bucket, Key: place.base + key, Body, ContentLength: Body.byteLength };
      await s3.putObject({ ...what, ChecksumCRC32, ...place.objectOptions }, stopBy(options?.signal));
    });
    return 'taken';
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // `unavailable`: BadDigest and its like, which ask for the same bytes again; a server in trouble says so with a status above 499.
    const status = error.context['status'];
    if (typeof status === 'number' && ((status >= 400 && status < 500 && !isOfTheAccount(error)) || status === 501)) return 'refused';
    throw error;
  }
}

function isOfTheAccount({ code }: Fault): boolean {
  return ['unauthenticated', 'permission-denied', 'quota-exceeded', 'rate-limited', 'timeout', 'cancelled'].includes(code);
}
