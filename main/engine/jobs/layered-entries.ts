import type { BytePath } from '../archive/byte-path.ts';
import type { Spool } from '../archive/packer.ts';
import type { EngineHost } from '../host.ts';
import { laidOver, type IsUsable } from './laid-over.ts';
import { entryLineEnd, entryLineStart, type ManifestEntry } from '../snapshots/manifest-entry.ts';
import { merged } from '../snapshots/walk-order.ts';

/** Two lists in walk order as one: where both have a path, what lies above counts as far as it can be built on. Above, a path may stand several times, the youngest last. */
export async function* layered(
  below: AsyncIterable<ManifestEntry>,
  above: AsyncIterable<ManifestEntry>,
  isUsable: IsUsable,
): AsyncGenerator<ManifestEntry> {
  for await (const [under, over] of merged(below, byPath(above))) {
    if (over !== null) yield laidOver(under === null ? over.entries : [under, ...over.entries], isUsable);
    else if (under !== null) yield under;
  }
}

interface OfPath {
  readonly path: BytePath;
  readonly entries: [ManifestEntry, ...ManifestEntry[]];
}

async function* byPath(entries: AsyncIterable<ManifestEntry>): AsyncGenerator<OfPath> {
  let held = null as OfPath | null;
  for await (const entry of entries) {
    if (held?.path === entry.path) held.entries.push(entry);
    else {
      if (held !== null) yield held;
      held = { path: entry.path, entries: [entry] };
    }
  }
  if (held !== null) yield held;
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
