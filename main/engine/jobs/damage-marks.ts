import { Fault } from '../../contract/faults.ts';
import type { Damage, Warning } from '../../contract/reports.ts';
import type { EngineHost } from '../host.ts';
import type { Catalog, ServerListing } from '../snapshots/catalog.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
import { damagedKey } from '../snapshots/names.ts';
import { mostMarkLines } from '../snapshots/stored-state.ts';
import { storeSealed } from '../snapshots/sealed-object.ts';
import type { ByteStream, CallOptions } from '../storage/backend.ts';

/** What makes an archive one that nothing may rest on. A damaged header alone is repaired from the manifest. */
const grave: ReadonlySet<string> = new Set(['corrupt', 'truncated', 'frame', 'zip']);

/** The keys of a server's marks. */
export function damageMarks({ snapshots }: ServerListing): Set<string> {
  return new Set(snapshots.flatMap(({ objects }) => objects.filter(({ name }) => name.kind === 'damaged').map(({ key }) => key)));
}

/**
 * Writes down beside each archive that was read whole and found damaged that it is, and takes the mark off one that is whole again. Prune
 * and the next backup go by these marks. `marks` are those of the server, and are kept up. Only the server's owner may write, whoever wrote the
 * snapshot; a destination that may not be written is told of and no failure.
 */
export async function markDamage(
  host: EngineHost,
  catalog: Catalog,
  header: ManifestHeader,
  marks: Set<string>,
  damage: readonly Damage[],
  options: CallOptions,
): Promise<readonly Warning[]> {
  try {
    for (const { key } of header.archives) {
      const found = damage.filter(({ object, kind }) => object === key && grave.has(kind));
      if (found.length === 0 && marks.delete(damagedKey(key))) await catalog.backend.remove(damagedKey(key), options);
      if (found.length === 0) continue;
      await writeMark(host, catalog, key, found, options);
      marks.add(damagedKey(key));
    }
    return [];
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'permission-denied') throw error;
    return [{ code: 'mark', message: `the damage could not be marked in the backup place: ${error.message}` }];
  }
}

async function writeMark(host: EngineHost, catalog: Catalog, key: string, found: readonly Damage[], options: CallOptions): Promise<void> {
  const { vault, backend } = catalog;
  const lines = found
    .slice(0, mostMarkLines)
    .map(({ kind, message, range }) => JSON.stringify({ kind, message, ...(range === undefined ? {} : { range }) }));
  async function* plain(): ByteStream {
    yield host.zstd.compress(Buffer.from(`${lines.join('\n')}\n`, 'utf8'));
  }
  await storeSealed(host.random, backend, vault, { key: damagedKey(key), label: 'holdfast/v2/damaged', plain: plain() }, options);
}
