import type { BackupRequest, Warning } from '../../contract/reports.ts';
import { Fault } from '../../contract/faults.ts';
import type { ArchiveRef, PackedArchive, PackedSnapshot } from '../archive/packer.ts';
import type { SourceFolder } from '../host.ts';
import type { ManifestArchive, ManifestHeader } from '../snapshots/manifest.ts';
import { archiveKey, readObjectName } from '../snapshots/names.ts';
import type { Ground } from './base.ts';

/** What a run was compared with: the archives by the numbers that the run knows them by, those of older snapshots behind the others. */
export type NamedGround = Pick<Ground, 'archives' | 'settled' | 'unfinished'>;

/** The first line of the manifest of a snapshot that has just been packed. */
export function manifestHeader(parts: {
  id: string;
  server: string;
  slug: string;
  machine: { id: string; host: string };
  time: number;
  source: SourceFolder;
  request: BackupRequest;
  excludes: readonly string[];
  warnings: readonly Warning[];
  packed: PackedSnapshot;
  /** What the run was compared with. */
  ground: NamedGround;
}): ManifestHeader {
  const { id, slug, packed, request, ground } = parts;
  const takenOver = takenOverBy(packed.order, ground);
  return {
    holdfast: 'manifest',
    version: 1,
    id,
    server: parts.server,
    slug,
    machine: parts.machine.id,
    host: parts.machine.host,
    time: new Date(parts.time).toISOString(),
    root: parts.source.root,
    preset: request.preset ?? null,
    excludes: [...parts.excludes],
    hooks: request.hooks?.map(({ when, command, result }) => ({ when, command, result })) ?? [],
    warnings: parts.warnings.map(({ code, message, path }) => ({ code, message, ...(path === undefined ? {} : { path }) })),
    totals: packed.totals,
    archives: namedArchives({ slug, id }, packed.order, packed.archives, ground),
    ...(takenOver.length === 0 ? {} : { takenOver }),
  };
}

/** What the extents of lines count, by what it is: a volume of this run or what it was compared with. */
export function namedArchives(
  { slug, id }: { readonly slug: string; readonly id: string },
  order: readonly ArchiveRef[],
  volumes: readonly PackedArchive[],
  ground: NamedGround,
): ManifestArchive[] {
  return order.map(({ from, index }) => {
    if (from === 'base') return ground.archives[index] ?? missing(`archive ${index} of what is stored`);
    const { size, sha256, head, zipSize, frames } = volumes[index] ?? missing(`volume ${index}`);
    return { key: archiveKey(slug, id, index), size, sha256, head: Buffer.from(head).toString('base64'), zipSize, frames };
  });
}

/** The ids of runs that did not end, of whose volumes some are used. */
export function takenOverBy(order: readonly ArchiveRef[], { archives, settled, unfinished }: NamedGround): string[] {
  const keys = order.filter(({ from, index }) => from === 'base' && index >= settled).map(({ index }) => archives[index]?.key ?? '');
  return [...new Set(keys.map((key) => readObjectName(key)?.id ?? missing(key)))].filter((id) => unfinished.has(id));
}

function missing(what: string): never {
  throw new Fault('unexpected', `${what} is named and not there`, { operation: 'write manifest' });
}
