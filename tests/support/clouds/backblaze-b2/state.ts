import { randomBytes } from 'node:crypto';

/** What the server knows besides the bytes, which lie on disk. */

export const allCapabilities = ['listBuckets', 'listFiles', 'readFiles', 'writeFiles', 'deleteFiles'] as const;
export type Capability = (typeof allCapabilities)[number];

export interface Bucket {
  readonly accountId: string;
  readonly bucketId: string;
  readonly name: string;
  /** Sorted as B2 sorts: by the bytes of the UTF-8. */
  readonly names: string[];
  /** Newest first. */
  readonly byName: Map<string, Version[]>;
}

/** A stretch of a file as it lies on disk. */
export interface Segment {
  readonly path: string;
  readonly size: number;
  readonly sha1: string;
  readonly uploadedAt: number;
}

export interface Version {
  readonly bucket: Bucket;
  readonly fileId: string;
  readonly name: string;
  readonly contentType: string;
  readonly info: Readonly<Record<string, string>>;
  readonly uploadTimestamp: number;
  action: 'upload' | 'hide' | 'start';
  /** `none` of a large file. */
  sha1: string;
  segments: Segment[];
  /** Of a large file that is not finished, by number. */
  readonly parts: Map<number, Segment>;
}

export interface Key {
  readonly keyId: string;
  readonly secret: string;
  readonly accountId: string;
  readonly capabilities: readonly string[];
  /** Null: all buckets of the account. */
  readonly buckets: readonly Bucket[] | null;
  readonly namePrefix: string | null;
}

export interface Token {
  readonly key: Key;
  expired: boolean;
}

/** An address for uploads. `target`: a bucket for whole files, a large file for parts. */
export interface UploadUrl {
  readonly token: string;
  readonly key: Key;
  readonly target: Bucket | Version;
  state: 'idle' | 'busy' | 'dead';
  expired: boolean;
}

export interface State {
  readonly folder: string;
  readonly keys: Map<string, Key>;
  readonly buckets: Map<string, Bucket>;
  readonly tokens: Map<string, Token>;
  readonly urls: Map<string, UploadUrl>;
  readonly versions: Map<string, Version>;
  /** absoluteMinimumPartSize of the accounts, bytes. */
  minPart: number;
  /** What a client did that B2 forbids but a lenient server would not notice. */
  readonly misuses: string[];
  /** Milliseconds since 1970, later with each call, so that versions have an order. */
  now(): number;
}

export function newState(folder: string): State {
  let last = 0;
  return {
    folder,
    keys: new Map(),
    buckets: new Map(),
    tokens: new Map(),
    urls: new Map(),
    versions: new Map(),
    minPart: 5_000_000,
    misuses: [],
    now: () => (last = Math.max(Date.now(), last + 1)),
  };
}

export function randomId(prefix: string): string {
  return `${prefix}${randomBytes(12).toString('hex')}`;
}

export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The place of the first name that is not before `name`. */
export function placeOf(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareNames(names[middle] ?? '', name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Versions stand in the order of their beginning, as their ids do. */
export function addVersion(state: State, version: Version): void {
  state.versions.set(version.fileId, version);
  const { bucket, name } = version;
  const own = bucket.byName.get(name);
  if (own === undefined) {
    bucket.names.splice(placeOf(bucket.names, name), 0, name);
    bucket.byName.set(name, [version]);
  } else {
    own.unshift(version);
    own.sort((a, b) => b.uploadTimestamp - a.uploadTimestamp);
  }
}

export function dropVersion(state: State, version: Version): void {
  const { bucket, name, fileId } = version;
  state.versions.delete(fileId);
  const left = (bucket.byName.get(name) ?? []).filter((other) => other !== version);
  if (left.length > 0) {
    bucket.byName.set(name, left);
    return;
  }
  bucket.byName.delete(name);
  bucket.names.splice(placeOf(bucket.names, name), 1);
}

/** The file that the name stands for; undefined when there is none or it is hidden. */
export function visible(bucket: Bucket, name: string): Version | undefined {
  const newest = (bucket.byName.get(name) ?? []).find(({ action }) => action !== 'start');
  return newest?.action === 'upload' ? newest : undefined;
}

export function sizeOf(version: Version): number {
  return version.segments.reduce((sum, { size }) => sum + size, 0);
}
