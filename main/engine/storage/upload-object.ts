import { asFault, Fault } from '../../contract/faults.ts';
import type { Backend, ByteStream, CallOptions, KnownChecksums, ObjectInfo, ObjectKey } from './backend.ts';
import { cancelledFault, disregard, throwIfCancelled } from './cancel.ts';
import { runningChecksum } from './checksum.ts';
import { choosePartSize } from './part-size.ts';
import { openPartWriter, type PartWriter } from './part-writer.ts';
import { readBytes } from './read-object.ts';

export interface UploadBytesOptions extends CallOptions {
  readonly ifAbsent?: boolean;
}

/** A small object. Settles to what the provider holds, its checksum compared; leaves nothing behind otherwise. */
export async function uploadBytes(
  backend: Backend,
  key: ObjectKey,
  bytes: Uint8Array,
  options: UploadBytesOptions = {},
): Promise<ObjectInfo> {
  const sum = runningChecksum(backend.info.checksum);
  sum?.update(bytes);
  const writer = await openPartWriter(backend, key, { signal: options.signal, ifAbsent: options.ifAbsent, sizeHint: bytes.byteLength });
  try {
    const partSize = choosePartSize(backend.info.limits, bytes.byteLength);
    for (let offset = 0; offset < bytes.byteLength; offset += partSize) await writer.write(bytes.subarray(offset, offset + partSize));
    return await writer.finish(known(backend, sum?.hex()));
  } catch (error) {
    if (error instanceof Fault && error.context['afterLostReply'] !== undefined) return await settleByContent(backend, key, bytes, error);
    throw error;
  } finally {
    await writer.abort();
  }
}

/** What stands there already is either ours, its reply having been lost, or somebody else's: the bytes tell. */
async function settleByContent(backend: Backend, key: ObjectKey, bytes: Uint8Array, fault: Fault): Promise<ObjectInfo> {
  const info = await backend.stat(key);
  if (info.size !== bytes.byteLength) throw fault;
  const theirs = await readBytes(backend, key, { limit: bytes.byteLength });
  if (!theirs.every((byte, index) => byte === bytes[index])) throw fault;
  return info;
}

export interface UploadStreamOptions extends CallOptions {
  readonly partSize?: number;
  /** About how many bytes will come, when it is known. */
  readonly sizeHint?: number;
  /** Parts under way at once; the provider's own limit counts too. Memory: one part more than this. Default 4. */
  readonly maxInFlight?: number;
  readonly onPart?: (part: { readonly index: number; readonly bytes: number }) => void;
}

/** An object of any length from a stream. Settles to what the provider holds, its checksum compared; leaves nothing behind otherwise. */
export async function uploadStream(
  backend: Backend,
  key: ObjectKey,
  source: ByteStream,
  options: UploadStreamOptions = {},
): Promise<ObjectInfo> {
  const { signal, onPart } = options;
  const { limits } = backend.info;
  let left = backend.info.checksumUpTo ?? Infinity;
  let sum = runningChecksum(backend.info.checksum);
  const writer = await openPartWriter(backend, key, { signal, maxInFlight: options.maxInFlight ?? 4, sizeHint: options.sizeHint });
  try {
    // Some providers tell the limits of an account only once it is used.
    const partSize = choosePartSize(limits, options.sizeHint, options.partSize);
    const maxInFlight = Math.max(1, Math.min(options.maxInFlight ?? 4, limits.parallelParts));
    const parts = partBuffer(writer, partSize, maxInFlight, onPart);
    for await (const piece of source) {
      throwIfCancelled(signal, 'upload');
      left -= piece.byteLength;
      if (left < 0) sum = null;
      sum?.update(piece);
      await parts.add(piece);
    }
    await parts.end();
    return await writer.finish(known(backend, sum?.hex()));
  } catch (error) {
    if (signal?.aborted === true) throw cancelledFault('upload');
    throw asFault(error, 'upload');
  } finally {
    await writer.abort();
  }
}

function known(backend: Backend, hex: string | undefined): KnownChecksums {
  return hex === undefined || backend.info.checksum === undefined ? {} : { [backend.info.checksum]: hex };
}

/** Gathers pieces of any size into parts, in `maxInFlight + 1` buffers that are used in turn. */
function partBuffer(
  writer: PartWriter,
  partSize: number,
  maxInFlight: number,
  onPart: UploadStreamOptions['onPart'],
): { add(piece: Uint8Array): Promise<void>; end(): Promise<void> } {
  const slots: { buffer: Uint8Array | undefined; written: Promise<void> }[] = Array.from({ length: maxInFlight + 1 }, () => ({
    buffer: undefined,
    written: Promise.resolve(),
  }));
  let current = 0;
  let filled = 0;

  async function bufferOf(index: number): Promise<Uint8Array> {
    const slot = slots[index % slots.length];
    if (slot === undefined) throw new RangeError('no slot');
    if (filled === 0) await slot.written;
    return (slot.buffer ??= new Uint8Array(partSize));
  }

  function flush(buffer: Uint8Array): void {
    const slot = slots[current % slots.length];
    const index = current++;
    const bytes = filled;
    filled = 0;
    const written = writer.write(buffer.subarray(0, bytes)).then(() => onPart?.({ index, bytes }));
    // Its failure is met again by the next part or by finish().
    disregard(written);
    if (slot !== undefined) slot.written = written;
  }

  return {
    async add(piece) {
      for (let offset = 0; offset < piece.byteLength;) {
        const buffer = await bufferOf(current);
        const take = Math.min(partSize - filled, piece.byteLength - offset);
        buffer.set(piece.subarray(offset, offset + take), filled);
        filled += take;
        offset += take;
        if (filled === partSize) flush(buffer);
      }
    },
    async end() {
      if (filled > 0) flush(await bufferOf(current));
      for (const slot of slots) await slot.written;
    },
  };
}
