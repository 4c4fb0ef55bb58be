import { Fault } from '../../contract/faults.ts';
import type { OpenVault } from '../archive/vault.ts';
import type { EngineHost } from '../host.ts';
import type { Backend } from '../storage/backend.ts';
import { checkedFirstLine, splitLines, type FetchedManifest } from './manifest-store.ts';
import { parseManifestHeader } from './manifest.ts';
import { parseEntry } from './read-entry.ts';
import { openSealed, type ReadOptions } from './sealed-object.ts';

/** A manifest of which only the lines before the damage are there. */
export interface ReadableManifest extends FetchedManifest {
  /** What ended it. */
  readonly fault: Fault;
  /** Lines of entries that could be read. */
  readonly entries: number;
}

/** Characters of lines that are compressed together. */
const frameLength = 2 ** 20;

/**
 * What can be read of a damaged manifest: its first line and the entries up to the damage, each of them authenticated. They are in walk order, so that what they name is
 * a tree without its end. Null where all of it can be read; the fault itself where not even the first line can. The caller disposes of the spool.
 */
export async function fetchReadable(
  host: Pick<EngineHost, 'zstd' | 'openSpool'>,
  backend: Backend,
  vault: OpenVault,
  key: string,
  options: ReadOptions,
): Promise<ReadableManifest | null> {
  const { repaired, plain } = await openSealed(backend, vault, 'holdfast/v2/manifest', key, options);
  const lines = splitLines(host.zstd.decompress(plain), key);
  const first = await lines.next();
  const header = checkedFirstLine(first, key, parseManifestHeader);
  const spool = host.openSpool();
  let held = '';
  let entries = 0;
  const append = async (text: string): Promise<void> => await spool.append(host.zstd.compress(Buffer.from(text)));
  try {
    await append(`${String(first.value)}\n`);
    try {
      for await (const line of lines) {
        const text = line.toString('utf8');
        parseEntry(text, key);
        entries += 1;
        held += `${text}\n`;
        if (held.length < frameLength) continue;
        await append(held);
        held = '';
      }
    } catch (error) {
      if (!(error instanceof Fault) || (error.code !== 'corrupt' && error.code !== 'truncated')) throw error;
      await append(held);
      return { header, repaired, spool, fault: error, entries };
    }
    await spool.dispose();
    return null;
  } catch (error) {
    await spool.dispose();
    throw error;
  }
}
