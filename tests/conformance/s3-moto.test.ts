import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wrongWhole } from '../../main/adapters/storage/s3/checksums.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import type { FaultProxy } from '../support/clouds/fault-proxy.ts';
import { freshPlace, makeBucket } from '../support/s3/destinations.ts';
import { randomFaults, startS3FaultProxy, type DecideS3 } from '../support/s3/faults.ts';
import { motoMissing, startMoto, type Moto } from '../support/s3/moto.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { patterned } from './suite-support.ts';
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

  test('what it makes of real parts is what we make of them', async () => {
    const parts = [patterned(5_242_880, 1), patterned(1_000_003, 2)];
    const place = { prefix: 'summed', sendChecksums: true };
    const upload = await freshPlace(moto?.endpoint ?? '', bucket, place).beginUpload('server/x');
    for (const [index, bytes] of parts.entries()) await upload.writePart(index, bytes);
    await upload.complete();
    // 5.1 tells it in this call alone, without the number of parts, and with a date that the SDK does not read.
    const headers = { 'x-amz-object-attributes': 'Checksum' };
    const reply = await fetch(`${moto?.endpoint ?? ''}/${bucket}/summed/server/x?attributes`, { headers });
    const told = /<ChecksumCRC32>(.*)<\/ChecksumCRC32>/.exec(await reply.text())?.[1];
    const ours = parts.map((bytes) => ({ size: bytes.byteLength, crc32: crc32(bytes) }));
    expect(told).toMatch(/^[\w+/]{6}==$/);
    const ChecksumType = 'COMPOSITE';
    expect(wrongWhole({ ChecksumCRC32: told, ChecksumType }, ours)).toBeNull();
    expect(wrongWhole({ ChecksumCRC32: told, ChecksumType }, ours.toReversed())).toMatchObject({ theirs: told });
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
