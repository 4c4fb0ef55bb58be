import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from './refusal.ts';

export const folderType = 'application/vnd.google-apps.folder';

export interface Item {
  readonly id: string;
  name: string;
  mimeType: string;
  parents: readonly string[];
  trashed: boolean;
  /** Seen by the app that set them. */
  appProperties: Readonly<Record<string, string>>;
  readonly createdTime: number;
  modifiedTime: number;
  /** Null for folders. */
  content: { readonly blob: string; readonly size: number; readonly sha256: string; readonly sha1: string; readonly md5: string } | null;
}

export interface Session {
  readonly blob: string;
  kept: number;
  readonly metadata: Metadata;
  /** The file whose content is replaced; null: a new one. */
  readonly fileId: string | null;
  readonly startedAt: number;
  /** Once it has become a file, it tells that file again. */
  done: Item | null;
}

export interface Metadata {
  readonly id?: string;
  readonly name?: string;
  readonly mimeType?: string;
  readonly parents?: readonly string[];
  readonly modifiedTime?: string;
  readonly appProperties?: Readonly<Record<string, string>>;
}

/** One account's Drive: names are no keys, bytes lie on disk. */
export class State {
  readonly items = new Map<string, Item>();
  readonly sessions = new Map<string, Session>();
  readonly generated = new Set<string>();
  /** Rests of listings. */
  readonly pages = new Map<string, readonly Item[]>();
  quota = 2 ** 41;
  readonly rootId = `root-${randomBytes(8).toString('hex')}`;
  readonly #blobs: string;
  #clock = 0;

  constructor(folder: string) {
    this.#blobs = join(folder, 'blobs');
    mkdirSync(this.#blobs, { recursive: true });
    this.items.set(this.rootId, {
      id: this.rootId,
      name: 'My Drive',
      mimeType: folderType,
      parents: [],
      appProperties: {},
      trashed: false,
      createdTime: 0,
      modifiedTime: 0,
      content: null,
    });
  }

  newBlob(): string {
    return join(this.#blobs, randomBytes(12).toString('hex'));
  }

  newId(): string {
    return randomBytes(16).toString('base64url');
  }

  /** No two changes have the same millisecond, so that tests may go by the order. */
  now(): number {
    this.#clock = Math.max(Date.now(), this.#clock + 1);
    return this.#clock;
  }

  get used(): number {
    return [...this.items.values()].reduce((sum, { content }) => sum + (content?.size ?? 0), 0);
  }

  resolve(id: string): string {
    return id === 'root' ? this.rootId : id;
  }

  get(id: string): Item {
    const item = this.items.get(this.resolve(id));
    if (item === undefined) throw new Refusal(404, 'notFound');
    return item;
  }

  create(metadata: Metadata, content: Item['content']): Item {
    const { id = this.newId(), name = 'Untitled', mimeType = 'application/octet-stream' } = metadata;
    if (metadata.id !== undefined && !this.generated.has(id)) throw new Refusal(400, 'invalid');
    if (this.items.has(id)) throw new Refusal(409, 'fileIdInUse');
    const parents = (metadata.parents ?? ['root']).map((parent) => this.resolve(parent));
    for (const parent of parents) if (this.get(parent).mimeType !== folderType) throw new Refusal(403, 'parentNotAFolder');
    this.#takeSpace(content?.size ?? 0);
    const now = this.now();
    const modified = metadata.modifiedTime === undefined ? now : Date.parse(metadata.modifiedTime);
    const appProperties = checkedProperties(metadata);
    const item: Item = { id, name, mimeType, parents, appProperties, trashed: false, createdTime: now, modifiedTime: modified, content };
    this.items.set(id, item);
    return item;
  }

  replace(id: string, metadata: Metadata, content: Item['content']): Item {
    const item = this.get(id);
    item.appProperties = { ...item.appProperties, ...checkedProperties(metadata) };
    if (content !== null) {
      this.#takeSpace(content.size - (item.content?.size ?? 0));
      item.content = content;
    }
    if (metadata.name !== undefined) item.name = metadata.name;
    if (metadata.mimeType !== undefined) item.mimeType = metadata.mimeType;
    item.modifiedTime = metadata.modifiedTime === undefined ? this.now() : Date.parse(metadata.modifiedTime);
    return item;
  }

  /** With all that is in it, for good. */
  remove(id: string): void {
    const { content } = this.get(id);
    if (content !== null) rmSync(content.blob, { force: true });
    this.items.delete(id);
    for (const other of [...this.items.values()]) if (other.parents.includes(id)) this.remove(other.id);
  }

  #takeSpace(bytes: number): void {
    if (this.used + bytes > this.quota) throw new Refusal(403, 'storageQuotaExceeded');
  }
}

/** Google: "Add custom file properties": 124 bytes for key and value together, 30 private ones of one app. */
function checkedProperties({ appProperties = {} }: Metadata): Readonly<Record<string, string>> {
  const pairs = Object.entries(appProperties);
  if (pairs.length > 30 || pairs.some(([key, value]) => Buffer.byteLength(key + value) > 124)) throw new Refusal(400, 'invalid');
  return appProperties;
}

export async function contentOf(blob: string): Promise<NonNullable<Item['content']>> {
  const sums = { sha256: createHash('sha256'), sha1: createHash('sha1'), md5: createHash('md5') };
  let size = 0;
  for await (const piece of createReadStream(blob) as AsyncIterable<Buffer>) {
    size += piece.byteLength;
    for (const sum of Object.values(sums)) sum.update(piece);
  }
  return { blob, size, sha256: sums.sha256.digest('hex'), sha1: sums.sha1.digest('hex'), md5: sums.md5.digest('hex') };
}

/** What is told of a file; checksums and sizes only where `fields` names them, as all else that is not among the defaults. */
export function resourceOf(item: Item, fields: string): Record<string, unknown> {
  const { id, name, mimeType, content } = item;
  const all: Record<string, unknown> = {
    kind: 'drive#file',
    id,
    name,
    mimeType,
    parents: item.parents,
    appProperties: item.appProperties,
    trashed: item.trashed,
    createdTime: new Date(item.createdTime).toISOString(),
    modifiedTime: new Date(item.modifiedTime).toISOString(),
    ...(content === null
      ? {}
      : { size: String(content.size), md5Checksum: content.md5, sha1Checksum: content.sha1, sha256Checksum: content.sha256 }),
  };
  if (fields === '*') return all;
  const named = fields === '' ? ['kind', 'id', 'name', 'mimeType'] : fields.split(/[^\w]+/);
  return Object.fromEntries(Object.entries(all).filter(([field]) => named.includes(field)));
}
