import { readManifestHeader } from '../../main/engine/snapshots/manifest-store.ts';
import type { ManifestArchive } from '../../main/engine/snapshots/manifest.ts';
import { loadVault } from '../../main/engine/snapshots/vault-store.ts';
import { craftSnapshot, fileLine, rootLine, type Crafted, type FramePlace } from './craft-snapshot.ts';
import type { World } from './engine-on-memory.ts';

export interface Shared extends Crafted {
  readonly archiveInfo: ManifestArchive;
  readonly frames: readonly FramePlace[];
}

/** A stretch of an earlier snapshot's archive that this one names too: which frames of it. */
export interface Borrowed {
  readonly from: Shared;
  readonly frames: readonly number[];
}

/**
 * A snapshot whose entries point into its own archive, one frame a file (`own-0` …), and into those of earlier ones (`shared-0` …), as runs
 * that send nothing twice write them.
 */
export async function craftShared(
  world: World,
  {
    time,
    own,
    borrowed = [],
    slug = 'survival',
  }: { time: number; own: readonly (Buffer | string)[]; borrowed?: readonly Borrowed[]; slug?: string },
): Promise<Shared> {
  let frames: readonly FramePlace[] = [];
  const crafted = await craftSnapshot(world, {
    ...{ time, slug, server: slug, contents: own },
    entries: (found) => {
      frames = found;
      return [rootLine, ...found.map((frame, index) => fileLine(`own-${index}`, frame))];
    },
  });
  const archiveInfo = await archiveOf(world, crafted);
  if (borrowed.length === 0) return { ...crafted, archiveInfo, frames };
  const lines = borrowed.flatMap(({ from, frames: numbers }, index) =>
    numbers.flatMap((number) => {
      const frame = from.frames[number];
      if (frame === undefined) throw new Error(`there is no frame ${number}`);
      return [{ frame, archive: index + 1 }];
    }),
  );
  // Written once more under the same name, now with what it shares; its own archive has the same bytes but for its salt.
  const shared = await craftSnapshot(world, {
    ...{ time, slug, server: slug, contents: own, id: crafted.id },
    entries: (found) => [
      rootLine,
      ...found.map((frame, index) => fileLine(`own-${index}`, frame)),
      ...lines.map(({ frame, archive }, index) =>
        fileLine(`shared-${index}`, frame, { extents: [[archive, frame.offset, frame.stored, 0, frame.content.length]] }),
      ),
    ],
    more: borrowed.map(({ from }) => from.archiveInfo),
  });
  return { ...shared, archiveInfo: await archiveOf(world, shared), frames };
}

export async function archiveOf({ host, backend, destination }: World, { manifest, archive }: Crafted): Promise<ManifestArchive> {
  const vault = await loadVault(backend, { credentials: destination.credentials });
  const { size } = await backend.stat(manifest);
  const header = await readManifestHeader(host.zstd, backend, vault, { key: manifest, size }, {});
  const found = header.archives.find(({ key }) => key === archive);
  if (found === undefined) throw new Error('a manifest without its own archive');
  return found;
}
