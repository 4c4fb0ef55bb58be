import type { Spool } from '../archive/packer.ts';
import type { OpenVault } from '../archive/vault.ts';
import type { EngineHost, Zstd } from '../host.ts';
import type { Backend, CallOptions } from '../storage/backend.ts';
import { behindFirstLine, checkedFirstLine, splitLines } from './manifest-store.ts';
import { parsePartialHeader, type PartialHeader } from './manifest.ts';
import type { ManifestEntry } from './manifest-entry.ts';
import { parseEntry } from './read-entry.ts';
import { openSealed, storeSealed, type ReadOptions } from './sealed-object.ts';

/*
 * What is written down of each finished volume beside it (docs/format.md, "Partial"): from then on nothing of it is lost, whatever ends the run.
 */

const label = 'holdfast/v2/partial';

export async function writePartial(
  host: Pick<EngineHost, 'zstd' | 'random'>,
  backend: Backend,
  vault: OpenVault,
  partial: { readonly key: string; readonly header: PartialHeader; readonly lines: Pick<Spool, 'size' | 'read'> },
  options: CallOptions,
): Promise<void> {
  const { key, header, lines } = partial;
  await storeSealed(
    host.random,
    backend,
    vault,
    { key, label, plain: behindFirstLine(host.zstd, header, lines), sizeHint: lines.size },
    options,
  );
}

/** Faults: not-found, wrong-password, wrong-key, corrupt, truncated, unsupported. */
export async function readPartialHeader(
  zstd: Zstd,
  backend: Backend,
  vault: OpenVault,
  key: string,
  options: ReadOptions,
): Promise<PartialHeader> {
  const { plain } = await openSealed(backend, vault, label, key, options);
  const lines = splitLines(zstd.decompress(plain), key);
  try {
    return checkedFirstLine(await lines.next(), key, parsePartialHeader);
  } finally {
    await lines.return(undefined);
  }
}

/** All of it brought near, and known to be as it was sealed. Faults as readPartialHeader. The caller disposes of the spool. */
export async function fetchPartial(
  host: Pick<EngineHost, 'zstd' | 'openSpool'>,
  backend: Backend,
  vault: OpenVault,
  key: string,
  options: ReadOptions,
): Promise<{ readonly header: PartialHeader; readonly spool: Spool }> {
  const spool = host.openSpool();
  try {
    const { plain } = await openSealed(backend, vault, label, key, options);
    for await (const piece of plain) await spool.append(piece);
    const lines = splitLines(host.zstd.decompress(spool.read()), key);
    const header = checkedFirstLine(await lines.next(), key, parsePartialHeader);
    await lines.return(undefined);
    return { header, spool };
  } catch (error) {
    await spool.dispose();
    throw error;
  }
}

/** The entries of a manifest or a partial that lies in a spool, parts of files that were cut off among them. */
export async function* spoolEntries(zstd: Zstd, spool: Spool, name: string): AsyncGenerator<ManifestEntry> {
  let first = true;
  for await (const line of splitLines(zstd.decompress(spool.read()), name)) {
    if (!first) yield parseEntry(line.toString('utf8'), name, true);
    first = false;
  }
}
