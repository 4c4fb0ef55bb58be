import { createHash } from 'node:crypto';
import { nativeZstd } from '../../main/adapters/compute/zstd.ts';
import { messageContext, seal } from '../../main/engine/archive/seal.ts';
import type { Label } from '../../main/engine/archive/seal.ts';
import { newSnapshotId } from '../../main/engine/snapshots/names.ts';
import { loadVault } from '../../main/engine/snapshots/vault-store.ts';
import { put } from './engine-on-memory.ts';
import type { World } from './engine-on-memory.ts';

/** Where a frame lies in the zstd stream of the archive. */
export interface FramePlace {
  readonly offset: number;
  readonly stored: number;
  readonly content: Buffer;
}

export interface Craft {
  readonly server?: string;
  readonly slug?: string;
  readonly id?: string;
  readonly machine?: string;
  /** Milliseconds since 1970. */
  readonly time?: number;
  /** Content of the frames, or frames as they are to stand in the stream. */
  readonly contents?: readonly (Buffer | string)[];
  readonly frames?: readonly Buffer[];
  /** Behind the frames: a seek table. Without one the ZIP as such is not checked. */
  readonly tail?: Buffer;
  /** Lines of the manifest: objects, or text as it stands. Default: one file for each frame. */
  readonly entries?: (frames: readonly FramePlace[]) => readonly unknown[];
  /** What the first line says otherwise. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** What the first line says otherwise of its archive. */
  readonly archive?: Readonly<Record<string, unknown>>;
  /** Archives of earlier snapshots, behind its own. */
  readonly more?: readonly unknown[];
  /** The whole first line, as text. */
  readonly firstLine?: string;
}

export interface Crafted {
  readonly id: string;
  readonly slug: string;
  readonly manifest: string;
  readonly archive: string;
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A file that lies whole in one frame, or wherever `more` says. */
export function fileLine(path: string, frame: FramePlace, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const { content, offset, stored } = frame;
  return {
    ...plainLine(path, 'file'),
    size: content.length,
    sha256: sha256(content),
    extents: [[0, offset, stored, 0, content.length]],
    ...more,
  };
}

export function plainLine(
  path: string,
  type: 'file' | 'directory' | 'symlink',
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const mode = type === 'directory' ? 0o755 : type === 'file' ? 0o644 : 0o777;
  const stamps = {
    mode,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    size: 0,
    mtime: '1700000000000000000',
    ctime: '1700000000000000000',
    inode: '1',
  };
  return { path, type, ...stamps, extents: [], ...(type === 'file' ? { sha256: sha256(Buffer.alloc(0)) } : {}), ...more };
}

export const rootLine = plainLine('.', 'directory');

/**
 * Writes a snapshot that says anything at all, sealed with the destination's own key: what somebody can make who has the password, or
 * a program that has gone mad. No thread is started, so honest ones are cheap too.
 */
export async function craftSnapshot(world: World, craft: Craft = {}): Promise<Crafted> {
  const { backend, host } = world;
  const vault = await loadVault(backend, { credentials: world.destination.credentials, create: host });
  const slug = craft.slug ?? 'survival';
  const time = craft.time ?? host.clock.now();
  const id = craft.id ?? newSnapshotId(time, host.random);
  const contents = (craft.contents ?? ['the content of a file']).map((content) => Buffer.from(content));
  const raw = craft.frames ?? contents.map((content) => Buffer.from(nativeZstd.compress(content)));
  let offset = 0;
  const frames = raw.map((bytes, index): FramePlace => {
    offset += bytes.length;
    return { offset: offset - bytes.length, stored: bytes.length, content: contents[index] ?? Buffer.alloc(0) };
  });
  const sealed = async (label: Label, plain: Buffer): Promise<Buffer> => {
    const pieces: Uint8Array[] = [vault.header];
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield plain;
    };
    for await (const piece of seal(source(), vault.vaultKey, host.random.bytes(24), messageContext(label, vault.header)))
      pieces.push(Buffer.from(piece));
    return Buffer.concat(pieces);
  };
  const stored = await sealed('holdfast/v2/archive', Buffer.concat([...raw, craft.tail ?? Buffer.alloc(0)]));
  const keys = { archive: `${slug}/${id}.holdfast`, manifest: `${slug}/${id}.manifest` };
  const entries = craft.entries?.(frames) ?? [rootLine, ...frames.map((frame, index) => fileLine(`file${index}`, frame))];
  const archive = {
    key: keys.archive,
    size: stored.length,
    sha256: sha256(stored),
    head: stored.subarray(0, 148).toString('base64'),
    zipSize: 1,
    frames: frames.length,
    ...craft.archive,
  };
  const total = 2 ** 40;
  const header = {
    holdfast: 'manifest',
    version: 1,
    id,
    server: craft.server ?? 'survival',
    slug,
    machine: craft.machine ?? 'machine-one',
    host: craft.machine ?? 'machine-one',
    time: new Date(time).toISOString(),
    root: '/srv/survival',
    preset: null,
    excludes: [],
    hooks: [],
    warnings: [],
    totals: { entries: entries.length, files: frames.length, directories: 1, symlinks: 0, bytes: total },
    archives: [archive, ...(craft.more ?? [])],
    ...craft.header,
  };
  const lines = entries.map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry)));
  const first = Buffer.from(nativeZstd.compress(Buffer.from(`${craft.firstLine ?? JSON.stringify(header)}\n`)));
  const rest = Buffer.from(nativeZstd.compress(Buffer.from(lines.map((line) => `${line}\n`).join(''))));
  await put(backend, keys.archive, stored);
  await put(backend, `${keys.archive}.sha256`, `${sha256(stored)}  ${id}.holdfast\n`);
  await put(backend, keys.manifest, await sealed('holdfast/v2/manifest', Buffer.concat([first, rest])));
  return { id, slug, ...keys };
}
