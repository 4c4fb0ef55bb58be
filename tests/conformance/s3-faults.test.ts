import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { uploadBytes, uploadStream } from '../../main/engine/storage/upload-object.ts';
import { freshPlace, makeBucket } from '../support/s3/destinations.ts';
import type { FaultProxy } from '../support/clouds/fault-proxy.ts';
import { isComplete, randomFaults, startS3FaultProxy, type S3Fault } from '../support/s3/faults.ts';
import { onSwift, startSwift, swiftMissing, type Swift } from '../support/s3/swift.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { abandonMidway, codeOf, collect, get, patterned, sha256, uploadEnded } from './suite-support.ts';
import { describeBackend } from './suite.ts';

describe.skipIf(swiftMissing !== '')(onSwift('S3 on OpenStack Swift in bad weather'), () => {
  let swift: Swift | undefined;
  let proxy: FaultProxy | undefined;
  let bucket = '';
  let seed = 0;
  let fault: (request: Parameters<typeof isComplete>[0]) => S3Fault | null = () => null;

  beforeAll(async () => {
    swift = await startSwift();
    bucket = await makeBucket(swift.endpoint);
    proxy = await startS3FaultProxy(swift.port, (request) => fault(request));
  });
  afterAll(async () => {
    await proxy?.close();
    swift?.stop();
  });

  /** Every layer, in real time: pauses are short, and what stalls is given up soon. */
  function stacked(): Backend {
    return standardStack(freshPlace(proxy?.endpoint ?? '', bucket), {
      clock: systemClock,
      random: seededRandom(++seed),
      timeout: { idleMs: 1_500, slowestBytesPerSecond: 3_000_000, completeMs: 4_000 },
      retry: { attempts: 40, totalMs: 600_000, baseMs: 2, capMs: 20 },
    }).backend;
  }

  describe('with a fault in three of ten requests', () => {
    describeBackend(
      'the whole stack',
      async () => {
        fault = randomFaults(++seed, 0.3);
        return { backend: stacked() };
      },
      { createsOnce: false, failsWhenReplaced: 'not-found', resumesReads: true, manyKeys: 60 },
    );

    test('every kind of fault has struck', () => {
      const kinds: readonly S3Fault[] = ['slow-down', 'internal-error', 'reset-before', 'reset-within', 'lost-reply'];
      const struck = proxy?.struck();
      expect([...kinds, 'cut-reply', 'stall', 'web-page'].filter((kind) => !struck?.has(kind as S3Fault))).toEqual([]);
    });
  });

  async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < bytes.byteLength; at += 1_000_000) yield await Promise.resolve(bytes.subarray(at, at + 1_000_000));
  }

  test.each(['lost-reply', 'error-in-200', 'slow-down', 'reset-before', 'web-page'] as const)(
    'putting the parts together is struck once by %s: the object is whole, and no upload is left',
    async (kind) => {
      let left = 1;
      fault = (request) => (isComplete(request) && left-- > 0 ? kind : null);
      const backend = stacked();
      const bytes = patterned(11_000_000);
      expect((await uploadStream(backend, 'server/large', inPieces(bytes), { partSize: 5_242_880 })).size).toBe(bytes.byteLength);
      expect(left).toBeLessThanOrEqual(0);
      expect(sha256(await get(backend, 'server/large'))).toBe(sha256(bytes));
      expect(await collect(backend.openUploads(''))).toEqual([]);
    },
  );

  test('the reply to a small object that must be new is lost: it is known for ours', async () => {
    let left = 1;
    fault = ({ method }) => (method === 'PUT' && left-- > 0 ? 'lost-reply' : null);
    const backend = stacked();
    expect((await uploadBytes(backend, 'holdfast.vault', Buffer.from('mine'), { ifAbsent: true })).size).toBe(4);
    fault = () => null;
    expect(await codeOf(uploadBytes(backend, 'holdfast.vault', Buffer.from('else'), { ifAbsent: true }))).toBe('already-exists');
    expect((await get(backend, 'holdfast.vault')).toString()).toBe('mine');
  });

  test('an upload that somebody else aborts on the way says so, and is not tried again', async () => {
    fault = () => null;
    expect(await abandonMidway(stacked())).toMatchObject([uploadEnded, uploadEnded]);
  });

  test('a page of a listing that never comes is a fault, and no end of the listing', async () => {
    const direct = freshPlace(swift?.endpoint ?? '', bucket, { prefix: 'pages' });
    for (let index = 0; index < 3; index++) await uploadBytes(direct, `server/${index}`, Buffer.from('x'));
    for (const kind of ['web-page', 'error-in-200', 'cut-reply', 'slow-down'] as const) {
      fault = () => kind;
      const behind = freshPlace(proxy?.endpoint ?? '', bucket, { prefix: 'pages' });
      expect([kind, await codeOf(collect(behind.list('')))]).toEqual([kind, kind === 'slow-down' ? 'rate-limited' : 'unavailable']);
    }
  });
});
