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
    let met = 0;
    const meet = (header: PartialHeader): readonly number[] => {
      met += 1;
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
      return header.archives.map((archive) => archives.numberOf(archive) ?? nowhere);
    };
    for (const run of runs) {
      const before = met;
      const older = over === null ? none() : endsAtDamage(spoolEntries(host.zstd, over, 'partials'));
      const newer = entriesOf(host, fetched(host, catalog, run, options), meet, isOurs);
      const joined: Spool = await spooled(host, layered(older, newer, archives.isUsable));
      // Where not one of its partials can be read, there is nothing to go on with.
      const unused: Spool | null = met === before ? joined : over;
      if (met > before) over = joined;
      await unused?.dispose();
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

/** A whole snapshot takes only what no snapshot names: else it would share its data with one. */
function isOfUnfinished({ key }: ManifestArchive, last: About['last'], { snapshots }: ServerListing): boolean {
  if (last?.archives.some((archive) => archive.key === key) === true) return false;
  const own = snapshots.find(({ id }) => id === readObjectName(key)?.id);
  return own !== undefined && findObject(own, 'manifest') === null;
}

/**
 * What a run has written down, as far as it can be read: of the rest the data is sent again. Each is disposed of when the next one is asked for, as a run may have
 * thousands of volumes, and a process only so many open files.
 */
async function* fetched(
  host: EngineHost,
  { backend, vault }: Catalog,
  run: readonly ListedObject[],
  options: CallOptions,
): AsyncGenerator<Partial> {
  for (const { key, size } of run) {
    let partial: Partial;
    try {
      partial = { key, ...(await fetchPartial(host, backend, vault, key, { ...options, size })) };
    } catch (error) {
      if (!(error instanceof Fault) || !cannotServe.includes(error.code)) throw error;
      continue;
    }
    try {
      yield partial;
    } finally {
      await partial.spool.dispose();
    }
  }
}

/** What a run wrote down, volume after volume, as it went through the folder. `meet` is told of each first line, and says the numbers of its archives. */
async function* entriesOf(
  { zstd }: EngineHost,
  partials: AsyncIterable<Partial>,
  meet: (header: PartialHeader) => readonly number[],
  isOurs: (header: PartialHeader) => boolean,
): AsyncGenerator<ManifestEntry> {
  for await (const { header, spool, key } of partials) {
    const renumbered = renumber(endsAtDamage(spoolEntries(zstd, spool, key)), meet(header));
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
