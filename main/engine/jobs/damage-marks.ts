import { z } from 'zod';
import { Fault } from '../../contract/faults.ts';
import type { Damage, Warning } from '../../contract/reports.ts';
import type { EngineHost } from '../host.ts';
import type { Catalog, ServerListing } from '../snapshots/catalog.ts';
import type { ManifestHeader } from '../snapshots/manifest.ts';
import { damagedKey, isSnapshotId, manifestKey } from '../snapshots/names.ts';
import { mostMarkLines, readNotes } from '../snapshots/stored-state.ts';
import { storeSealed } from '../snapshots/sealed-object.ts';
import type { ByteStream, CallOptions } from '../storage/backend.ts';
import { statIfThere } from '../storage/stat-if-there.ts';

/** What makes an archive one that nothing may rest on. A damaged header alone is repaired from the manifest. */
const grave: ReadonlySet<string> = new Set(['corrupt', 'truncated', 'frame', 'zip', 'content']);

/** The keys of a server's marks. */
export function damageMarks({ snapshots }: ServerListing): Set<string> {
  return new Set(snapshots.flatMap(({ objects }) => objects.filter(({ name }) => name.kind === 'damaged').map(({ key }) => key)));
}

/** What one reading of a snapshot has found. */
export interface Found {
  readonly header: ManifestHeader;
  readonly damage: readonly Damage[];
  /** Keys of archives that are not there: nothing was read of them. */
  readonly gone: ReadonlySet<string>;
}

/**
 * Writes down beside each archive that was read whole and found damaged that it is, and takes the mark off one that is whole again. Prune
 * and the next backup go by these marks. `marks` are those of the server, and are kept up. Only the server's owner may write, whoever wrote the
 * snapshot; a destination that may not be written is told of and no failure.
 */
export async function markDamage(
  host: EngineHost,
  catalog: Catalog,
  marks: Set<string>,
  { header, damage, gone }: Found,
  options: CallOptions,
): Promise<readonly Warning[]> {
  try {
    for (const { key } of header.archives) {
      if (gone.has(key)) continue;
      const mark = damagedKey(key);
      const found = damage.filter(({ object, kind }) => object === key && grave.has(kind)).map((one) => noteOf(one, header.id));
      const others = marks.has(mark) ? await contentOfOthers(catalog, mark, header, options) : [];
      const notes = [...others, ...found.filter((note) => !others.some((other) => isSame(note, other)))];
      if (notes.length > 0) {
        await writeMark(host, catalog, mark, notes, options);
        marks.add(mark);
      } else if (marks.delete(mark)) await catalog.backend.remove(mark, options);
    }
    return [];
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'permission-denied') throw error;
    return [{ code: 'mark', message: `the damage could not be marked in the backup place: ${error.message}` }];
  }
}

/** A line of a mark. */
interface Note {
  readonly kind: string;
  readonly message: string;
  readonly range?: readonly [number, number];
  /** Whose file it is: of a finding that the archive alone does not show. */
  readonly snapshot?: string;
}

function noteOf({ kind, message, range }: Damage, snapshot: string): Note {
  return { kind, message, ...(range === undefined ? {} : { range }), ...(kind === 'content' ? { snapshot } : {}) };
}

const isSame = (a: Note, b: Note): boolean => a.message === b.message && JSON.stringify(a.range) === JSON.stringify(b.range);

/**
 * That a file's content is not what its hash says shows only to who reads the snapshot that has the file. So what was found in others stays: reading this one has not
 * refuted it.
 */
async function contentOfOthers(
  catalog: Catalog,
  mark: string,
  { id, slug }: ManifestHeader,
  options: CallOptions,
): Promise<readonly Note[]> {
  try {
    const notes = ((await readNotes(catalog, mark, options)) ?? []).flatMap((note) => {
      const read = noteSchema.safeParse(note);
      return read.success && read.data.snapshot !== id ? [read.data] : [];
    });
    const kept: Note[] = [];
    const there = new Map<string, boolean>();
    for (const note of notes) {
      const isThere = there.get(note.snapshot) ?? (await statIfThere(catalog.backend, manifestKey(slug, note.snapshot), options)) !== null;
      there.set(note.snapshot, isThere);
      // Of one that is gone nobody could ever refute it, and nobody needs to.
      if (isThere) kept.push(note);
    }
    return kept;
  } catch (error) {
    if (error instanceof Fault && error.code === 'not-found') return [];
    throw error;
  }
}

const noteSchema = z.object({
  kind: z.literal('content'),
  message: z.string(),
  range: z.tuple([z.number(), z.number()]),
  snapshot: z.string().refine(isSnapshotId),
});

async function writeMark(
  host: EngineHost,
  { vault, backend }: Catalog,
  key: string,
  notes: readonly Note[],
  options: CallOptions,
): Promise<void> {
  const lines = notes.slice(0, mostMarkLines).map((note) => JSON.stringify(note));
  async function* plain(): ByteStream {
    yield host.zstd.compress(Buffer.from(`${lines.join('\n')}\n`, 'utf8'));
  }
  await storeSealed(host.random, backend, vault, { key, label: 'holdfast/v2/damaged', plain: plain() }, options);
}
