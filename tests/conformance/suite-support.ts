import { createHash } from 'node:crypto';
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

/** The smallest part that may be followed by another. */
export function partSizeOf(backend: Backend): number {
  const { minPart, partMultiple } = backend.info.limits;
  return Math.ceil(Math.max(minPart, 1000) / partMultiple) * partMultiple;
}
