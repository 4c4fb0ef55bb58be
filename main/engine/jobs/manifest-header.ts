import type { BackupRequest, Warning } from '../../contract/reports.ts';
import { Fault } from '../../contract/faults.ts';
import type { PackedSnapshot } from '../archive/packer.ts';
import type { SourceFolder } from '../host.ts';
import type { ManifestArchive, ManifestHeader } from '../snapshots/manifest.ts';
import { archiveKey } from '../snapshots/names.ts';

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
  /** The archives of the snapshot that the run was compared with. */
  earlier: readonly ManifestArchive[];
}): ManifestHeader {
  const { id, slug, packed, request } = parts;
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
    archives: packed.order.map(({ from, index }) => {
      if (from === 'run') return ownArchive(slug, id, packed, index);
      return parts.earlier[index] ?? missing(`archive ${index} of the snapshot before`);
    }),
  };
}

function ownArchive(slug: string, id: string, { archives }: PackedSnapshot, index: number): ManifestArchive {
  const { size, sha256, head, zipSize, frames } = archives[index] ?? missing(`volume ${index}`);
  return { key: archiveKey(slug, id, index), size, sha256, head: Buffer.from(head).toString('base64'), zipSize, frames };
}

function missing(what: string): never {
  throw new Fault('unexpected', `${what} is named and not there`, { operation: 'write manifest' });
}
