import { afterAll, beforeAll, describe } from 'vitest';
import { freshPlace, makeBucket } from '../support/s3/destinations.ts';
import { motoMissing, startMoto, type Moto } from '../support/s3/moto.ts';
import { describeBackend } from './suite.ts';

describe.skipIf(motoMissing !== '')(`S3 on moto${motoMissing === '' ? '' : ` (left out: ${motoMissing})`}`, () => {
  let moto: Moto | undefined;
  let bucket = '';
  beforeAll(async () => {
    moto = await startMoto();
    bucket = await makeBucket(moto.endpoint);
  });
  afterAll(() => moto?.stop());

  describeBackend('s3 with checksums', async () => ({ backend: freshPlace(moto?.endpoint ?? '', bucket, { sendChecksums: true }) }), {
    // It says 2010 of each upload.
    tellsStartOfUploads: false,
    manyKeys: 130,
  });
});
