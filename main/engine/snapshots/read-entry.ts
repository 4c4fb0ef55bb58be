import { Fault } from '../../contract/faults.ts';
import { checkInnerPath, pathFromBytes, pathFromText, rootPath } from '../archive/byte-path.ts';
import type { BytePath } from '../archive/byte-path.ts';
import { pieceHashSize, pieceSizeFor } from './file-pieces.ts';
import type { EntryStamps, Extent, ManifestEntry } from './manifest-entry.ts';

export const maxEntryLine = 64 * 2 ** 20;

const decimal = /^-?\d{1,20}$/;
const hex64 = /^[0-9a-f]{64}$/;
const base64 = /^[A-Za-z0-9+/]+={0,2}$/;
const types: readonly unknown[] = ['file', 'directory', 'symlink'];

type Raw = Readonly<Record<string, unknown>>;

/**
 * Reads one entry's line. Whoever wrote it had the password, and still no path in it is trusted to stay inside the folder. Checked by
 * hand: a snapshot has a line for each file, and worker threads do without a schema library, its time and its memory. `begun`: a part of a file may stand in it,
 * as in a partial. Fault corrupt.
 */
export function parseEntry(line: string, name: string, begun = false): ManifestEntry {
  const refuse = (why: string, cause?: unknown): Fault =>
    new Fault('corrupt', `${name}: an entry of the manifest is not as the format says (${why})`, {
      operation: 'read manifest',
      context: { object: name },
      cause,
    });
  let raw: Raw;
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new TypeError('no object');
    raw = parsed as Raw;
  } catch (cause) {
    throw refuse('no JSON object', cause);
  }
  const text = (field: string, form: RegExp): string => {
    const value = raw[field];
    if (typeof value !== 'string' || !form.test(value)) throw refuse(field);
    return value;
  };
  const count = (field: string, most: number): number => {
    const value = raw[field];
    if (!isCount(value) || value > most) throw refuse(field);
    return value;
  };
  const path = readPath(raw, 'path', refuse);
  if (path === null) throw refuse('no path');
  checkInnerPath(path);
  const target = readPath(raw, 'target', refuse);
  const linkOf = readPath(raw, 'linkOf', refuse);
  if (linkOf !== null) checkInnerPath(linkOf);
  const { type } = raw;
  if (!isType(type)) throw refuse('type');
  const size = count('size', Number.MAX_SAFE_INTEGER);
  const extents = readExtents(raw['extents'], refuse);
  const sha256 = raw['sha256'] === undefined ? null : text('sha256', hex64);
  const pieces = raw['pieces'] === undefined ? null : text('pieces', base64);
  if (type === 'symlink' && (target === null || target === '' || target.includes('\0'))) throw refuse('a link without a target');
  if (type !== 'directory' && path === rootPath) throw refuse('a root that is no folder');
  const from = begun && raw['from'] !== undefined ? count('from', size) : null;
  if (from !== null) {
    if (type !== 'file' || linkOf !== null || sha256 !== null) throw refuse('from');
    if (lengthOf(extents) !== begunLength(size, from, pieces ?? '')) throw refuse('extents that do not add up to the pieces');
  } else if (type === 'file' && linkOf === null) {
    if (sha256 === null) throw refuse('a file without a checksum');
    if (lengthOf(extents) !== size) throw refuse('extents that do not add up to the size');
  }
  return {
    path,
    type,
    mode: count('mode', 0o7777),
    uid: count('uid', 0xffff_ffff),
    gid: count('gid', 0xffff_ffff),
    size,
    mtime: text('mtime', decimal),
    ctime: text('ctime', decimal),
    inode: text('inode', decimal),
    ...(target === null ? {} : { target }),
    ...(linkOf === null ? {} : { linkOf }),
    ...(readMark(raw, 'sparse', refuse) ? { sparse: true } : {}),
    ...(readMark(raw, 'racy', refuse) ? { racy: true } : {}),
    ...(sha256 === null ? {} : { sha256 }),
    ...(pieces === null ? {} : { pieces }),
    ...(from === null ? {} : { from }),
    extents,
  };
}

const lengthOf = (extents: readonly Extent[]): number => extents.reduce((sum, [, , , , length]) => sum + length, 0);

/** How long so many pieces are from there on; null where none of a file of this size can begin or end so. */
function begunLength(size: number, from: number, pieces: string): number | null {
  const pieceSize = pieceSizeFor(size);
  const hashes = Buffer.byteLength(pieces, 'base64');
  if (pieceSize === null || from % pieceSize !== 0 || hashes === 0 || hashes % pieceHashSize !== 0) return null;
  return Math.min((hashes / pieceHashSize) * pieceSize, size - from);
}

type Refuse = (why: string) => Fault;

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isType(value: unknown): value is EntryStamps['type'] {
  return types.includes(value);
}

function readMark(raw: Raw, field: string, refuse: Refuse): boolean {
  const value = raw[field];
  if (value !== undefined && typeof value !== 'boolean') throw refuse(field);
  return value === true;
}

/** As text, or as base64 under the name with `B64` where the bytes are no UTF-8. */
function readPath(raw: Raw, field: string, refuse: Refuse): BytePath | null {
  const text = raw[field];
  const bytes = raw[`${field}B64`];
  if ((text !== undefined && typeof text !== 'string') || (bytes !== undefined && typeof bytes !== 'string')) throw refuse(field);
  if (text !== undefined) return pathFromText(text);
  return bytes === undefined ? null : pathFromBytes(Buffer.from(bytes, 'base64'));
}

function readExtents(value: unknown, refuse: Refuse): readonly Extent[] {
  if (!Array.isArray(value)) throw refuse('extents');
  for (const extent of value as readonly unknown[]) {
    if (!Array.isArray(extent) || extent.length !== 5 || !extent.every(isCount)) throw refuse('extents');
  }
  return value as readonly Extent[];
}
