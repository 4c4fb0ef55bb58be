import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import type { Backend, ByteRange, ObjectInfo } from '../../main/engine/storage/backend.ts';

/** The code of the fault that `work` ends with; what is no fault is shown as it is. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no fault';
  } catch (error) {
    return error instanceof Fault ? error.code : `no Fault but ${String(error)}`;
  }
}

/** All items; pieces of bytes are copied, as they are valid only until the next one. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item instanceof Uint8Array ? (Buffer.from(item) as T) : item);
  return all;
}

export async function get(backend: Backend, key: string, range?: ByteRange): Promise<Buffer> {
  const pieces = await collect(await backend.read(key, range === undefined ? {} : { range }));
  return Buffer.concat(pieces);
}

/** An object by the plain verbs, in one part. */
export async function put(backend: Backend, key: string, bytes: Uint8Array, ifAbsent = false): Promise<ObjectInfo> {
  const upload = await backend.beginUpload(key, { ifAbsent, sizeHint: bytes.byteLength });
  try {
    await upload.writePart(0, bytes);
    return await upload.complete();
  } finally {
    await upload.abort();
  }
}

export function abortedSignal(): AbortSignal {
  const controller = new AbortController();
  controller.abort();
  return controller.signal;
}

/** Bytes in which every stretch differs from every other. */
export function patterned(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  return bytes;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What must be told of an upload that somebody else ended: no next try of the part, and a new run as the next step. */
export const uploadEnded = {
  code: 'unavailable',
  persistence: 'exhausted',
  message: expect.stringContaining('the upload was ended') as string,
  context: { say: 'upload-ended', next: expect.stringContaining('Run the backup again: finished volumes are kept') as string },
};

/** What abandons an upload under way, as a clean-up by somebody else does, and what its next calls then end with. */
export async function abandonMidway(backend: Backend): Promise<readonly unknown[]> {
  const size = partSizeOf(backend);
  const upload = await backend.beginUpload('server/ended');
  for (const index of [0, 1]) await upload.writePart(index, patterned(size, index));
  await backend.abandon(upload.token);
  const outcomes = await Promise.allSettled([upload.writePart(2, patterned(size, 3))]);
  outcomes.push(...(await Promise.allSettled([upload.complete().then(() => undefined)])));
  // Gone already: success.
  await upload.abort();
  return outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : 'no fault'));
}

/** The smallest part that may be followed by another. */
export function partSizeOf(backend: Backend): number {
  const { minPart, partMultiple } = backend.info.limits;
  return Math.ceil(Math.max(minPart, 1000) / partMultiple) * partMultiple;
}

/** Of a download that broke off half-way: the ranges that were asked for, the rest by the second. */
export function expectReadOn(ranges: readonly unknown[], size: number): void {
  const [first, second] = ranges;
  expect([first, ranges.length]).toEqual([undefined, 2]);
  const [, start, end] = (/^bytes=(\d+)-(\d+)$/.exec(String(second)) ?? []).map(Number);
  expect(end).toBe(size - 1);
  // Less than a piece may have been thrown away.
  expect(start).toBeGreaterThan(size / 2 - 600_000);
  expect(start).toBeLessThanOrEqual(size / 2);
}
