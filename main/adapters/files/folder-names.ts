import { opendirSync } from 'node:fs';
import type { BigIntStats, Dirent } from 'node:fs';
import { RunsFile, SortedRuns } from './sorted-runs.ts';

export type WalkedKind = 'file' | 'directory' | 'symlink' | 'other';

export interface FolderName {
  /** Each byte one code unit. */
  readonly name: string;
  readonly kind: WalkedKind;
}

/** The names in a folder, read to its end. */
export interface FolderNames {
  /** In byte order. Once. */
  inOrder(): Iterable<FolderName>;
  /** To be called when no more are wanted, and only when those that were read later have been. */
  release(): void;
}

const kinds = ['file', 'directory', 'symlink', 'other'] as const;
type NamesByKind = Readonly<Record<WalkedKind, string[]>>;

/** Entries that one call of the system brings. */
const atOnce = 1024;
/** What V8 takes for a name beside its bytes, about. */
const nameCost = 40;
/** Some hundred and fifty thousand names. */
const mostInMemory = 8 * 2 ** 20;

/**
 * Reads folders for a walk, which goes in byte order and so needs all names of a folder before the first, and those of all folders around it. What does not fit
 * into `limit` bytes for all of them together lies sorted on the disk.
 */
export class FolderReader {
  readonly #disk = new RunsFile();
  readonly #limit: number;
  #held = 0;

  constructor(limit = mostInMemory) {
    this.#limit = limit;
  }

  /** Throws as the system says, also where the folder cannot be read to its end; faults as spoolFault. */
  read(folder: string | Buffer): FolderNames {
    const runs = new SortedRuns(this.#disk);
    let names = none();
    let size = 0;
    const spill = (): void => {
      runs.add(runOf(names));
      names = none();
      size = 0;
    };
    const open = opendirSync(folder, { encoding: 'latin1', bufferSize: atOnce });
    try {
      for (let entry = open.readSync(); entry !== null; entry = open.readSync()) {
        // Names are kept and nothing else, and those of a kind together: a million of readdir's entries took 150 MB.
        names[kindOf(entry)].push(entry.name);
        size += entry.name.length + nameCost;
        if (size > this.#limit) spill();
      }
      if (!runs.isEmpty || this.#held + size > this.#limit) spill();
    } catch (error) {
      runs.release();
      throw error;
    } finally {
      open.closeSync();
    }
    this.#held += size;
    return {
      inOrder: () => (runs.isEmpty ? sorted(names) : fromRuns(runs)),
      release: () => {
        this.#held -= size;
        runs.release();
      },
    };
  }

  close(): void {
    this.#disk.close();
  }
}

const none = (): NamesByKind => ({ file: [], directory: [], symlink: [], other: [] });

function* sorted(names: NamesByKind): Generator<FolderName> {
  // Code units are bytes, so this is the order of bytes.
  for (const kind of kinds) names[kind].sort();
  const at: Record<WalkedKind, number> = { file: 0, directory: 0, symlink: 0, other: 0 };
  for (;;) {
    let first: FolderName | null = null;
    for (const kind of kinds) {
      const name = names[kind][at[kind]];
      if (name !== undefined && (first === null || name < first.name)) first = { name, kind };
    }
    if (first === null) return;
    at[first.kind] += 1;
    yield first;
  }
}

/** The kind stands behind the name and a zero, which no name has and before which nothing comes: so the order is that of the names. */
function* runOf(names: NamesByKind): Generator<string> {
  for (const { name, kind } of sorted(names)) yield `${name}\0${String(kinds.indexOf(kind))}`;
}

function* fromRuns(runs: SortedRuns): Generator<FolderName> {
  for (const text of runs.inOrder()) yield { name: text.slice(0, -2), kind: kinds[Number(text.at(-1))] ?? 'other' };
}

/** Some file systems do not say in a listing what an entry is: all is false then, and it is `other` until it has been looked at. */
export function kindOf(entry: Dirent | BigIntStats): WalkedKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'symlink' : 'other';
}
