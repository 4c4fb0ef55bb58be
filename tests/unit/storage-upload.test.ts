import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Backend, BackendLimits, Layer, ObjectInfo } from '../../main/engine/storage/backend.ts';
import { runningChecksum } from '../../main/engine/storage/checksum.ts';
import { ContentHash } from '../../main/engine/storage/content-hash.ts';
import { choosePartSize, volumePartSize } from '../../main/engine/storage/part-size.ts';
import { openPartWriter } from '../../main/engine/storage/part-writer.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { stack } from '../../main/engine/storage/stack.ts';
import { uploadBytes, uploadStream } from '../../main/engine/storage/upload-object.ts';
import { codeOf, collect, get, patterned, put } from '../conformance/suite-support.ts';
import { chaos, countingBackend, failCall } from '../support/chaos.ts';
import { settle } from '../support/fake-clock.ts';

const unavailable = new Fault('unavailable', 'connection reset');

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let offset = 0; offset < bytes.byteLength; offset += size) yield bytes.subarray(offset, offset + size);
}

async function isUntouched(backend: Backend): Promise<boolean> {
  return (await collect(backend.list(''))).length === 0 && (await collect(backend.openUploads(''))).length === 0;
}

describe('the size of parts', () => {
  const limits: BackendLimits = { minPart: 5_000_000, maxPart: 5_000_000_000, partMultiple: 262_144, maxParts: 1_000, parallelParts: 4 };

  test('is 16 MiB where nothing speaks against it', () => {
    expect(choosePartSize(limits, undefined)).toBe(16 * 1024 * 1024);
    expect(choosePartSize(limits, 1_000_000_000)).toBe(16 * 1024 * 1024);
  });

  test('follows small wholes down to the smallest part, and huge ones up', () => {
    expect(choosePartSize(limits, 100)).toBe(20 * 262_144);
    const size = choosePartSize(limits, 1e12);
    expect(size % 262_144).toBe(0);
    expect(size * 1_000).toBeGreaterThanOrEqual(1e12);
  });

  test('does not follow a hint down to single bytes, for what comes may be more', () => {
    expect([0, 1, 300].map((hint) => choosePartSize({ ...limits, minPart: 1, partMultiple: 1 }, hint))).toEqual([65_536, 65_536, 65_536]);
    expect(choosePartSize({ ...limits, minPart: 1, maxPart: 1000, partMultiple: 1 }, 1)).toBe(1000);
  });

  test('of a volume takes little memory where a part costs nothing, else the 16 MiB that keep a volume far below 10,000 parts', () => {
    const of = (minPart: number): number => volumePartSize({ ...limits, minPart, partMultiple: 1, maxParts: 10_000 }, 2 ** 30) / 2 ** 20;
    expect([of(1), of(5_000_000), of(262_144)]).toEqual([1, 16, 16]);
  });

  test('of a volume is enough for the largest that can be asked for, with a last entry of the same size', () => {
    expect(volumePartSize({ ...limits, maxParts: 10_000 }, 2 ** 40) * 10_000).toBeGreaterThanOrEqual(2 * 2 ** 40);
  });

  test('refuses what cannot be stored at all', () => {
    expect(() => choosePartSize(limits, 6e12)).toThrow(Fault);
  });

  test('keeps every limit for any backend', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 1, max: 4_096 }),
        fc.integer({ min: 1, max: 10_000 }),
        fc.option(fc.integer({ min: 0, max: 2 ** 40 }), { nil: undefined }),
        (minPart, partMultiple, maxParts, sizeHint) => {
          const maxPart = 2 ** 30;
          fc.pre(sizeHint === undefined || sizeHint / maxParts < maxPart - 2 * partMultiple);
          const size = choosePartSize({ minPart, maxPart, partMultiple, maxParts, parallelParts: 1 }, sizeHint);
          expect(size % partMultiple).toBe(0);
          expect(size).toBeGreaterThanOrEqual(minPart);
          expect(size).toBeLessThanOrEqual(maxPart);
          if (sizeHint !== undefined) expect(size * maxParts).toBeGreaterThanOrEqual(sizeHint);
        },
      ),
    );
  });
});

describe('uploading a stream', () => {
  test.each([0, 1, 999, 1_000, 1_001, 4_000, 12_345])('stores %i bytes, whatever pieces they come in', async (length) => {
    const base = memoryBackend();
    const bytes = patterned(length);
    for (const piece of [1, 7, 1_000, 5_000].filter((size) => length / size < 2_000)) {
      const info = await uploadStream(base, 'a', inPieces(bytes, piece), { partSize: 1_000 });
      expect(info.size).toBe(length);
      expect((await get(base, 'a')).equals(bytes)).toBe(true);
    }
    expect(await collect(base.openUploads(''))).toEqual([]);
  });

  test('takes a source that uses its buffer again for every piece', async () => {
    const base = memoryBackend();
    const bytes = patterned(50_000);
    async function* reusing(): AsyncGenerator<Uint8Array, void, undefined> {
      const buffer = Buffer.alloc(777);
      for (let offset = 0; offset < bytes.byteLength; offset += 777) {
        const length = bytes.copy(buffer, 0, offset, offset + 777);
        yield buffer.subarray(0, length);
        buffer.fill(0);
      }
    }
    await uploadStream(base, 'a', reusing(), { partSize: 10_000 });
    expect((await get(base, 'a')).equals(bytes)).toBe(true);
  });

  test('has no more parts under way than allowed, and does not read ahead without end', async () => {
    const waiting: (() => void)[] = [];
    let most = 0;
    const held: Layer = (inner) => ({
      ...inner,
      beginUpload: async (key, options) => {
        const upload = await inner.beginUpload(key, options);
        return {
          ...upload,
          writePart: async (index, bytes, call) => {
            await new Promise<void>((resolve) => {
              waiting.push(resolve);
              most = Math.max(most, waiting.length);
            });
            await upload.writePart(index, bytes, call);
          },
        };
      },
    });
    let taken = 0;
    async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
      for (; taken < 40; taken++) yield patterned(1_000, taken + 1);
    }
    const done = uploadStream(stack(memoryBackend(), held), 'a', source(), { partSize: 1_000, maxInFlight: 3 });
    await settle();
    expect(taken).toBeLessThanOrEqual(5);
    while (waiting.length > 0) {
      waiting.shift()?.();
      await settle();
    }
    expect((await done).size).toBe(40_000);
    expect(most).toBe(3);
  });

  test('tells each part when it has been stored', async () => {
    const parts: number[] = [];
    await uploadStream(memoryBackend(), 'a', inPieces(patterned(2_500), 100), {
      partSize: 1_000,
      onPart: ({ bytes }) => void parts.push(bytes),
    });
    expect(parts.sort()).toEqual([1_000, 1_000, 500]);
  });

  test('whichever call fails, the fault comes out and nothing is left behind', async () => {
    const run = async (k: number) => {
      const base = memoryBackend();
      const failing = failCall({ k, fault: unavailable, when: 'before' });
      const outcome = await codeOf(uploadStream(stack(base, failing.layer), 'a', inPieces(patterned(5_000), 300), { partSize: 1_000 }));
      return { base, outcome, calls: failing.calls() };
    };
    const whole = await run(1_000);
    expect(whole.outcome).toBe('no fault');
    const needed = whole.calls.filter((verb) => verb !== 'abort').length;
    expect(needed).toBe(1 + 5 + 1);
    for (let k = 1; k <= needed; k++) {
      const { base, outcome } = await run(k);
      expect([k, outcome, await isUntouched(base)]).toEqual([k, 'unavailable', true]);
    }
  });

  test('a source that fails ends the upload with its own error and leaves nothing behind', async () => {
    const base = memoryBackend();
    async function* failing(): AsyncGenerator<Uint8Array, void, undefined> {
      yield patterned(3_000);
      throw new Fault('source-changed', 'the file went away');
    }
    expect(await codeOf(uploadStream(base, 'a', failing(), { partSize: 1_000 }))).toBe('source-changed');
    expect(await isUntouched(base)).toBe(true);
  });

  test('cancelled in the middle it leaves nothing behind', async () => {
    const base = memoryBackend();
    const controller = new AbortController();
    async function* source(): AsyncGenerator<Uint8Array, void, undefined> {
      for (let index = 0; index < 100; index++) {
        if (index === 50) controller.abort();
        yield patterned(500);
      }
    }
    expect(await codeOf(uploadStream(base, 'a', source(), { partSize: 1_000, signal: controller.signal }))).toBe('cancelled');
    expect(await isUntouched(base)).toBe(true);
  });

  test('cancelled while every part hangs it ends and leaves nothing behind', async () => {
    const base = memoryBackend();
    const controller = new AbortController();
    const hanging = chaos((call) => (call.verb === 'writePart' ? { kind: 'hang' } : null));
    const done = codeOf(
      uploadStream(stack(base, hanging), 'a', inPieces(patterned(9_000), 100), { partSize: 1_000, signal: controller.signal }),
    );
    await settle();
    controller.abort();
    expect(await done).toBe('cancelled');
    expect(await isUntouched(base)).toBe(true);
  });
});

describe('the provider’s checksum', () => {
  /** Says of every object what `change` makes of the truth. */
  function telling(change: (info: ObjectInfo) => ObjectInfo): Layer {
    return (inner) => ({
      ...inner,
      beginUpload: async (key, options) => {
        const upload = await inner.beginUpload(key, options);
        return { ...upload, complete: async () => change(await upload.complete()) };
      },
    });
  }
  const wrong = telling((info) => ({ ...info, checksum: { algorithm: 'sha256', hex: '0'.repeat(64) } }));

  test('that differs from ours is fault corrupt, and the object is removed', async () => {
    const base = memoryBackend();
    expect(await codeOf(uploadBytes(stack(base, wrong), 'a', patterned(100)))).toBe('corrupt');
    expect(await isUntouched(base)).toBe(true);
    expect(await codeOf(uploadStream(stack(base, wrong), 'a', inPieces(patterned(5_000), 10)))).toBe('corrupt');
    expect(await isUntouched(base)).toBe(true);
  });

  test('is compared with what a producer of parts knows', async () => {
    const base = memoryBackend();
    const bytes = patterned(3_000);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    for (const [backend, known, outcome] of [
      [base, { sha256 }, 'no fault'],
      [base, { sha256: '1'.repeat(64) }, 'corrupt'],
      [stack(base, wrong), { sha256 }, 'corrupt'],
      [stack(base, wrong), {}, 'no fault'],
    ] as const) {
      const writer = await openPartWriter(backend, 'a');
      await writer.write(bytes);
      expect(await codeOf(writer.finish(known))).toBe(outcome);
    }
  });

  test.each(['sha256', 'sha1', 'md5', 'crc32'] as const)('is computed as other programs do: %s', (algorithm) => {
    const bytes = patterned(10_000);
    const ours = runningChecksum(algorithm);
    for (const cut of [0, 1, 333])
      ours?.update(bytes.subarray(cut === 0 ? 0 : cut === 1 ? 1 : 333, cut === 0 ? 1 : cut === 1 ? 333 : 10_000));
    const expected = algorithm === 'crc32' ? crc32(bytes).toString(16).padStart(8, '0') : createHash(algorithm).update(bytes).digest('hex');
    expect(ours?.hex()).toBe(expected);
  });

  describe('Dropbox’ content hash', () => {
    const block = 4 * 1024 * 1024;
    const bytes = patterned(2 * block + 5);
    const sha256 = (of: Uint8Array): Buffer => createHash('sha256').update(of).digest();
    /** As Dropbox writes it down: the SHA-256 of those of each 4 MiB. */
    const expected = (of: Uint8Array): string => {
      const blocks = Array.from({ length: Math.ceil(of.byteLength / block) }, (_, index) =>
        sha256(of.subarray(index * block, (index + 1) * block)),
      );
      return sha256(Buffer.concat(blocks)).toString('hex');
    };

    test.each([0, 1, block - 1, block, block + 1, 2 * block + 5])('of %i bytes, in pieces that end anywhere', (size) => {
      const sum = new ContentHash();
      for (let at = 0; at < size; at += 1_000_003) sum.update(bytes.subarray(at, Math.min(size, at + 1_000_003)));
      expect([sum.hex(), sum.hex()]).toEqual([expected(bytes.subarray(0, size)), expected(bytes.subarray(0, size))]);
    });

    test.each([0, block])('after what came behind %i bytes came again, and otherwise', (kept) => {
      const sum = new ContentHash();
      sum.update(bytes);
      sum.cutTo(kept);
      const other = patterned(block + 7, 3);
      sum.update(other);
      expect(sum.hex()).toBe(expected(Buffer.concat([bytes.subarray(0, kept), other])));
    });
  });

  test('CRC-32 has the check value of its definition', () => {
    const sum = runningChecksum('crc32');
    sum?.update(Buffer.from('123456789'));
    expect(sum?.hex()).toBe('cbf43926');
  });
});

describe('a part writer', () => {
  test('keeps the order in which parts were given, without waiting for each', async () => {
    const base = memoryBackend();
    const parts = [1, 2, 3, 4, 5, 6].map((seed) => patterned(1_000, seed));
    const writer = await openPartWriter(base, 'a', { maxInFlight: 3 });
    await Promise.all(parts.map((part) => writer.write(part)));
    expect((await writer.finish()).size).toBe(6_000);
    expect((await get(base, 'a')).equals(Buffer.concat(parts))).toBe(true);
    await writer.abort();
    expect((await base.stat('a')).size).toBe(6_000);
  });

  test('without parts makes an empty object', async () => {
    const base = memoryBackend();
    const counting = countingBackend();
    await (await openPartWriter(stack(base, counting.layer), 'a')).finish();
    expect((await base.stat('a')).size).toBe(0);
    // Providers want at least one part.
    expect(counting.calls.map(({ verb, bytes }) => [verb, bytes])).toEqual([
      ['beginUpload', 0],
      ['writePart', 0],
      ['complete', 0],
    ]);
  });

  test('refuses a part after one that only the last may be', async () => {
    const base = memoryBackend({ limits: { minPart: 1_000, partMultiple: 500 } });
    for (const sizes of [
      [999, 1_000],
      [1_250, 1_000],
    ]) {
      const writer = await openPartWriter(base, 'a');
      const [first = 0, second = 0] = sizes;
      await writer.write(patterned(first));
      expect(await codeOf(writer.write(patterned(second)))).toBe('unexpected');
      expect(await codeOf(writer.finish())).toBe('unexpected');
    }
    expect(await isUntouched(base)).toBe(true);
  });

  test('after a failure rejects everything with that failure, and finish cleans up', async () => {
    const base = memoryBackend();
    const failing = failCall({ k: 2, fault: new Fault('quota-exceeded', 'full'), when: 'before', verbs: ['writePart'] });
    const writer = await openPartWriter(stack(base, failing.layer), 'a');
    await writer.write(patterned(1_000));
    expect(await codeOf(writer.write(patterned(1_000)))).toBe('quota-exceeded');
    expect(await codeOf(writer.write(patterned(1_000)))).toBe('quota-exceeded');
    expect(await codeOf(writer.finish())).toBe('quota-exceeded');
    expect(await isUntouched(base)).toBe(true);
  });

  test('abort stops parts under way before it clears the upload', async () => {
    const base = memoryBackend();
    const hanging = chaos((call) => (call.verb === 'writePart' ? { kind: 'hang' } : null));
    const writer = await openPartWriter(stack(base, hanging), 'a');
    const parts = [1, 2, 3].map((seed) => codeOf(writer.write(patterned(1_000, seed))));
    await settle();
    await writer.abort();
    expect(await Promise.all(parts)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(await isUntouched(base)).toBe(true);
    expect(await codeOf(writer.write(patterned(10)))).not.toBe('no fault');
  });

  test('abort waits for parts that take their time to stop, and only then clears the upload', async () => {
    const events: string[] = [];
    let stopped = (): void => undefined;
    const slowToStop: Layer = (inner) => ({
      ...inner,
      beginUpload: async (key, options) => {
        const upload = await inner.beginUpload(key, options);
        return {
          ...upload,
          writePart: () =>
            new Promise<void>((resolve) => {
              stopped = () => {
                events.push('part over');
                resolve();
              };
            }),
          abort: async () => {
            events.push('cleared');
            await upload.abort();
          },
        };
      },
    });
    const writer = await openPartWriter(stack(memoryBackend(), slowToStop), 'a');
    const part = codeOf(writer.write(patterned(10)));
    await settle();
    const aborted = writer.abort();
    await settle();
    expect(events).toEqual([]);
    stopped();
    await aborted;
    await part;
    expect(events).toEqual(['part over', 'cleared']);
  });

  test('says so when what it had begun could not be cleared away', async () => {
    const base = memoryBackend();
    const failing = chaos((call) =>
      call.verb === 'abort'
        ? { kind: 'before', fault: unavailable }
        : call.verb === 'complete'
          ? { kind: 'before', fault: new Fault('quota-exceeded', 'full') }
          : null,
    );
    const writer = await openPartWriter(stack(base, failing), 'a');
    await writer.write(patterned(10));
    const fault = await writer.finish().catch((error: unknown) => error);
    expect(fault).toMatchObject({ code: 'quota-exceeded', context: { leftover: writer.token, leftoverReason: 'connection reset' } });
  });
});

describe('reading a small object', () => {
  test('gives all its bytes, or those of a range', async () => {
    const base = memoryBackend({ pieceSize: 100 });
    await put(base, 'a', patterned(1_000));
    expect(Buffer.from(await readBytes(base, 'a', { limit: 1_000 })).equals(patterned(1_000))).toBe(true);
    const range = { offset: 150, length: 333 };
    expect(Buffer.from(await readBytes(base, 'a', { range, limit: 333 })).equals(patterned(1_000).subarray(150, 483))).toBe(true);
  });

  test('copies pieces whose buffer is used again', async () => {
    const bytes = patterned(1_000);
    const reusing: Layer = (inner) => ({
      ...inner,
      read: () =>
        Promise.resolve(
          (async function* () {
            const buffer = Buffer.alloc(100);
            for (let offset = 0; offset < 1_000; offset += 100) {
              bytes.copy(buffer, 0, offset, offset + 100);
              yield buffer;
            }
          })(),
        ),
    });
    expect(Buffer.from(await readBytes(stack(memoryBackend(), reusing), 'a', { limit: 1_000 })).equals(bytes)).toBe(true);
  });

  test('of one larger than the limit is fault corrupt, found without reading it all', async () => {
    const base = memoryBackend({ pieceSize: 100 });
    await put(base, 'a', patterned(100_000));
    let pieces = 0;
    const counted: Layer = (inner) => ({
      ...inner,
      read: async (key, options) => {
        const stream = await inner.read(key, options);
        return (async function* () {
          for await (const piece of stream) {
            pieces++;
            yield piece;
          }
        })();
      },
    });
    expect(await codeOf(readBytes(stack(base, counted), 'a', { limit: 999 }))).toBe('corrupt');
    expect(pieces).toBe(10);
  });
});

test('a small object costs three calls and one that does nothing', async () => {
  const counting = countingBackend();
  await uploadBytes(stack(memoryBackend(), counting.layer), 'a', patterned(100));
  expect(counting.calls.map(({ verb }) => verb)).toEqual(['beginUpload', 'writePart', 'complete']);
});
