import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { Fault } from '../../main/contract/faults.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { uploadBytes, uploadStream } from '../../main/engine/storage/upload-object.ts';
import { freshPlace, makeBucket } from '../support/s3/destinations.ts';
import type { FaultProxy } from '../support/clouds/fault-proxy.ts';
import { isComplete, isPart, randomFaults, startS3FaultProxy, type S3Fault } from '../support/s3/faults.ts';
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
  function stacked({ trickleMs, ...place }: { readonly trickleMs?: number; readonly prefix?: string } = {}): Backend {
    return standardStack(freshPlace(proxy?.endpoint ?? '', bucket, place), {
      clock: systemClock,
      random: seededRandom(++seed),
      timeout: { idleMs: 1_500, slowestBytesPerSecond: 3_000_000, completeMs: 4_000, trickleMs },
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

  const partSize = 5_242_880;

  test.each([
    'lost-reply',
    'failed-reply',
    'error-in-200',
    'slow-down',
    'reset-before',
    'web-page',
    'request-timeout',
    'time-skewed',
  ] as const)('putting the parts together is struck once by %s: the object is whole, and no upload is left', async (kind) => {
    let left = 1;
    fault = (request) => (isComplete(request) && left-- > 0 ? kind : null);
    const backend = stacked();
    const bytes = patterned(11_000_000);
    expect((await uploadStream(backend, 'server/large', inPieces(bytes), { partSize })).size).toBe(bytes.byteLength);
    expect(left).toBeLessThanOrEqual(0);
    expect(sha256(await get(backend, 'server/large'))).toBe(sha256(bytes));
    expect(await collect(backend.openUploads(''))).toEqual([]);
  });

  test.each(['lost-reply', 'slow-down', 'reset-within', 'request-timeout', 'time-skewed'] as const)(
    'a part is struck once by %s: it is sent again, and nothing else',
    async (kind) => {
      const from = proxy?.seen.length ?? 0;
      let left = 1;
      fault = (request) => (isPart(request) && /partNumber=2(&|$)/.test(request.url ?? '') && left-- > 0 ? kind : null);
      const bytes = patterned(11_000_000);
      const backend = stacked();
      await uploadStream(backend, 'server/large', inPieces(bytes), { partSize });
      expect(sha256(await get(backend, 'server/large'))).toBe(sha256(bytes));
      const parts = (proxy?.seen ?? []).slice(from).flatMap((line) => /partNumber=(\d)/.exec(line)?.[1] ?? []);
      expect(parts.sort()).toEqual(['1', '2', '2', '3']);
    },
  );

  test.each([
    ['with a part', isPart, 1],
    ['at its end', isComplete, 3],
  ] as const)('an upload that the server no longer knows %s is over: not tried again, and nothing is left', async (_, strikes, parts) => {
    const from = proxy?.seen.length ?? 0;
    fault = (request) => (strikes(request) ? 'no-such-upload' : null);
    const backend = stacked();
    const failed = uploadStream(backend, 'server/gone', inPieces(patterned(11_000_000)), { partSize, maxInFlight: 1 });
    await expect(failed).rejects.toMatchObject(uploadEnded);
    fault = () => null;
    const seen = (proxy?.seen ?? []).slice(from);
    expect(seen.filter((line) => line.includes('partNumber='))).toHaveLength(parts);
    expect(await collect(backend.openUploads(''))).toEqual([]);
    expect(await codeOf(backend.stat('server/gone'))).toBe('not-found');
  });

  /** Swift takes a second Complete for the first one. A server that has forgotten the upload by then leaves HEAD to tell what it has become. */
  describe('the upload is forgotten when putting the parts together is asked again', () => {
    const bytes = patterned(11_000_000);
    const direct = (): Backend => freshPlace(swift?.endpoint ?? '', bucket, { prefix: 'forgotten' });

    /** What comes of it, and the requests from the first Complete on. */
    async function uploaded(key: string, first: S3Fault): Promise<{ readonly outcome: unknown; readonly asked: readonly string[] }> {
      let completes = 0;
      fault = (request) => (!isComplete(request) ? null : completes++ === 0 ? first : 'no-such-upload');
      const from = proxy?.seen.length ?? 0;
      const outcome = await uploadStream(stacked({ prefix: 'forgotten' }), key, inPieces(bytes), { partSize }).catch(
        (error: unknown) => error,
      );
      fault = () => null;
      const seen = (proxy?.seen ?? []).slice(from);
      return {
        outcome,
        asked: seen.slice(seen.findIndex((line) => /^POST .*uploadId=/.test(line))).map((line) => line.split(' ')[0] ?? ''),
      };
    }

    test('the first call had worked, and its reply was lost: HEAD finds the object', async () => {
      const { outcome, asked } = await uploaded('server/settled', 'lost-reply');
      expect(outcome).toMatchObject({ key: 'server/settled', size: bytes.byteLength });
      expect(asked).toEqual(['POST', 'POST', 'HEAD']);
      expect(sha256(await get(direct(), 'server/settled'))).toBe(sha256(bytes));
    });

    test.each([
      ['nothing stands there', 'server/nothing', null],
      ['an older object of another size stands there', 'server/older', Buffer.from('older')],
      ['an older object of the same size stands there', 'server/same-size', patterned(11_000_000, 9)],
    ] as const)('the first call never arrived, and %s: the upload is over, and nothing passes for it', async (_, key, older) => {
      if (older !== null) await uploadBytes(direct(), key, older);
      const { outcome } = await uploaded(key, 'reset-before');
      expect(outcome).toBeInstanceOf(Fault);
      const there = await get(direct(), key).catch((error: unknown) => error);
      if (older === null) expect([outcome, there]).toMatchObject([uploadEnded, { code: 'not-found' }]);
      else expect(sha256(there as Buffer)).toBe(sha256(older));
      expect(await collect(direct().openUploads(''))).toEqual([]);
    });
  });

  test('a clock that is an hour off, at the real server: refused once, then put right by its date', async () => {
    fault = () => null;
    const from = proxy?.seen.length ?? 0;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
    try {
      const direct = freshPlace(proxy?.endpoint ?? '', bucket);
      expect(await direct.stat('server/x').catch((error: unknown) => error)).toMatchObject({
        ...{ code: 'config-invalid', persistence: 'temporary', message: expect.stringMatching(/clock is wrong/) as string },
      });
      expect(await codeOf(direct.stat('server/x'))).toBe('not-found');
      const backend = stacked();
      await uploadBytes(backend, 'server/x', Buffer.from('late'));
      expect((await get(backend, 'server/x')).toString()).toBe('late');
      expect((proxy?.seen ?? []).slice(from).map((line) => line.split(' ')[0])).toEqual(['HEAD', 'HEAD', 'PUT', 'PUT', 'HEAD', 'GET']);
    } finally {
      vi.useRealTimers();
    }
  });

  test.each([
    // From 16 MiB on past Node's HTTP.
    ['falls silent', 'as it comes', 'stalled-reply', 3_000_000],
    ['falls silent', 'in large pieces', 'stalled-reply', 20_000_000],
    ['only trickles', 'as it comes', 'trickled-reply', 3_000_000],
    ['only trickles', 'in large pieces', 'trickled-reply', 20_000_000],
  ] as const)('a download whose line %s half-way, %s, is given up and read on from there', async (_, _how, kind, size) => {
    fault = () => null;
    const backend = stacked({ trickleMs: 600 });
    const bytes = patterned(size);
    await uploadStream(backend, 'server/slow', inPieces(bytes), { partSize });
    const asked: unknown[] = [];
    let left = 1;
    fault = ({ method, headers }) => {
      if (method !== 'GET') return null;
      asked.push(headers.range);
      return left-- > 0 ? kind : null;
    };
    expect(sha256(await get(backend, 'server/slow'))).toBe(sha256(bytes));
    const [first, second] = asked;
    expect([first, asked.length]).toEqual([undefined, 2]);
    const [, start, end] = (/^bytes=(\d+)-(\d+)$/.exec(String(second)) ?? []).map(Number);
    expect(end).toBe(size - 1);
    // Less than a piece may have been thrown away.
    expect(start).toBeGreaterThan(size / 2 - 600_000);
    expect(start).toBeLessThanOrEqual(size / 2 + (kind === 'trickled-reply' ? 5_000 : 0));
  });

  test.each(['lost-reply', 'failed-reply'] as const)(
    'of a small object that replaces another, of its removal and of the end of an upload the reply does not come (%s)',
    async (kind) => {
      fault = () => null;
      const backend = stacked();
      await uploadBytes(backend, 'server/small', Buffer.from('older'));
      let left = 1;
      const strikes = (isIt: (request: Parameters<typeof isComplete>[0]) => boolean): void => {
        left = 1;
        fault = (request) => (isIt(request) && left-- > 0 ? kind : null);
      };
      strikes(({ method }) => method === 'PUT');
      await uploadBytes(backend, 'server/small', Buffer.from('newer'));
      expect([(await get(backend, 'server/small')).toString(), left]).toEqual(['newer', -1]);
      strikes(({ method }) => method === 'DELETE');
      await backend.remove('server/small');
      expect([await codeOf(backend.stat('server/small')), left]).toEqual(['not-found', -1]);
      const begun = await backend.beginUpload('server/given-up');
      await begun.writePart(0, patterned(10));
      strikes(({ method, url = '' }) => method === 'DELETE' && url.includes('uploadId='));
      await begun.abort();
      expect([await collect(backend.openUploads('')), left]).toEqual([[], expect.any(Number)]);
      expect(left).toBeLessThanOrEqual(0);
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

  describe('a listing of three pages', () => {
    const names = Array.from({ length: 60 }, (_, index) => `server/${String(index).padStart(2, '0')}`);
    beforeAll(async () => {
      const direct = freshPlace(swift?.endpoint ?? '', bucket, { prefix: 'pages' });
      for (const name of names) await uploadBytes(direct, name, Buffer.from('x'));
    });

    test.each([
      ['web-page', 'unavailable'],
      ['error-in-200', 'unavailable'],
      ['cut-reply', 'unavailable'],
      ['lost-reply', 'unavailable'],
      ['slow-down', 'rate-limited'],
    ] as const)('a page that does not come, by %s, is fault %s and no end of the listing, and is asked for again', async (kind, code) => {
      const behind = (): Backend => freshPlace(proxy?.endpoint ?? '', bucket, { prefix: 'pages' });
      let left = Infinity;
      for (const [page, told] of [
        ['list-type=2', []],
        ['continuation-token=', names.slice(0, 25)],
      ] as const) {
        fault = ({ url = '' }) => (url.includes(page) && left-- > 0 ? kind : null);
        const found: string[] = [];
        const listing = (async () => {
          for await (const { key } of behind().list('')) found.push(key);
        })();
        expect([page, await codeOf(listing), found]).toEqual([page, code, told]);
      }
      left = 1;
      expect((await collect(stacked({ prefix: 'pages' }).list(''))).map(({ key }) => key)).toEqual(names);
      expect(left).toBeLessThan(1);
    });
  });
});
