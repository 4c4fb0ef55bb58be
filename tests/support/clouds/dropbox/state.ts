import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Pieces } from './concurrent.ts';
import { Refusal } from './refusal.ts';

export interface StoredFile {
  readonly id: string;
  readonly rev: string;
  /** As it was written. */
  readonly display: string;
  readonly blob: string;
  readonly size: number;
  readonly hash: string;
  readonly modified: number;
}

export interface Session {
  readonly blob: string;
  offset: number;
  closed: boolean;
  readonly startedAt: number;
  /** Null: in order, one piece behind the other. */
  readonly pieces: Pieces | null;
}

/** One account. Names are one and the same in any case; bytes lie on disk. */
export class State {
  readonly files = new Map<string, StoredFile>();
  /** Lower case to the spelling that was written first. */
  readonly folders = new Map<string, string>();
  readonly sessions = new Map<string, Session>();
  /** Listings under way: what is still to be told. */
  readonly cursors = new Map<string, readonly object[]>();
  quota = 2 ** 41;
  readonly #blobs: string;
  #rev = 0;

  constructor(folder: string) {
    this.#blobs = join(folder, 'blobs');
    mkdirSync(this.#blobs, { recursive: true });
  }

  newBlob(): string {
    return join(this.#blobs, randomBytes(12).toString('hex'));
  }

  /** By path, or by `id:…`, which names a file wherever it is. */
  find(path: string): StoredFile | undefined {
    if (path.startsWith('id:')) return [...this.files.values()].find(({ id }) => id === path);
    return this.files.get(path.toLowerCase());
  }

  get used(): number {
    return [...this.files.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Puts what lies in `blob` under the path, as `mode` says. */
  async commit(path: string, blob: string, size: number, mode: string, strict: boolean): Promise<StoredFile> {
    checkPath(path);
    const lower = path.toLowerCase();
    const hash = await contentHash(blob);
    const older = this.files.get(lower);
    if (this.folders.has(lower)) throw new Refusal(409, ['path', 'conflict', 'folder']);
    if (older !== undefined && mode === 'add') {
      if (strict || older.hash !== hash) throw new Refusal(409, ['path', 'conflict', 'file']);
      rmSync(blob);
      return older;
    }
    if (this.used - (older?.size ?? 0) + size > this.quota) throw new Refusal(409, ['path', 'insufficient_space']);
    this.makeFolder(path.slice(0, path.lastIndexOf('/')));
    const kept = this.newBlob();
    renameSync(blob, kept);
    const file = {
      id: `id:${randomBytes(8).toString('hex')}`,
      rev: (0x5000000000 + ++this.#rev).toString(16),
      display: path,
      blob: kept,
      size,
      hash,
      modified: Date.now(),
    };
    this.files.set(lower, file);
    if (older !== undefined) rmSync(older.blob, { force: true });
    return file;
  }

  makeFolder(path: string): void {
    if (path === '') return;
    if (this.files.has(path.toLowerCase())) throw new Refusal(409, ['path', 'conflict', 'file_ancestor']);
    this.makeFolder(path.slice(0, path.lastIndexOf('/')));
    if (!this.folders.has(path.toLowerCase())) this.folders.set(path.toLowerCase(), path);
  }

  remove(path: string): void {
    const lower = path.toLowerCase();
    for (const [name, { blob }] of this.files) {
      if (name !== lower && !name.startsWith(`${lower}/`)) continue;
      this.files.delete(name);
      rmSync(blob, { force: true });
    }
    for (const name of this.folders.keys()) if (name === lower || name.startsWith(`${lower}/`)) this.folders.delete(name);
  }
}

/** The argument of a call, its paths in NFC, as Dropbox keeps and compares them. Throws a SyntaxError for what is no JSON. */
export function argumentOf(text: string): unknown {
  return JSON.parse(text, (name, value: unknown) => (name === 'path' && typeof value === 'string' ? value.normalize('NFC') : value));
}

/** Dropbox: `/(.|[\r\n])*` with names that hold no `\`, none of them empty. */
export function checkPath(path: string): void {
  if (!/^(\/[^/\\]+)+$/.test(path) || path.split('/').some((name) => Buffer.byteLength(name) > 255)) {
    throw new Refusal(409, ['path', 'malformed_path']);
  }
}

export function metadataOf(file: StoredFile): object {
  const time = new Date(Math.floor(file.modified / 1000) * 1000).toISOString().replace('.000', '');
  return {
    '.tag': 'file',
    name: file.display.slice(file.display.lastIndexOf('/') + 1),
    path_lower: file.display.toLowerCase(),
    path_display: file.display,
    id: file.id,
    client_modified: time,
    server_modified: time,
    rev: file.rev,
    size: file.size,
    is_downloadable: true,
    content_hash: file.hash,
  };
}

export function folderMetadata(display: string): object {
  const name = display.slice(display.lastIndexOf('/') + 1);
  return { '.tag': 'folder', name, path_lower: display.toLowerCase(), path_display: display, id: `id:${display}` };
}

/** By Dropbox's text, and by other means than the project's: whole blocks are gathered first. */
export async function contentHash(path: string): Promise<string> {
  const sums: Buffer[] = [];
  for await (const block of createReadStream(path, { highWaterMark: 4 * 1024 * 1024 }) as AsyncIterable<Buffer>) {
    sums.push(createHash('sha256').update(block).digest());
  }
  return createHash('sha256').update(Buffer.concat(sums)).digest('hex');
}
