import { opendirSync } from 'node:fs';
import type { BigIntStats, Dirent } from 'node:fs';

export type WalkedKind = 'file' | 'directory' | 'symlink' | 'other';

const kinds = ['file', 'directory', 'symlink', 'other'] as const;
/** Entries that one call of the system brings. */
const atOnce = 1024;

/** The names in a folder, by what they are. */
export type FolderNames = Readonly<Record<WalkedKind, readonly string[]>>;

/**
 * Reads a folder, each byte of a name one code unit. Names are kept and nothing else, and those of a kind together: a folder may have a million, for which
 * readdir's entries took 150 MB. Throws as the system says, also where the folder cannot be read to its end.
 */
export function readNames(folder: string | Buffer): FolderNames {
  const names: Record<WalkedKind, string[]> = { file: [], directory: [], symlink: [], other: [] };
  const open = opendirSync(folder, { encoding: 'latin1', bufferSize: atOnce });
  try {
    for (let entry = open.readSync(); entry !== null; entry = open.readSync()) names[kindOf(entry)].push(entry.name);
  } finally {
    open.closeSync();
  }
  // Code units are bytes, so this is the order of bytes.
  for (const kind of kinds) names[kind].sort();
  return names;
}

/** All names in byte order, each with its kind. */
export function* inByteOrder(names: FolderNames): Generator<{ readonly name: string; readonly kind: WalkedKind }> {
  const at: Record<WalkedKind, number> = { file: 0, directory: 0, symlink: 0, other: 0 };
  for (;;) {
    let first: { readonly name: string; readonly kind: WalkedKind } | null = null;
    for (const kind of kinds) {
      const name = names[kind][at[kind]];
      if (name !== undefined && (first === null || name < first.name)) first = { name, kind };
    }
    if (first === null) return;
    at[first.kind] += 1;
    yield first;
  }
}

/** Some file systems do not say in a listing what an entry is: all is false then, and it is `other` until it has been looked at. */
export function kindOf(entry: Dirent | BigIntStats): WalkedKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'symlink' : 'other';
}
