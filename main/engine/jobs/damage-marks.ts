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
import type { HowRead } from './verified.ts';

/** What makes an archive one that nothing may rest on. A damaged header alone is repaired from the manifest. */
const grave: ReadonlySet<string> = new Set(['corrupt', 'truncated', 'frame', 'zip', 'content']);

/** What makes a manifest or a classic file one that cannot be counted on. A checksum file belongs to its classic file: no restore goes past one that disagrees. */
const graveAlone: Readonly<Record<FoundAlone['kind'], ReadonlySet<string>>> = {
  manifest: new Set(['corrupt', 'truncated']),
  classic: new Set(['corrupt', 'truncated', 'checksum', 'zip']),
};

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
  return await told(async () => {
    for (const { key } of header.archives) {
      if (gone.has(key)) continue;
      const mark = damagedKey(key);
      const found = damage.filter(({ object, kind }) => object === key && grave.has(kind)).map((one) => noteOf(one, header.id));
      const others = marks.has(mark) ? await contentOfOthers(catalog, mark, header, options) : [];
      const notes = [...others, ...found.filter((note) => !others.some((other) => isSame(note, other)))];
      await putMark(host, catalog, marks, { mark, notes }, options);
    }
  });
}

/** What one reading of a manifest or a classic file has found. */
export interface FoundAlone {
  readonly key: string;
  readonly kind: 'manifest' | 'classic';
  readonly damage: readonly Damage[];
  readonly read: HowRead;
}

/** The same beside a manifest or a classic file: one that is damaged makes its snapshot one that does not count (docs/decisions/0083). */
export async function markAlone(
  host: EngineHost,
  catalog: Catalog,
  marks: Set<string>,
  { key, kind, damage, read }: FoundAlone,
  options: CallOptions,
): Promise<readonly Warning[]> {
  return await told(async () => {
    const mark = damagedKey(key);
    const ofIt = damage.filter((one) => one.object.startsWith(key) && graveAlone[kind].has(one.kind));
    const found = ofIt.map((one) => noteOf(one, one.snapshot));
    if (found.length === 0 && (read === 'nothing' || !marks.has(mark))) return;
    const inside = read === 'whole' ? [] : await notesOf(catalog, mark, insideSchema, options);
    await putMark(host, catalog, marks, { mark, notes: found.length > 0 ? found : inside }, options);
  });
}

/** A destination that may not be written is no failure. */
async function told(act: () => Promise<void>): Promise<readonly Warning[]> {
  try {
    await act();
    return [];
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'permission-denied') throw error;
    return [{ code: 'mark', message: `the damage could not be marked in the backup place: ${error.message}` }];
  }
}

async function putMark(
  host: EngineHost,
  catalog: Catalog,
  marks: Set<string>,
  { mark, notes }: { readonly mark: string; readonly notes: readonly Note[] },
  options: CallOptions,
): Promise<void> {
  if (notes.length > 0) {
    await writeMark(host, catalog, mark, notes, options);
    marks.add(mark);
  } else if (marks.delete(mark)) await catalog.backend.remove(mark, options);
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
  const notes = (await notesOf(catalog, mark, noteSchema, options)).filter(({ snapshot }) => snapshot !== id);
  const kept: Note[] = [];
  const there = new Map<string, boolean>();
  for (const note of notes) {
    const isThere = there.get(note.snapshot) ?? (await statIfThere(catalog.backend, manifestKey(slug, note.snapshot), options)) !== null;
    there.set(note.snapshot, isThere);
    // Of one that is gone nobody could ever refute it, and nobody needs to.
    if (isThere) kept.push(note);
  }
  return kept;
}

/** The lines of a mark that are as the schema says; none where it is gone or cannot be read. */
async function notesOf<One>(catalog: Catalog, mark: string, schema: z.ZodType<One>, options: CallOptions): Promise<readonly One[]> {
  try {
    return ((await readNotes(catalog, mark, options)) ?? []).flatMap((note) => {
      const read = schema.safeParse(note);
      return read.success ? [read.data] : [];
    });
  } catch (error) {
    if (error instanceof Fault && error.code === 'not-found') return [];
    throw error;
  }
}

/** What only who opens a classic file can see, and so refute. */
const insideSchema = z.object({ kind: z.literal('zip'), message: z.string() });

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
