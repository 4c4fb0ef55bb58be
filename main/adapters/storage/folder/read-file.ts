import type { FileHandle } from 'node:fs/promises';
import { Fault } from '../../../contract/faults.ts';
import type { ByteRange } from '../../../engine/storage/backend.ts';
import { disregard, throwIfCancelled } from '../../../engine/storage/cancel.ts';
import { toFault } from './errors.ts';
import { openObject } from './paths.ts';

export const pieceSize = 1024 * 1024;

interface Reading {
  readonly buffer: Uint8Array;
  readonly done: Promise<{ readonly bytesRead: number }>;
}

/** The object's bytes; the piece after the one handed out is read meanwhile, so there are two buffers. */
export async function* readFilePieces(
  path: string,
  key: string,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let handle: FileHandle | undefined;
  let ahead: Reading | undefined;
  try {
    const opened = await openObject(path, key);
    handle = opened.handle;
    const { size } = opened.stats;
    let position = range?.offset ?? 0;
    const end = range === undefined ? size : range.offset + range.length;
    if (end > size) {
      throw new Fault('range-invalid', `${key} has ${size} bytes, none at ${end - 1}`, { operation: 'read', context: { key, size, end } });
    }
    const spare = [newBuffer(end - position), newBuffer(end - position - pieceSize)];
    ahead = begin(handle, spare.shift(), position, end);
    while (ahead !== undefined) {
      throwIfCancelled(signal, 'read');
      const { buffer, done } = ahead;
      const { bytesRead } = await done;
      if (bytesRead === 0)
        throw new Fault('truncated', `${key} became shorter while it was read`, { operation: 'read', context: { key, position } });
      position += bytesRead;
      ahead = begin(handle, spare.shift(), position, end);
      yield buffer.subarray(0, bytesRead);
      spare.push(buffer);
    }
  } catch (error) {
    throw toFault(error, 'read', key, { key });
  } finally {
    await Promise.allSettled([ahead?.done]);
    await handle?.close();
  }
}

function newBuffer(bytes: number): Uint8Array {
  return new Uint8Array(Math.max(0, Math.min(bytes, pieceSize)));
}

function begin(handle: FileHandle, buffer: Uint8Array | undefined, position: number, end: number): Reading | undefined {
  if (buffer === undefined || position >= end) return undefined;
  const done = handle.read(buffer, 0, Math.min(buffer.byteLength, end - position), position);
  // It may fail while the piece before it is still in use; the failure is met when it is asked for.
  disregard(done);
  return { buffer, done };
}
