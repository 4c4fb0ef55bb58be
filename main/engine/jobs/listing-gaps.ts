import { createHash } from 'node:crypto';
import { asFault, Fault } from '../../contract/faults.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import { findObject, type ServerListing } from '../snapshots/catalog.ts';
import { isSnapshotId, manifestKey } from '../snapshots/names.ts';
import type { ByteStream, CallOptions } from '../storage/backend.ts';
import { lockName } from './lock-name.ts';
import { statIfThere } from '../storage/stat-if-there.ts';

/*
 * Some clouds list an object only some time after it was made. A manifest that a listing lacks names archives which then look as if nobody needed them.
 */

function memoryName(destination: OpenDestination, slug: string): string {
  return `newest-${createHash('sha256').update(lockName(destination, slug)).digest('hex').slice(0, 32)}`;
}

/** Which snapshot this computer has stored last, for a listing that shows nothing of it. */
export async function rememberNewest(host: EngineHost, destination: OpenDestination, slug: string, id: string): Promise<void> {
  async function* content(): ByteStream {
    yield Buffer.from(id);
  }
  // The snapshot is stored whether it can be remembered or not; a prune then has only what the listing shows.
  await host.memory.remember(memoryName(destination, slug), content()).catch(() => undefined);
}

async function recallNewest(host: EngineHost, destination: OpenDestination, slug: string): Promise<string | null> {
  try {
    const content = await host.memory.recall(memoryName(destination, slug));
    if (content === null) return null;
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(Buffer.from(piece));
    const id = Buffer.concat(pieces).toString('utf8');
    return isSnapshotId(id) ? id : null;
  } catch (error) {
    // What cannot be read is as good as forgotten; but a call that was stopped stays stopped.
    if (asFault(error, 'recall').code === 'cancelled') throw error;
    return null;
  }
}

/**
 * Fault unavailable where a manifest is there that the listing lacks. Asked of the objects themselves: of each snapshot of which something is listed that nothing listed
 * names, but no manifest, and of the one that this computer has stored last. `named` are the keys of what manifests and partials name.
 */
export async function refuseWithGaps(
  host: EngineHost,
  destination: OpenDestination,
  listing: ServerListing,
  named: ReadonlySet<string>,
  options: CallOptions,
): Promise<void> {
  const { slug, snapshots } = listing;
  const committed = new Set(
    snapshots.filter((one) => (findObject(one, 'manifest') ?? findObject(one, 'classic')) !== null).map(({ id }) => id),
  );
  const doubtful = snapshots.filter(({ objects }) => objects.some(({ key }) => !named.has(key))).map(({ id }) => id);
  const newest = await recallNewest(host, destination, slug);
  for (const id of new Set([...doubtful, ...(newest === null ? [] : [newest])])) {
    const key = manifestKey(slug, id);
    if (committed.has(id) || (await statIfThere(destination.backend, key, options)) === null) continue;
    throw new Fault(
      'unavailable',
      `the backup place does not list ${key}, which is there: nothing is removed by a listing that lacks something`,
      {
        operation: 'prune',
        context: { object: key },
      },
    );
  }
}
