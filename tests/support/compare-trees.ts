import { createHash } from 'node:crypto';
import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';

/** One entry as a person with lstat would describe it. */
export interface SeenEntry {
  readonly type: 'file' | 'folder' | 'link' | 'special';
  readonly mode: string;
  readonly owner: string;
  readonly mtimeNs: string;
  readonly size: string;
  /** Of a file: SHA-256. Of a link: where it points, one character for each byte. */
  readonly content: string;
  /** All names of the same inode inside the tree, where there are several. */
  readonly names: string;
  /** It takes far less disk than its length. */
  readonly holes: boolean;
}

export interface Compared {
  readonly owners: boolean;
}

/** Everything in a folder, itself included as `.`, by its path in latin1: knows nothing of how a backup works. */
export function seeTree(root: string, { owners }: Compared): Map<string, SeenEntry> {
  const entries = new Map<string, SeenEntry>();
  const inodes = new Map<string, string[]>();
  const where = new Map<string, string>();

  function see(path: string, file: Buffer): void {
    const stat = lstatSync(file, { bigint: true });
    const type = stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'special';
    if (type === 'file' && stat.nlink > 1n) {
      const inode = `${stat.dev}:${stat.ino}`;
      inodes.set(inode, [...(inodes.get(inode) ?? []), path]);
      where.set(path, inode);
    }
    entries.set(path, {
      type,
      mode: (stat.mode & 0o7777n).toString(8),
      owner: owners ? `${stat.uid}:${stat.gid}` : '',
      mtimeNs: stat.mtimeNs.toString(),
      size: type === 'file' ? stat.size.toString() : '',
      content: type === 'file' ? sha256Of(file) : type === 'link' ? readlinkSync(file, { encoding: 'buffer' }).toString('latin1') : '',
      names: '',
      holes: type === 'file' && stat.blocks * 512n < stat.size / 2n,
    });
    if (type !== 'folder') return;
    const handle = openSync(file, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const inside = `/proc/self/fd/${handle}/`;
      for (const name of readdirSync(inside, { encoding: 'latin1' })) {
        see(path === '.' ? name : `${path}/${name}`, Buffer.from(inside + name, 'latin1'));
      }
    } finally {
      closeSync(handle);
    }
  }

  see('.', Buffer.from(`${root}/.`));
  for (const [path, inode] of where) {
    const names = inodes.get(inode) ?? [];
    const entry = entries.get(path);
    if (entry !== undefined && names.length > 1) entries.set(path, { ...entry, names: names.sort().join(' = ') });
  }
  return entries;
}

function sha256Of(file: Buffer): string {
  const handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  const sum = createHash('sha256');
  const piece = Buffer.allocUnsafe(2 ** 20);
  try {
    for (let length = -1; length !== 0;) {
      length = readSync(handle, piece, 0, piece.length, null);
      sum.update(piece.subarray(0, length));
    }
  } finally {
    closeSync(handle);
  }
  return sum.digest('hex');
}

/** In what two trees differ, one line each; special files (no backup keeps those) are left out of the first. */
export function differences(
  wanted: ReadonlyMap<string, SeenEntry>,
  got: ReadonlyMap<string, SeenEntry>,
  options: { readonly ignore?: readonly (keyof SeenEntry)[]; readonly leaveOut?: (path: string) => boolean } = {},
): readonly string[] {
  const lines: string[] = [];
  const leaveOut = options.leaveOut ?? ((): boolean => false);
  const shown = (path: string): string => JSON.stringify(path.length > 120 ? `${path.slice(0, 60)}…${path.slice(-40)}` : path);
  for (const [path, entry] of wanted) {
    if (entry.type === 'special' || leaveOut(path)) continue;
    const other = got.get(path);
    if (other === undefined) {
      lines.push(`${shown(path)} is missing`);
      continue;
    }
    for (const key of Object.keys(entry) as (keyof SeenEntry)[]) {
      if (options.ignore?.includes(key) === true) continue;
      if (entry[key] !== other[key]) lines.push(`${shown(path)}: ${key} is ${other[key]}, not ${entry[key]}`);
    }
  }
  for (const path of got.keys()) if (!wanted.has(path) && !leaveOut(path)) lines.push(`${shown(path)} was not in the source`);
  return lines;
}
