import { z } from 'zod';
import { Fault } from '../../contract/faults.ts';
import { checkInnerPath, pathFromBytes, pathFromText, rootPath } from '../archive/byte-path.ts';
import type { BytePath } from '../archive/byte-path.ts';
import type { ManifestEntry } from './manifest-entry.ts';

/*
 * The manifest (docs/format.md, "Manifest"): a first line about the snapshot, then one line for each entry, in walk order.
 * The first line stands in a zstd frame of its own, so that a list of snapshots reads little more than that.
 */
const decimal = z.string().regex(/^-?\d{1,20}$/);
const warning = z.object({ code: z.string(), message: z.string(), path: z.string().exactOptional() });

const archiveSchema = z.object({
  /** Key in the destination. */
  key: z.string(),
  size: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** The first 148 bytes, base64: they repair a damaged header and show an object that was swapped. */
  head: z.string(),
  /** Bytes of the ZIP inside. */
  zipSize: z.int().nonnegative(),
  frames: z.int().nonnegative(),
});
export type ManifestArchive = Readonly<z.infer<typeof archiveSchema>>;

const firstLineSchema = z.object({
  holdfast: z.literal('manifest'),
  version: z.literal(1),
  id: z.string(),
  server: z.string(),
  slug: z.string(),
  machine: z.string(),
  host: z.string(),
  /** ISO 8601, UTC. */
  time: z.iso.datetime(),
  root: z.string(),
  preset: z.string().nullable(),
  excludes: z.array(z.string()),
  hooks: z.array(z.unknown()),
  warnings: z.array(warning),
  totals: z.object({
    entries: z.int().nonnegative(),
    files: z.int().nonnegative(),
    directories: z.int().nonnegative(),
    symlinks: z.int().nonnegative(),
    bytes: z.int().nonnegative(),
  }),
  archives: z.array(archiveSchema),
});
export type ManifestHeader = Readonly<z.infer<typeof firstLineSchema>>;

export const maxFirstLine = 16 * 2 ** 20;
export const maxEntryLine = 64 * 2 ** 20;

export function parseManifestHeader(line: string, name: string): ManifestHeader {
  const result = firstLineSchema.safeParse(parseJson(line, name));
  if (result.success) return result.data;
  const where = result.error.issues[0]?.path.join('.') ?? '';
  throw new Fault('corrupt', `${name}: the manifest's first line is not as the format says (${where})`, {
    operation: 'read manifest',
    context: { object: name },
    cause: result.error,
  });
}

const stampsSchema = z.object({
  type: z.enum(['file', 'directory', 'symlink']),
  mode: z.int().min(0).max(0o7777),
  uid: z.int().min(0).max(0xffff_ffff),
  gid: z.int().min(0).max(0xffff_ffff),
  size: z.int().nonnegative(),
  mtime: decimal,
  ctime: decimal,
  inode: decimal,
});
const place = z.int().nonnegative();
const entrySchema = stampsSchema.extend({
  path: z.string().optional(),
  pathB64: z.string().optional(),
  target: z.string().optional(),
  targetB64: z.string().optional(),
  linkOf: z.string().optional(),
  linkOfB64: z.string().optional(),
  sparse: z.boolean().optional(),
  racy: z.boolean().optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  extents: z.array(z.tuple([place, place, place, place, place])),
});

/** Reads one entry's line. Whoever wrote it had the password, and still no path in it is trusted to stay inside the folder. */
export function parseEntry(line: string, name: string): ManifestEntry {
  const result = entrySchema.safeParse(parseJson(line, name));
  const refuse = (why: string, cause?: unknown): Fault =>
    new Fault('corrupt', `${name}: an entry of the manifest is not as the format says (${why})`, {
      operation: 'read manifest',
      context: { object: name },
      cause,
    });
  if (!result.success) throw refuse(result.error.issues[0]?.path.join('.') ?? '', result.error);
  const raw = result.data;
  const path = readPath(raw.path, raw.pathB64);
  if (path === null) throw refuse('no path');
  checkInnerPath(path);
  const target = readPath(raw.target, raw.targetB64);
  const linkOf = readPath(raw.linkOf, raw.linkOfB64);
  if (linkOf !== null) checkInnerPath(linkOf);
  if (raw.type === 'symlink' && (target === null || target === '' || target.includes('\0'))) throw refuse('a link without a target');
  if (raw.type !== 'directory' && path === rootPath) throw refuse('a root that is no folder');
  if (raw.type === 'file' && linkOf === null) {
    if (raw.sha256 === undefined) throw refuse('a file without a checksum');
    if (raw.extents.reduce((sum, extent) => sum + extent[4], 0) !== raw.size) throw refuse('extents that do not add up to the size');
  }
  return {
    path,
    type: raw.type,
    mode: raw.mode,
    uid: raw.uid,
    gid: raw.gid,
    size: raw.size,
    mtime: raw.mtime,
    ctime: raw.ctime,
    inode: raw.inode,
    ...(target === null ? {} : { target }),
    ...(linkOf === null ? {} : { linkOf }),
    ...(raw.sparse === true ? { sparse: true } : {}),
    ...(raw.racy === true ? { racy: true } : {}),
    ...(raw.sha256 === undefined ? {} : { sha256: raw.sha256 }),
    extents: raw.extents,
  };
}

function readPath(text: string | undefined, base64: string | undefined): BytePath | null {
  if (text !== undefined) return pathFromText(text);
  return base64 === undefined ? null : pathFromBytes(Buffer.from(base64, 'base64'));
}

function parseJson(line: string, name: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Fault('corrupt', `${name}: a line of the manifest is no JSON`, {
      operation: 'read manifest',
      context: { object: name },
      cause,
    });
  }
}
