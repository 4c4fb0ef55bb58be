import { Fault } from '../../contract/faults.ts';
import type { Spool } from '../archive/packer.ts';
import type { EngineHost, SourceFolder } from '../host.ts';
import type { Catalog, ListedObject, ServerListing } from '../snapshots/catalog.ts';
import { findObject } from '../snapshots/catalog.ts';
import type { ManifestArchive, ManifestHeader, PartialHeader } from '../snapshots/manifest.ts';
import type { ManifestEntry } from '../snapshots/manifest-entry.ts';
import { readObjectName } from '../snapshots/names.ts';
import { fetchPartial, spoolEntries } from '../snapshots/partial-store.ts';
import type { CallOptions } from '../storage/backend.ts';
import { ArchiveList } from './archive-list.ts';
import { isOwn, usableArchives, type Ground } from './base.ts';
import { nowhere } from './laid-over.ts';
import { layered, spooled } from './layered-entries.ts';
import { byRun, cannotServe, livePartials } from './unfinished.ts';

/*
 * Where a run that did not end left off, the next one goes on (docs/decisions/0064): what was written down of the finished volumes is laid over the snapshot that the
 * run is compared with, and the two are one list for it.
 */

export interface About {
  /** Null where the snapshot is to rest on no earlier one. */
  readonly base: Ground | null;
  /** The last snapshot. */
  readonly last: Pick<ManifestHeader, 'archives'> | null;
  readonly machine: string;
  readonly source: SourceFolder;
  readonly providerNow: number;
  /** Only what this run has written down. */
  readonly only?: string;
}

interface Partial {
  readonly header: PartialHeader;
  readonly spool: Spool;
  readonly key: string;
}

/** The base itself where no unfinished run has anything to go on with; else the caller disposes of both. */
export async function withUnfinished(
  host: EngineHost,
  catalog: Catalog,
  listing: ServerListing,
  about: About,
  options: CallOptions,
): Promise<Ground | null> {
  const { base } = about;
  const { only } = about;
  const runs = byRun(livePartials(listing, about.providerNow).filter(({ name }) => only === undefined || name.id === only));
  const archives = new ArchiveList(base);
  const unfinished = new Set(base?.unfinished);
  const isOurs = ({ machine, root }: PartialHeader): boolean => machine === about.machine && root === about.source.root;
  let trustStamps = base?.trustStamps === true;
  let over: Spool | null = null;
  try {
    for (const run of runs) {
      const partials = await fetchAll(host, catalog, run, options);
      try {
        if (partials.length === 0) continue;
        for (const { header } of partials) {
          trustStamps ||= isOurs(header);
          for (const id of [header.id, ...(header.takenOver ?? [])]) unfinished.add(id);
          const usable = usableArchives(header.archives, listing, catalog.vault.vaultKey);
          const isTheirs = isOwn(header);
          for (const [index, archive] of header.archives.entries()) {
            archives.add(
              archive,
              usable[index] === true && (base !== null || (isTheirs(archive) && isOfUnfinished(archive, about.last, listing))),
            );
          }
        }
        const newer = entriesOf(
          host,
          partials,
          (header) => header.archives.map((archive) => archives.numberOf(archive) ?? nowhere),
          isOurs,
        );
        over = await replaced(
          over,
          spooled(
            host,
            layered(over === null ? none() : endsAtDamage(spoolEntries(host.zstd, over, 'partials')), newer, archives.isUsable),
          ),
        );
      } finally {
        for (const { spool } of partials) await spool.dispose();
      }
    }
    if (over === null) return base;
    // What stamps prove nothing of has to be read, though those of others do.
    const under = base === null ? none() : marked(spoolEntries(host.zstd, base.spool, 'last manifest'), trustStamps && !base.trustStamps);
    const spool = await spooled(
      host,
      layered(endsAtDamage(under), endsAtDamage(spoolEntries(host.zstd, over, 'partials')), archives.isUsable),
    );
    return { archives: archives.all, settled: base?.settled ?? 0, unfinished, usable: archives.usable, spool, trustStamps };
  } finally {
    await over?.dispose();
  }
}

async function replaced(former: Spool | null, next: Promise<Spool>): Promise<Spool> {
  const spool = await next;
  await former?.dispose();
  return spool;
}

/** A whole snapshot takes only what no snapshot names: else it would share its data with one. */
function isOfUnfinished({ key }: ManifestArchive, last: About['last'], { snapshots }: ServerListing): boolean {
  if (last?.archives.some((archive) => archive.key === key) === true) return false;
  const own = snapshots.find(({ id }) => id === readObjectName(key)?.id);
  return own !== undefined && findObject(own, 'manifest') === null;
}

/** Those that can be read: of the others the data is sent again. */
async function fetchAll(
  host: EngineHost,
  { backend, vault }: Catalog,
  run: readonly ListedObject[],
  options: CallOptions,
): Promise<Partial[]> {
  const partials: Partial[] = [];
  try {
    for (const { key, size } of run) {
      try {
        partials.push({ key, ...(await fetchPartial(host, backend, vault, key, { ...options, size })) });
      } catch (error) {
        if (!(error instanceof Fault) || !cannotServe.includes(error.code)) throw error;
      }
    }
    return partials;
  } catch (error) {
    for (const { spool } of partials) await spool.dispose();
    throw error;
  }
}

/** What a run wrote down, volume after volume, as it went through the folder. */
async function* entriesOf(
  { zstd }: EngineHost,
  partials: readonly Partial[],
  numbersOf: (header: PartialHeader) => readonly number[],
  isOurs: (header: PartialHeader) => boolean,
): AsyncGenerator<ManifestEntry> {
  for (const { header, spool, key } of partials) {
    const numbers = numbersOf(header);
    const renumbered = renumber(endsAtDamage(spoolEntries(zstd, spool, key)), numbers);
    yield* marked(renumbered, !isOurs(header));
  }
}

async function* renumber(entries: AsyncIterable<ManifestEntry>, numbers: readonly number[]): AsyncGenerator<ManifestEntry> {
  for await (const entry of entries) {
    yield { ...entry, extents: entry.extents.map(([archive, ...rest]) => [numbers[archive] ?? nowhere, ...rest] as const) };
  }
}

async function* marked(entries: AsyncIterable<ManifestEntry>, racy: boolean): AsyncGenerator<ManifestEntry> {
  for await (const entry of entries) yield racy ? { ...entry, racy } : entry;
}

/** Sealed well and still not as the format says: what lies behind it is sent again. */
async function* endsAtDamage(entries: AsyncIterable<ManifestEntry>): AsyncGenerator<ManifestEntry> {
  try {
    yield* entries;
  } catch (error) {
    if (!(error instanceof Fault) || (error.code !== 'corrupt' && error.code !== 'truncated')) throw error;
  }
}

async function* none(): AsyncGenerator<ManifestEntry> {}
