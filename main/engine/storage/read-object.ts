import { Fault } from '../../contract/faults.ts';
import type { Backend, ByteRange, CallOptions, ObjectKey } from './backend.ts';

/**
 * A small object, or a range of one, whole in memory. One of more than `limit` bytes is fault corrupt, found before more than that is held:
 * the limits of our own objects are far above what we write, so a larger one is not ours.
 */
export async function readBytes(
  backend: Backend,
  key: ObjectKey,
  options: CallOptions & { readonly range?: ByteRange; readonly limit: number },
): Promise<Uint8Array> {
  const { range, limit, signal } = options;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of await backend.read(key, { signal, ...(range === undefined ? {} : { range }) })) {
    size += piece.byteLength;
    if (size > limit) {
      throw new Fault('corrupt', `${key} is larger than the ${limit} bytes that such an object can have`, {
        operation: 'read',
        context: { key, limit },
      });
    }
    // Not slice(): of a Buffer that is a view of the same memory.
    pieces.push(new Uint8Array(piece));
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.byteLength;
  }
  return whole;
}
