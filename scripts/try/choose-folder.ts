import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface TreeSize {
  readonly files: number;
  /** Of regular files, each name of a hard link counted once. */
  readonly bytes: number;
}

const mostBytes = 300e6;
/** A stripped-down system has next to no documents; smaller than this shows nothing. */
const leastBytes = 20e6;

/** A real folder of the system's documents: the first of these that fits, else the largest folder beside them that does. */
export function chooseFolder(share = '/usr/share'): { readonly folder: string; readonly size: TreeSize } {
  const first = [join(share, 'doc'), join(share, 'man')];
  const rest = listFolders(share).filter((folder) => !first.includes(folder));
  let best: { folder: string; size: TreeSize } | null = null;
  for (const folder of [...first, ...rest]) {
    const size = measure(folder, mostBytes);
    if (size === null) continue;
    if (first.includes(folder) && size.bytes >= leastBytes) return { folder, size };
    if (best === null || size.bytes > best.size.bytes) best = { folder, size };
  }
  if (best === null || best.size.files === 0) throw new Error(`There are no documents in ${share}; name a folder: npm run try -- FOLDER`);
  return best;
}

/** Null once the folder turns out to hold more than `limit` bytes, or where it is none. */
export function measure(folder: string, limit = Number.POSITIVE_INFINITY): TreeSize | null {
  let files = 0;
  let bytes = 0;
  const seen = new Set<string>();
  const waiting: Buffer[] = [Buffer.from(folder)];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const entry of read(at)) {
      const path = Buffer.concat([at, Buffer.from('/'), entry.name]);
      if (entry.isDirectory()) waiting.push(path);
      if (!entry.isFile()) continue;
      const stat = lstatSync(path, { throwIfNoEntry: false });
      if (stat === undefined) continue;
      const inode = `${String(stat.dev)}:${String(stat.ino)}`;
      files += 1;
      if (stat.nlink > 1 && seen.has(inode)) continue;
      seen.add(inode);
      bytes += stat.size;
      if (bytes > limit) return null;
    }
  }
  return { files, bytes };
}

/** A folder that may not be read counts as empty here; the backup says what it could not read. */
function read(folder: Buffer): ReturnType<typeof readEntries> {
  try {
    return readEntries(folder);
  } catch {
    return [];
  }
}

function readEntries(folder: Buffer) {
  return readdirSync(folder, { withFileTypes: true, encoding: 'buffer' });
}

function listFolders(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}
