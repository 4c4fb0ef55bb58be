import { Fault } from '../../contract/faults.ts';
import type { Damage, RunContext } from '../../contract/reports.ts';
import type { ArchiveDamage } from '../archive/unpacker.ts';
import type { EngineHost } from '../host.ts';
import { openArchive, readDirectory, readSeekTable, readStored } from '../snapshots/archive-reader.ts';
import type { Catalog } from '../snapshots/catalog.ts';
import type { fetchManifest } from '../snapshots/manifest-store.ts';
import type { ManifestArchive } from '../snapshots/manifest.ts';
import type { CallOptions } from '../storage/backend.ts';
import type { VerifiedContent } from './verified-content.ts';

/**
 * Everything: each chunk, each frame, each file's checksum, and each archive as the ZIP that it is. Of an archive that this run has found whole already, only
 * frames are read that hold a file with other places or another hash than were verified there.
 */
export async function verifyContent(
  host: EngineHost,
  catalog: Catalog,
  manifest: Awaited<ReturnType<typeof fetchManifest>>,
  { name, present, known }: { readonly name: string; readonly present: readonly ManifestArchive[]; readonly known: VerifiedContent | null },
  run: RunContext,
): Promise<{ damage: readonly Omit<Damage, 'snapshot'>[]; sha256: Map<string, string>; gone: ReadonlySet<string> }> {
  const options: CallOptions = { signal: run.signal };
  const { archives: listed } = manifest.header;
  const problems: ArchiveDamage[] = [];
  const gone = new Set<string>();
  const wholeBefore = listed.map((archive) => (present.includes(archive) ? (known?.sha256Of(archive) ?? null) : null));
  const archives = await Promise.all(
    listed.map(async (archive, index) => {
      const opened = await openArchive(catalog.vault, archive, null);
      if (wholeBefore[index] !== null) return { ...opened, frames: null };
      const frames = await tolerated(problems, index, async () => {
        try {
          return await readSeekTable(catalog.backend, { ...opened, count: archive.frames }, options);
        } catch (error) {
          if (!isGone(error)) throw error;
          gone.add(archive.key);
          return null;
        }
      });
      return { ...opened, frames };
    }),
  );
  const result = await host.unpacker(
    {
      manifest: manifest.spool,
      manifestName: name,
      archives,
      include: [],
      staging: null,
      whole: (index) => wholeBefore[index] === null,
      verified: known === null ? undefined : { files: known.files, archives: listed.map((archive) => known.numberOf(archive)) },
      tolerant: true,
      read: async (index, range) => {
        try {
          return await readStored(catalog.backend, archives[index]?.key ?? '', range, options);
        } catch (error) {
          // Gone altogether: presence() has said so, and all its frames are lost.
          if (!isGone(error)) throw error;
          gone.add(archives[index]?.key ?? '');
          return nothing();
        }
      },
      directory: async (index, append) => {
        const archive = archives[index];
        if (archive === undefined || archive.frames === null) return false;
        const read = await tolerated(problems, index, async () => {
          for await (const piece of readDirectory(host.zstd, catalog.backend, archive, options)) await append(piece);
          return true;
        });
        return read === true;
      },
    },
    run,
  );
  const sha256 = new Map<string, string>();
  const hit = new Set([...problems, ...result.damage].map(({ archive }) => archive));
  for (const [index, archive] of listed.entries()) {
    const hex = wholeBefore[index] ?? result.sha256[index] ?? null;
    if (hex === null) continue;
    sha256.set(archive.key, hex);
    if (hex === archive.sha256 && !hit.has(index)) known?.addWhole(archive, hex);
  }
  const damage = [...problems, ...result.damage].map(({ archive, kind, message, range }) => ({
    object: archives[archive]?.key ?? name,
    kind,
    message,
    ...(range === null ? {} : { range }),
    files: [],
  }));
  if (result.damagedFiles.length > 0) {
    const message = `${result.damagedFiles.length} ${result.damagedFiles.length === 1 ? 'file' : 'files'} cannot be brought back whole`;
    return { damage: [...damage, { object: name, kind: 'files', message, files: result.damagedFiles }], sha256, gone };
  }
  return { damage, sha256, gone };
}

/** Damage found on the way is a finding, not the end of the verification. */
async function tolerated<T>(problems: ArchiveDamage[], archive: number, act: () => Promise<T | null>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    if (!isDamage(error)) throw error;
    problems.push({ archive, kind: 'zip', message: error.message, range: null });
    return null;
  }
}

export function isDamage(error: unknown): error is Fault {
  return error instanceof Fault && ['corrupt', 'truncated', 'not-found', 'range-invalid'].includes(error.code);
}

const isGone = (error: unknown): boolean => error instanceof Fault && error.code === 'not-found';

async function* nothing(): AsyncGenerator<Uint8Array> {}
