import type { Hash } from 'node:crypto';
import { Fault } from '../../contract/faults.ts';
import type { EngineHost, WritableSpool } from '../host.ts';
import type { ListedObject } from '../snapshots/catalog.ts';
import type { Backend, ByteStream, CallOptions } from '../storage/backend.ts';

/** What a classic file brings among the temporary files: first what it decrypts to, then the ZIP inside. */

/** Bytes that both take at least; zstd makes nothing larger to speak of, so the ZIP is no smaller. */
export function classicRoom({ size }: Pick<ListedObject, 'size'>): number {
  return 2 * size;
}

/**
 * The stored bytes, hashed as they come where a hash is given. Fault corrupt, before one byte more is handed on, where there are more of them than the
 * listing says: room was looked for by that figure.
 */
export async function* readClassic(
  backend: Backend,
  { key, size }: Pick<ListedObject, 'key' | 'size'>,
  hash: Hash | null,
  options: CallOptions,
): ByteStream {
  let taken = 0;
  for await (const piece of await backend.read(key, options)) {
    taken += piece.length;
    if (taken > size) {
      throw new Fault('corrupt', `${key} has more than the ${size} bytes that the backup place lists for it`, {
        operation: 'read classic',
        context: { object: key },
      });
    }
    hash?.update(piece);
    yield piece;
  }
}

/** The ZIP inside. Faults: corrupt, truncated; disk-full before an archive that expands without end has filled the disk, and nothing is left of it. */
export async function expandClassic(host: Pick<EngineHost, 'zstd' | 'openSpool'>, compressed: WritableSpool): Promise<WritableSpool> {
  const zip = host.openSpool({ unknownLength: true });
  try {
    for await (const piece of host.zstd.decompress(compressed.read())) await zip.append(piece);
    return zip;
  } catch (error) {
    await zip.dispose();
    throw error;
  }
}
