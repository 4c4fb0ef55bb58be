import { afterAll, beforeAll, describe } from 'vitest';
import { freshPlace, makeBucket } from '../support/s3/destinations.ts';
import { onSwift, startSwift, swiftMissing, type Swift } from '../support/s3/swift.ts';
import { describeBackend } from './suite.ts';

describe.skipIf(swiftMissing !== '')(onSwift('S3 on OpenStack Swift'), () => {
  let swift: Swift | undefined;
  let bucket = '';
  beforeAll(async () => {
    swift = await startSwift();
    bucket = await makeBucket(swift.endpoint);
  });
  afterAll(() => swift?.stop());

  // With a single copy Swift answers 404 about once in a thousand reads while an object is replaced, whoever asks: it lists the folder, then
  // opens the file. It answers If-None-Match with 501, so two that look at the same moment both see nothing.
  describeBackend('s3', async () => ({ backend: freshPlace(swift?.endpoint ?? '', bucket) }), {
    createsOnce: false,
    failsWhenReplaced: 'not-found',
    manyKeys: 130,
  });
});
