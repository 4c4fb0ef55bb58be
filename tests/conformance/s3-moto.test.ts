import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../main/adapters/system/clock.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import type { FaultProxy } from '../support/clouds/fault-proxy.ts';
import { freshPlace, makeBucket } from '../support/s3/destinations.ts';
import { randomFaults, startS3FaultProxy, type DecideS3 } from '../support/s3/faults.ts';
import { motoMissing, startMoto, type Moto } from '../support/s3/moto.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { describeBackend } from './suite.ts';

describe.skipIf(motoMissing !== '')(`S3 on moto${motoMissing === '' ? '' : ` (left out: ${motoMissing})`}`, () => {
  let moto: Moto | undefined;
  let proxy: FaultProxy | undefined;
  let bucket = '';
  let seed = 0;
  let decide: DecideS3 = () => null;
  beforeAll(async () => {
    moto = await startMoto();
    bucket = await makeBucket(moto.endpoint);
    proxy = await startS3FaultProxy(moto.port, (request) => decide(request));
  });
  afterAll(async () => {
    await proxy?.close();
    moto?.stop();
  });

  describeBackend('s3 with checksums', async () => ({ backend: freshPlace(moto?.endpoint ?? '', bucket, { sendChecksums: true }) }), {
    // It says 2010 of each upload.
    tellsStartOfUploads: false,
    // Now and then it closes the file of an object that is replaced under whoever reads it, and says 500.
    failsWhenReplaced: 'unavailable',
    manyKeys: 130,
  });

  /** Every layer, in real time: pauses are short, and what stalls is given up soon. */
  function stacked(): Backend {
    return standardStack(freshPlace(proxy?.endpoint ?? '', bucket, { sendChecksums: true }), {
      clock: systemClock,
      random: seededRandom(++seed),
      timeout: { idleMs: 2_000, slowestBytesPerSecond: 3_000_000, completeMs: 4_000 },
      retry: { attempts: 40, totalMs: 600_000, baseMs: 2, capMs: 20 },
    }).backend;
  }

  describe('with a fault in three of ten requests', () => {
    describeBackend(
      's3 with checksums under the whole stack',
      () => {
        decide = randomFaults(++seed, 0.3);
        return Promise.resolve({ backend: stacked() });
      },
      { tellsStartOfUploads: false, resumesReads: true, manyKeys: 60 },
    );

    test('every kind of fault has struck', () => {
      const kinds = ['slow-down', 'internal-error', 'reset-before', 'reset-within', 'lost-reply', 'cut-reply', 'stall', 'web-page'];
      expect(kinds.filter((kind) => proxy?.struck().has(kind) !== true)).toEqual([]);
    });
  });
});
