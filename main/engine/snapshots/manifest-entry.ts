import { pathBytes, pathText } from '../archive/byte-path.ts';
import type { BytePath } from '../archive/byte-path.ts';

/*
 * An entry of the manifest, and how its line is written. Apart from the reading (manifest.ts), whose schema library would cost each
 * of the packing threads several megabytes.
 */

/** [archive index, frame's byte offset in the zstd stream, frame's byte length, offset in the frame's content, length] */
export type Extent = readonly [number, number, number, number, number];

/** What a file system says of an entry, and what a later run compares. Times in nanoseconds since 1970. */
export interface EntryStamps {
  readonly type: 'file' | 'directory' | 'symlink';
  /** Permission bits, 07777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: string;
  readonly ctime: string;
  readonly inode: string;
}

export interface ManifestEntry extends EntryStamps {
  readonly path: BytePath;
  /** Of a symbolic link. */
  readonly target?: BytePath;
  /** The first name of the same inode; such an entry has no extents of its own. */
  readonly linkOf?: BytePath;
  readonly sparse?: true;
  /** Read too soon after a change to be trusted as unchanged later. */
  readonly racy?: true;
  /** Of the content, lower-case hex; files only. */
  readonly sha256?: string;
  /** Of the content of a large file: the hashes of its pieces, in base64 (file-pieces.ts). */
  readonly pieces?: string;
  /**
   * Never in a manifest: the entry is of a part of a large file whose reading was cut off. `pieces` and `extents` are those of whole pieces from here on; `size` is the
   * file's, and there is no `sha256`.
   */
  readonly from?: number;
  readonly extents: readonly Extent[];
}

function pathField(name: string, path: BytePath): string {
  const text = pathText(path);
  return text === null ? `"${name}B64":"${pathBytes(path).toString('base64')}"` : `"${name}":${JSON.stringify(text)}`;
}

/** An entry's line without its extents and without the closing brace: they are known only once the frames have been compressed. */
export function entryLineStart(entry: Omit<ManifestEntry, 'extents'>): string {
  let line =
    `{${pathField('path', entry.path)},"type":"${entry.type}","mode":${entry.mode},"uid":${entry.uid},"gid":${entry.gid}` +
    `,"size":${entry.size},"mtime":"${entry.mtime}","ctime":"${entry.ctime}","inode":"${entry.inode}"`;
  if (entry.target !== undefined) line += `,${pathField('target', entry.target)}`;
  if (entry.linkOf !== undefined) line += `,${pathField('linkOf', entry.linkOf)}`;
  if (entry.sparse) line += ',"sparse":true';
  if (entry.racy) line += ',"racy":true';
  if (entry.sha256 !== undefined) line += `,"sha256":"${entry.sha256}"`;
  if (entry.from !== undefined) line += `,"from":${entry.from}`;
  if (entry.pieces !== undefined) line += `,"pieces":"${entry.pieces}"`;
  return line;
}

export function entryLineEnd(extents: readonly Extent[]): string {
  return `,"extents":[${extents.map((extent) => `[${extent.join(',')}]`).join(',')}]}\n`;
}
