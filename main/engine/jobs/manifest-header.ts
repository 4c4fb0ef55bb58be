import type { BackupRequest, Warning } from '../../contract/reports.ts';
import type { PackedArchive, PackedSnapshot } from '../archive/packer.ts';
import type { SourceFolder } from '../host.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
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
    hooks: [],
    warnings: parts.warnings.map(({ code, message, path }) => ({ code, message, ...(path === undefined ? {} : { path }) })),
    totals: packed.totals,
    archives: packed.archives.map((archive: PackedArchive, index) => ({
      key: archiveKey(slug, id, index),
      size: archive.size,
      sha256: archive.sha256,
      head: Buffer.from(archive.head).toString('base64'),
      zipSize: archive.zipSize,
      frames: archive.frames,
    })),
  };
}
