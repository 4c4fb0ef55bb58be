import type { Spool } from '../archive/packer.ts';
import type { EngineHost } from '../host.ts';
import { entryLineEnd, entryLineStart, type ManifestEntry } from '../snapshots/manifest-entry.ts';
import { merged } from '../snapshots/walk-order.ts';

/** Two lists in walk order as one: where both have a path, what lies above counts as far as it can be built on. */
export async function* layered(
  below: AsyncIterable<ManifestEntry>,
  above: AsyncIterable<ManifestEntry>,
  isUsable: (archive: number) => boolean,
): AsyncGenerator<ManifestEntry> {
  for await (const [under, over] of merged(below, above)) {
    const counts = over !== null && (under === null || over.extents.every(([archive]) => isUsable(archive)));
    const entry = counts ? over : under;
    if (entry !== null) yield entry;
  }
}

const frameSize = 2 ** 20;

/** Entries as a manifest has them, put aside outside memory. Its first line says nothing. */
export async function spooled(host: Pick<EngineHost, 'openSpool' | 'zstd'>, entries: AsyncIterable<ManifestEntry>): Promise<Spool> {
  const spool = host.openSpool();
  try {
    let text = '{}\n';
    for await (const entry of entries) {
      text += entryLineStart(entry) + entryLineEnd(entry.extents);
      if (text.length < frameSize) continue;
      await spool.append(host.zstd.compress(Buffer.from(text, 'utf8')));
      text = '';
    }
    if (text !== '') await spool.append(host.zstd.compress(Buffer.from(text, 'utf8')));
    return spool;
  } catch (error) {
    await spool.dispose();
    throw error;
  }
}
