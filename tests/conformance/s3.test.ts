import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { S3 } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { s3Backend } from '../../main/adapters/storage/s3/s3-backend.ts';
import { freshPlace, makeBucket } from '../support/s3/destinations.ts';
import { startS3FaultProxy } from '../support/s3/faults.ts';
import { onSwift, startSwift, swiftKeys, swiftMissing, type Swift } from '../support/s3/swift.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { codeOf, collect } from './suite-support.ts';
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

  describe('a server that the AWS tools are pointed to', () => {
    afterEach(() => void vi.unstubAllEnvs());

    test.each(['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_S3', 'a profile'])(
      'by %s is not where a destination at AWS goes: its settings alone say where',
      async (by) => {
        const proxy = await startS3FaultProxy(swift?.port ?? 0, () => null);
        try {
          if (by === 'a profile') {
            const file = join(tempFolder(), 'config');
            writeFileSync(file, `[profile elsewhere]\nendpoint_url = ${proxy.endpoint}\n`);
            vi.stubEnv('AWS_CONFIG_FILE', file);
            vi.stubEnv('AWS_PROFILE', 'elsewhere');
          } else vi.stubEnv(by, proxy.endpoint);
          // No such region is at AWS either, so that nothing leaves this computer but a name that nobody knows.
          const region = 'nowhere-1';
          const plain = new S3({ region, forcePathStyle: true, credentials: swiftKeys, maxAttempts: 1 });
          await plain.listObjectsV2({ Bucket: bucket }).catch(() => undefined);
          plain.destroy();
          const asked = proxy.seen.length;
          expect(asked).toBeGreaterThan(0);
          expect(await codeOf(collect(s3Backend({ bucket, region }, swiftKeys).list('')))).toBe('unavailable');
          expect(proxy.seen).toHaveLength(asked);
        } finally {
          await proxy.close();
        }
      },
    );
  });
});
