import { Fault } from '../../contract/faults.ts';
import type { OlderList, OlderListed, OlderLists } from '../archive/packer.ts';
import type { EngineHost } from '../host.ts';
import { findObject, type Catalog, type ListedObject, type ListedSnapshot, type ServerListing } from '../snapshots/catalog.ts';
import { fetchManifest } from '../snapshots/manifest-store.ts';
import type { ManifestArchive } from '../snapshots/manifest.ts';
import { snapshotTime } from '../snapshots/names.ts';
import type { CallOptions } from '../storage/backend.ts';
import { ArchiveList } from './archive-list.ts';
import { usableArchives, type Ground } from './base.ts';
import { ownMark } from './snapshot-problem.ts';
import { cannotServe } from './unfinished.ts';

/** An id leaves out what is less than a second. */
const idStepMs = 1000;

interface Around {
  readonly host: EngineHost;
  readonly catalog: Catalog;
  readonly listing: ServerListing;
  /** In the order in which they are gone through. */
  readonly manifests: readonly ListedObject[];
  /** Which archives may be built on, as far as their age goes. */
  readonly isYoungEnough: (archive: ManifestArchive) => boolean;
}

/** A list that has been read. It counts only once it has been taken. */
export interface OlderRead extends OlderList {
  /** The archives that the run knows then. */
  readonly archives: ArchiveList;
}

/** The snapshots of a server beside the one that a run is compared with: what only they hold need not be sent again (docs/decisions/0063). */
export class OlderSnapshots implements OlderLists {
  readonly lists: readonly OlderListed[];
  readonly #around: Around;
  #archives: ArchiveList;
  readonly #lost: ReadonlySet<string>;

  constructor(around: Around, ground: Ground, lost: ReadonlySet<string> = new Set()) {
    this.#around = around;
    this.#archives = new ArchiveList(ground);
    this.#lost = lost;
    this.lists = around.manifests.map(({ size, name }) => ({ size, time: snapshotTime(name.id) + idStepMs }));
  }

  /** Those of what the run is compared with, and behind them those of the lists that it has asked for. */
  get archives(): readonly ManifestArchive[] {
    return this.#archives.all;
  }

  /** For a run that begins anew, as archives that it had built on are lost. */
  without(ground: Ground, lost: ReadonlySet<string>): OlderSnapshots {
    return new OlderSnapshots(this.#around, ground, new Set([...this.#lost, ...lost]));
  }

  async fetch(index: number, options: CallOptions): Promise<OlderList | null> {
    const found = await this.read(index, options);
    if (found !== null) this.take(found);
    return found;
  }

  async read(index: number, options: CallOptions): Promise<OlderRead | null> {
    const { host, catalog, listing, manifests, isYoungEnough } = this.#around;
    const manifest = manifests[index];
    if (manifest === undefined) return null;
    const { backend, vault } = catalog;
    try {
      const { header, spool } = await fetchManifest(host, backend, vault, manifest.key, { ...options, size: manifest.size });
      const usable = usableArchives(header.archives, listing, vault.vaultKey);
      const archives = this.#archives.copy();
      for (const [at, archive] of header.archives.entries())
        if (usable[at] === true && isYoungEnough(archive) && !this.#lost.has(archive.key)) archives.add(archive, true);
      return { manifest: spool, archives, numbers: header.archives.map((archive) => usableNumber(archives, archive)) };
    } catch (error) {
      if (!(error instanceof Fault) || !cannotServe.includes(error.code)) throw error;
      return null;
    }
  }

  /** What is asked for afterwards is numbered behind it. */
  take({ archives }: OlderRead): void {
    this.#archives = archives;
  }
}

function usableNumber(archives: ArchiveList, archive: ManifestArchive): number | null {
  const number = archives.numberOf(archive);
  return number !== null && archives.isUsable(number) ? number : null;
}

/**
 * Those beside `base`, of the order `written`: first the last one, the second last, the fourth last, and so on, then the others, the last ones first. What was there for
 * as long as it has been gone is so met after a few of many.
 */
export function olderManifests(written: readonly ListedSnapshot[], base: { readonly id: string }): readonly ListedObject[] {
  const newestFirst = written
    .toReversed()
    .flatMap((snapshot) =>
      snapshot.id === base.id || ownMark(snapshot, 'manifest') !== null ? [] : (findObject(snapshot, 'manifest') ?? []),
    );
  const isPower = (index: number): boolean => Number.isInteger(Math.log2(index + 1));
  return [...newestFirst.filter((_, index) => isPower(index)), ...newestFirst.filter((_, index) => !isPower(index))];
}
