import { Fault } from '../../contract/faults.ts';
import type { DataState } from '../../contract/look-reports.ts';
import { sealedRange } from '../archive/seal.ts';
import type { CallOptions } from '../storage/backend.ts';
import type { Catalog, ServerListing } from './catalog.ts';
import type { Extent } from './manifest-entry.ts';
import type { ManifestArchive } from './manifest.ts';
import { markedKey, readObjectName } from './names.ts';
import { openSealed, type ReadOptions } from './sealed-object.ts';

/** What stands in the way of bringing some data back. */
export interface DataProblem {
  readonly state: Exclude<DataState, 'whole'>;
  readonly message: string;
}

/** Of one manifest's extents: what is wrong with the data that they name; null when nothing is known to be. */
export type StateOf = (extents: readonly Extent[]) => DataProblem | null;

/** A stretch of a stored archive that a verification could not read. */
type Lost = readonly [from: number, to: number];

/** What the listing and the marks of verifications say of a server's archives, without reading one. */
export interface StoredState {
  readonly stateOf: (archives: readonly ManifestArchive[]) => StateOf;
  readonly isMarked: (archiveKey: string) => boolean;
}

const whole: StateOf = () => null;
const maxMarkSize = 2 ** 24;

/** A mark is there to be seen, and for people to read: of an archive that is lost altogether each chunk would be a line. One of so many may be short of some. */
export const mostMarkLines = 1_000;

/** Reads the marks that the listing shows. One that cannot be read speaks of the whole archive. */
export async function storedState(catalog: Catalog, { snapshots }: ServerListing, options: CallOptions): Promise<StoredState> {
  const sizes = new Map<string, number>();
  const lost = new Map<string, readonly Lost[]>();
  for (const { key, size, name } of snapshots.flatMap(({ objects }) => objects)) {
    if (name.kind === 'archive') sizes.set(key, size);
    const marked = markedKey(key);
    // Of a manifest or a classic file it is the mark alone that counts, whatever place it names.
    if (name.kind !== 'damaged' || readObjectName(marked)?.kind !== 'archive') continue;
    lost.set(marked, await readMark(catalog, key, size, options));
  }
  return {
    isMarked: (key) => lost.has(key),
    stateOf: (archives) => {
      const problems = archives.map((archive) => problemsOf(archive, sizes.get(archive.key), lost.get(archive.key)));
      if (problems.every((problem) => problem === null)) return whole;
      return (extents) => {
        for (const extent of extents) {
          const found = problems[extent[0]]?.(extent) ?? null;
          if (found !== null) return found;
        }
        return null;
      };
    },
  };
}

function problemsOf(
  { key, size }: ManifestArchive,
  stored: number | undefined,
  lost: readonly Lost[] | undefined,
): ((extent: Extent) => DataProblem | null) | null {
  if (stored === undefined) return () => ({ state: 'missing', message: `${key} is gone` });
  if (stored !== size) return () => ({ state: 'missing', message: `${key} has ${stored} bytes instead of ${size}` });
  if (lost === undefined || lost.length === 0) return null;
  return ([, offset, length]) => {
    const { range } = sealedRange({ offset, length }, size);
    const hit = lost.some(([from, to]) => from < range.offset + range.length && to > range.offset);
    return hit ? { state: 'damaged', message: `${key} is damaged there, as a verification found` } : null;
  };
}

/** Stretches of the archive, as stored. What a verification could not place may lie anywhere. */
async function readMark(catalog: Catalog, key: string, size: number, options: CallOptions): Promise<readonly Lost[]> {
  const everywhere: Lost = [0, Infinity];
  try {
    const notes = await readNotes(catalog, key, { ...options, size });
    if (notes === null || notes.length === 0 || notes.length >= mostMarkLines) return [everywhere];
    return notes.flatMap((note) => lostBy(note) ?? [everywhere]);
  } catch (error) {
    // Taken off since the listing: the archive is whole again.
    if (error instanceof Fault && error.code === 'not-found') return [];
    throw error;
  }
}

/** The lines of a mark; null where they cannot be read. Fault not-found where it is gone. */
export async function readNotes(catalog: Catalog, key: string, options: ReadOptions): Promise<readonly unknown[] | null> {
  if ((options.size ?? 0) > maxMarkSize) return null;
  try {
    const { plain } = await openSealed(catalog.backend, catalog.vault, 'holdfast/v2/damaged', key, options);
    const pieces: Uint8Array[] = [];
    for await (const piece of catalog.zstd.decompress(plain)) pieces.push(Buffer.from(piece));
    const lines = Buffer.concat(pieces).toString('utf8').split('\n');
    return lines.filter((line) => line !== '').map((line): unknown => JSON.parse(line));
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Fault && isDamage(error))) return null;
    throw error;
  }
}

/** Null: it cannot be told where. Empty: what the archive holds can be read, and only the ZIP around it is not what it should be. */
function lostBy(note: unknown): readonly Lost[] | null {
  if (typeof note !== 'object' || note === null || !('kind' in note)) return null;
  if (note.kind === 'zip') return [];
  const range: unknown = 'range' in note ? note.range : null;
  if (!Array.isArray(range)) return null;
  const [from, length] = range as readonly unknown[];
  if (typeof from !== 'number' || typeof length !== 'number') return null;
  // An object that was cut short has lost all that should come behind.
  return [[from, note.kind === 'truncated' ? Infinity : from + length]];
}

function isDamage({ code }: Fault): boolean {
  return ['corrupt', 'truncated', 'wrong-password', 'wrong-key', 'unsupported'].includes(code);
}
