import { Fault } from '../../contract/faults.ts';
import type { Warning } from '../../contract/reports.ts';
import type { EngineHost } from '../host.ts';
import type { Catalog, ListedObject } from '../snapshots/catalog.ts';
import { fetchManifest, type FetchedManifest } from '../snapshots/manifest-store.ts';
import { fetchReadable, type ReadableManifest } from '../snapshots/readable-manifest.ts';
import { naming } from '../snapshots/sealed-object.ts';
import type { CallOptions } from '../storage/backend.ts';

/** `cut` says where it ends too early, and why; null where it is whole. */
export type SalvagedManifest = FetchedManifest & { readonly cut: Pick<ReadableManifest, 'fault' | 'entries'> | null };

/** With salvage, as much of a damaged one as can be read. */
export async function manifestFor(
  host: EngineHost,
  { backend, vault }: Catalog,
  { key, size }: ListedObject,
  salvage: boolean,
  options: CallOptions,
): Promise<SalvagedManifest> {
  try {
    return { ...(await fetchManifest(host, backend, vault, key, { ...options, size })), cut: null };
  } catch (error) {
    const fault = naming(error, key);
    if (!salvage || !(fault instanceof Fault) || (fault.code !== 'corrupt' && fault.code !== 'truncated')) throw fault;
    const readable = await fetchReadable(host, backend, vault, key, options);
    if (readable === null) throw fault;
    return { ...readable, cut: readable };
  }
}

/** That its list ends too early. */
export function cutWarning({ header, cut }: SalvagedManifest): readonly Warning[] {
  if (cut === null) return [];
  const read = `of the ${header.totals.entries} entries of its list ${cut.entries} could be read`;
  return [{ code: 'manifest', message: `${cut.fault.message}; ${read}, and what comes behind them is not in what was brought back` }];
}
