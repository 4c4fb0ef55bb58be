import { closeSync, fchmodSync, fchownSync, writeSync } from 'node:fs';
import { crc32, inflateRawSync } from 'node:zlib';
import { Fault } from '../../../contract/faults.ts';
import { asBytePath, checkInnerPath, pathFromBytes, rootPath, showPath } from '../../../engine/archive/byte-path.ts';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { compileIncludes } from '../../../engine/archive/exclude.ts';
import { isRestoresOwn } from '../../../engine/archive/own-files.ts';
import { modeSymlink, modeType } from '../../../engine/archive/zip.ts';
import { finishFolders, type FinishedFolder } from '../../files/finish-folders.ts';
import { StagedTree } from '../../files/staged-tree.ts';
import type { Attributes } from '../../files/staged-tree.ts';
import { Monitor } from '../monitor.ts';
import { threadTask } from '../thread-task.ts';
import { DiskNeeds } from './disk-needs.ts';
import { readZipBytes, zipEntries } from './zip-file.ts';
import type { ZipFileEntry } from './zip-file.ts';

export interface UnzipTask {
  readonly control: SharedArrayBuffer;
  readonly handle: number;
  readonly size: number;
  readonly include: readonly string[];
  /** `count`: what would be written, by the directory alone; `check`: read every entry and compare its CRC; else write into a folder. */
  readonly purpose: 'count' | 'check' | { readonly staging: string };
  readonly owner: boolean;
}

const pieceSize = 2 ** 20;
/** A deflated entry is expanded in memory: classic files of other programs hold such entries, ours do not. */
const maxInflated = 2 ** 30;
const escaped = '.holdfast/files/';

/** Builds the tree of a ZIP file. Links come last, so that there is never one to write through: the directory is gone through once more for them, and for folders' attributes. */
export const task = threadTask('unzip', (task: UnzipTask, tell) => {
  const monitor = new Monitor(new Int32Array(task.control));
  const selection = compileIncludes(task.include);
  const includes = (path: BytePath, isDirectory: boolean): boolean => !isRestoresOwn(path) && selection.includes(path, isDirectory);
  const tree = typeof task.purpose === 'string' ? null : new StagedTree(task.purpose.staging, task.owner);
  const disk = new DiskNeeds();
  let links = 0;
  let folders = 0;
  let files = 0;
  let bytes = 0;

  for (const { path, kind, entry } of selected()) {
    if (kind === 'folder') {
      tree?.makeFolder(path);
      folders += 1;
      disk.addLinkOrFolder();
    } else if (kind === 'link') {
      targetOf(path, entry);
      links += 1;
      disk.addLinkOrFolder();
    } else {
      files += 1;
      bytes += entry.size;
      disk.addFile(entry.size);
      if (tree !== null) writeFile(tree, path, attributes(entry, false), entry);
      else if (task.purpose === 'check') readThrough(entry, path);
    }
  }
  if (tree !== null) {
    for (const { path, kind, entry } of selected()) {
      if (kind === 'link') tree.makeSymlink(path, targetOf(path, entry), attributes(entry, false));
    }
    finishFolders(tree, selectedFolders());
    tree.close();
  }
  if (monitor.stopped) return;
  tell({ kind: 'unzipped', files, bytes, links, folders, diskBytes: disk.bytes, diskEntries: disk.entries });

  /** What is wanted of it, in its order, until the job is stopped. */
  function* selected(): Generator<{ path: BytePath; kind: 'folder' | 'link' | 'file'; entry: ZipFileEntry }> {
    for (const entry of zipEntries(task.handle, task.size)) {
      if (monitor.stopped) return;
      const isDirectory = entry.name.endsWith('/');
      const path = innerPath(entry.name);
      if (path === rootPath || !includes(path, isDirectory)) continue;
      const kind = isDirectory ? 'folder' : (entry.mode & modeType) === modeSymlink ? 'link' : 'file';
      yield { path, kind, entry };
    }
  }

  function* selectedFolders(): Generator<FinishedFolder> {
    for (const { path, kind, entry } of selected()) if (kind === 'folder') yield { path, ...attributes(entry, true) };
  }

  function targetOf(path: BytePath, entry: ZipFileEntry): BytePath {
    if (entry.size > 65_536) throw corrupt(path, 'is a link with an impossible target');
    const target = pathFromBytes(Buffer.concat([...contentOf(task.handle, entry, path)]));
    if (target.length === 0 || target.includes('\0')) throw corrupt(path, 'is a link with an impossible target');
    return target;
  }

  /** contentOf() compares size and CRC when it comes to the end. */
  function readThrough(entry: ZipFileEntry, path: BytePath): void {
    const pieces = contentOf(task.handle, entry, path);
    while (pieces.next().done !== true) if (monitor.stopped) return;
  }

  function writeFile(into: StagedTree, path: BytePath, rest: Attributes, entry: ZipFileEntry): void {
    const handle = into.createFile(path);
    try {
      for (const piece of contentOf(task.handle, entry, path)) {
        for (let done = 0; done < piece.length;) done += writeSync(handle, piece, done);
      }
      into.finishFile(handle, path, rest, { chown: fchownSync, chmod: fchmodSync });
    } finally {
      closeSync(handle);
    }
  }
});

/** The path of an entry, with our own escape undone. */
function innerPath(name: BytePath): BytePath {
  const plain = name.endsWith('/') ? name.slice(0, -1) : name;
  const path = asBytePath(plain.startsWith(escaped) ? plain.slice(escaped.length) : plain);
  checkInnerPath(path);
  return path;
}

function attributes(entry: ZipFileEntry, isDirectory: boolean): Attributes {
  const mode = entry.mode === 0 ? (isDirectory ? 0o755 : 0o644) : entry.mode & 0o7777;
  return {
    mode,
    uid: entry.owner?.uid ?? process.getuid?.() ?? 0,
    gid: entry.owner?.gid ?? process.getgid?.() ?? 0,
    mtimeNs: entry.mtimeNs,
  };
}

function* contentOf(handle: number, entry: ZipFileEntry, path: BytePath): Generator<Buffer> {
  if ((entry.flags & 1) !== 0) throw new Fault('unsupported', `${showPath(path)} is encrypted inside the ZIP`, { operation: 'read ZIP' });
  const local = readZipBytes(handle, entry.offset, 30);
  if (local.readUInt32LE(0) !== 0x0403_4b50) throw corrupt(path, 'is not where the ZIP says');
  const start = entry.offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  let crc = 0;
  let size = 0;
  for (const piece of entry.method === 0 ? stored(handle, start, entry) : inflated(handle, start, entry, path)) {
    crc = crc32(piece, crc);
    size += piece.length;
    yield piece;
  }
  if (crc !== entry.crc || size !== entry.size) throw corrupt(path, 'has another CRC or size than the ZIP says');
}

function* stored(handle: number, start: number, entry: ZipFileEntry): Generator<Buffer> {
  for (let at = 0; at < entry.packed; at += pieceSize) yield readZipBytes(handle, start + at, Math.min(pieceSize, entry.packed - at));
}

function* inflated(handle: number, start: number, entry: ZipFileEntry, path: BytePath): Generator<Buffer> {
  if (entry.method !== 8)
    throw new Fault('unsupported', `${showPath(path)} is compressed by method ${entry.method}`, { operation: 'read ZIP' });
  if (entry.packed > maxInflated || entry.size > maxInflated) {
    throw new Fault('unsupported', `${showPath(path)} is deflated and larger than 1 GiB`, { operation: 'read ZIP' });
  }
  try {
    yield inflateRawSync(readZipBytes(handle, start, entry.packed), { maxOutputLength: Math.max(1, entry.size) });
  } catch (cause) {
    throw new Fault('corrupt', `${showPath(path)} cannot be inflated`, { operation: 'read ZIP', cause });
  }
}

function corrupt(path: BytePath, why: string): Fault {
  return new Fault('corrupt', `${showPath(path)} ${why}`, { operation: 'read ZIP', context: { path: showPath(path) } });
}
