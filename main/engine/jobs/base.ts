import { createHash } from 'node:crypto';
import { Fault } from '../../contract/faults.ts';
import { defaultWholeDays, type WholeRule } from '../../contract/reports.ts';
import type { OlderLists, PackBase, Spool } from '../archive/packer.ts';
import { sealedWith } from '../archive/seal.ts';
import type { EngineHost, SourceFolder } from '../host.ts';
import { findObject, type Catalog, type ListedSnapshot, type ServerListing, storedSizes } from '../snapshots/catalog.ts';
import { readHeader } from '../snapshots/headers.ts';
import { fetchManifest } from '../snapshots/manifest-store.ts';
import { maxArchives, type ManifestArchive, type ManifestHeader } from '../snapshots/manifest.ts';
import { damagedKey, readObjectName, snapshotTime } from '../snapshots/names.ts';
import type { CallOptions } from '../storage/backend.ts';
import { ownMark } from './snapshot-problem.ts';

/** What a run is compared with: what is stored already. Whoever has it disposes of the spool. */
export interface Ground {
  readonly archives: readonly ManifestArchive[];
  /** How many of the archives, the first ones, the base names. */
  readonly settled: number;
  /** The ids of runs that did not end. Behind the settled archives are theirs, and those of older snapshots on which they built. */
  readonly unfinished: ReadonlySet<string>;
  /** Lines as a manifest has them, the first one included. */
  readonly spool: Spool;
  /** Of each of its archives, whether it can be built on. */
  readonly usable: readonly boolean[];
  /** It was this machine that wrote it, of this folder. */
  readonly trustStamps: boolean;
}

/** The snapshot that a run is compared with (docs/decisions/0060). */
export interface Base extends Ground {
  readonly header: ManifestHeader;
}

const dayMs = 24 * 3_600_000;

/** Hourly runs that never make a whole snapshot come to it in two years. What is left is for the volumes of the run itself. */
const mostToRestOn = maxArchives - 10_000;

/** The last one `written` whose manifest can be read as a whole, and in which no verification has found damage; the caller disposes of its spool. */
export async function findBase(
  host: EngineHost,
  catalog: Catalog,
  { listing, written }: { readonly listing: ServerListing; readonly written: readonly ListedSnapshot[] },
  from: { readonly machine: string; readonly source: SourceFolder },
  options: CallOptions,
): Promise<Base | null> {
  for (const snapshot of written.toReversed()) {
    const header = await readHeader(catalog, snapshot, options);
    const object = findObject(snapshot, 'manifest');
    if (header === null || header instanceof Fault || object === null || ownMark(snapshot, 'manifest') !== null) continue;
    try {
      const { spool } = await fetchManifest(host, catalog.backend, catalog.vault, object.key, { ...options, size: object.size });
      return {
        header,
        archives: header.archives,
        settled: header.archives.length,
        unfinished: new Set(),
        spool,
        usable: usableArchives(header.archives, listing, catalog.vault.vaultKey),
        trustStamps: header.machine === from.machine && header.root === from.source.root,
      };
    } catch (error) {
      // Damaged or gone: it proves nothing, and the one before it may serve.
      if (!(error instanceof Fault) || !['corrupt', 'truncated', 'not-found'].includes(error.code)) throw error;
    }
  }
  return null;
}

/** There, in the right size, not known as damaged, and sealed with the key of now: after a new key, nothing rests on the old one. */
export function usableArchives(archives: readonly ManifestArchive[], listing: ServerListing, vaultKey: Uint8Array): readonly boolean[] {
  const sizes = storedSizes(listing.snapshots);
  return archives.map(
    ({ key, size, head }) =>
      sizes.get(key) === size && !sizes.has(damagedKey(key)) && sealedWith(vaultKey, Buffer.from(head, 'base64'), 'holdfast/v2/archive'),
  );
}

/** What the packer may leave where it is; undefined where the snapshot is to be whole. */
export function packBase(base: Ground | null, older: OlderLists | null, request: { readonly ignoreInode?: boolean }): PackBase | undefined {
  if (base === null || !base.usable.includes(true)) return undefined;
  const { spool, usable, settled, trustStamps } = base;
  return { manifest: spool, usable, settled, older, trustStamps, ignoreInode: request.ignoreInode === true };
}

/** Rests on nothing but its own archives, and those of runs before it that did not end: they are nobody else's. */
export function isWhole(header: Pick<ManifestHeader, 'id' | 'archives' | 'takenOver'>): boolean {
  return header.archives.every(isOwn(header));
}

/** Whether an archive is of the snapshot's own run, or of one that did not end and that it has gone on with. */
export function isOwn({ id, takenOver = [] }: Pick<ManifestHeader, 'id' | 'takenOver'>): (archive: { readonly key: string }) => boolean {
  const own = new Set([id, ...takenOver]);
  return ({ key }) => own.has(readObjectName(key)?.id ?? '');
}

/**
 * What the next snapshot, of `time`, would rest on is too old, or too many archives. By the ids of the archives, which a copied destination has too; only of those dated later than `time`
 * by when they were stored: one of 2099 would not be old enough before 2099.
 */
export function isWholeDue(
  { header }: Pick<Base, 'header'>,
  listing: ServerListing,
  rule: WholeRule = defaultWholeDays,
  time: number,
): boolean {
  // Whatever the rule: sooner or later there would be no room to name them all.
  if (header.archives.length >= mostToRestOn) return true;
  if (rule === 'always' || rule === 'never') return rule === 'always';
  const dateOf = archiveDates(listing, time);
  return header.archives.some(({ key }) => time - dateOf(key) >= rule * dayMs);
}

/** When each archive was written, in milliseconds since 1970. */
function archiveDates({ snapshots }: ServerListing, time: number): (key: string) => number {
  const stored = new Map(snapshots.flatMap(({ objects }) => objects.map(({ key, modifiedAt }) => [key, modifiedAt] as const)));
  return (key) => {
    const dated = snapshotTime(readObjectName(key)?.id ?? '');
    return dated > time ? (stored.get(key) ?? dated) : dated;
  };
}

/**
 * Which archives that only older snapshots name a snapshot of `time` may build on, so that the next whole one does not come much sooner for it: those that are not
 * older than what the base rests on already, and those that leave half of the time until then.
 */
export function isYoungEnough(
  { header }: Pick<Base, 'header'>,
  listing: ServerListing,
  rule: WholeRule = defaultWholeDays,
  time: number,
): (archive: { readonly key: string }) => boolean {
  if (rule === 'always' || rule === 'never') return () => rule === 'never';
  const dateOf = archiveDates(listing, time);
  const oldest = Math.min(time - (rule * dayMs) / 2, ...header.archives.map(({ key }) => dateOf(key)));
  return ({ key }) => dateOf(key) >= oldest;
}

/** The same without archives that turned out to be lost. */
export function without(base: Ground, lost: ReadonlySet<string>): Ground {
  const usable = base.archives.map(({ key }, index) => base.usable[index] === true && !lost.has(key));
  return { ...base, usable };
}

/**
 * What bases must have in common for one reading to serve them all: the same entry lines, which one reading wrote into all of them, and the same
 * archives to build on.
 */
export async function baseIdentity(host: EngineHost, base: Ground | null): Promise<string> {
  if (base === null || !base.usable.includes(true)) return 'whole';
  return `${await entriesHash(host, base.spool)} ${base.usable.join()} ${base.trustStamps}`;
}

/** Of a manifest's lines but the first, which tells of one place alone. */
export async function entriesHash(host: EngineHost, manifest: Spool): Promise<string> {
  const sum = createHash('sha256');
  let inFirstLine = true;
  for await (const piece of host.zstd.decompress(manifest.read())) {
    const end = inFirstLine ? piece.indexOf(10) + 1 : 0;
    if (inFirstLine && end === 0) continue;
    inFirstLine = false;
    sum.update(piece.subarray(end));
  }
  return sum.digest('hex');
}
