import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { Fault } from '../../contract/faults.ts';
import { asBytePath, isAscii, joinPath, rootPath } from '../../engine/archive/byte-path.ts';
import type { BytePath } from '../../engine/archive/byte-path.ts';
import { FolderReader, kindOf, type FolderName, type FolderNames, type WalkedKind } from './folder-names.ts';

export interface WalkedEntry {
  readonly path: BytePath;
  readonly kind: WalkedKind;
  /** Null for a file unless it was asked for: who opens the file learns more from the open file. */
  readonly stat: BigIntStats | null;
  /** What to open it by: inside a folder that is held open, so that no folder can be swapped for a link on the way. */
  readonly file: string | Buffer;
}

export interface WalkOptions {
  readonly root: string;
  /** Look at files too, not only at folders and links. */
  readonly statFiles: boolean;
  /** Left out, and not descended into when a folder. */
  readonly excluded: (path: BytePath, isDirectory: boolean) => boolean;
  /** Something could not be looked at; the walk goes on. */
  readonly onError: (path: BytePath, error: unknown) => void;
}

// Linux resolves /proc/self/fd/N/name inside the open folder N: what openat(2) does, which Node does not offer.
const heldFolders = process.platform === 'linux';

/**
 * Every entry below `root`, the root itself first, depth first, names in byte order, folders before what is in them. Links are
 * never followed. Synchronous on purpose: one call at a time from a worker is many times quicker than promises. Throws what the system says of the root, and
 * faults as spoolFault where a folder has more names than memory shall hold and the disk does not take them.
 */
export function* walk(options: WalkOptions): Generator<WalkedEntry> {
  const root = openFolder(options.root);
  const reader = new FolderReader();
  try {
    const file = heldFolders ? `/proc/self/fd/${root}/.` : options.root;
    yield { path: rootPath, kind: 'directory', stat: lstatSync(file, { bigint: true }), file };
    yield* walkFolder({ ...options, reader }, rootPath, root, Buffer.from(options.root, 'utf8'));
  } finally {
    reader.close();
    closeSync(root);
  }
}

interface Walk extends WalkOptions {
  readonly reader: FolderReader;
}

function* walkFolder(options: Walk, folder: BytePath, handle: number, location: string | Buffer): Generator<WalkedEntry> {
  const base = heldFolders ? `/proc/self/fd/${handle}/` : `${Buffer.from(location).toString('latin1')}/`;
  let names: FolderNames;
  try {
    names = options.reader.read(heldFolders ? base : location);
  } catch (error) {
    // Of the temporary file and not of the folder, which would count as unreadable.
    if (error instanceof Fault) throw error;
    options.onError(folder, error);
    return;
  }
  try {
    for (const found of names.inOrder()) {
      const entry = look(options, folder, base, found);
      if (entry === null) continue;
      yield entry;
      if (entry.kind !== 'directory') continue;
      let child: number;
      try {
        child = openFolder(entry.file);
      } catch (error) {
        options.onError(entry.path, error);
        continue;
      }
      try {
        yield* walkFolder(options, entry.path, child, entry.file);
      } finally {
        closeSync(child);
      }
    }
  } finally {
    names.release();
  }
}

/** Null for what is left out, and for what cannot be looked at, which is told. */
function look(options: WalkOptions, folder: BytePath, base: string, { name, kind: listed }: FolderName): WalkedEntry | null {
  const path = joinPath(folder, asBytePath(name));
  const file = isAscii(name) && isAscii(base) ? base + name : Buffer.from(base + name, 'latin1');
  let kind = listed;
  let stat: BigIntStats | null = null;
  if (kind !== 'file' || options.statFiles) {
    try {
      stat = lstatSync(file, { bigint: true });
    } catch (error) {
      options.onError(path, error);
      return null;
    }
    kind = kindOf(stat);
  }
  return options.excluded(path, kind === 'directory') ? null : { path, kind, stat, file };
}

function openFolder(path: string | Buffer): number {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}
