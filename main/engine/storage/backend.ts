/** Bytes in order. Each piece is valid until the next one is asked for; copy what must live longer. */
export type ByteStream = AsyncIterable<Uint8Array>;

/**
 * A name inside a destination, relative to its prefix: `holdfast.vault`, `survival/20261123T220500Z-k3v9qa.holdfast`.
 * Printable ASCII, parts joined by one `/`, no empty, `.` or `..` part, at most 512 characters.
 */
export type ObjectKey = string;

/** Bytes `offset` to `offset + length - 1`, at least one; a range that does not lie whole inside the object is fault range-invalid. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface ObjectInfo {
  readonly key: ObjectKey;
  readonly size: number;
  /** The provider's modification time by the provider's clock, milliseconds since 1970. */
  readonly modifiedAt: number;
  /** The provider's own checksum of the stored bytes, where it computes one: lower-case hex. */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly hex: string };
}

export type ChecksumAlgorithm = 'sha256' | 'sha1' | 'md5' | 'crc32' | 'dropbox';

/** What a producer knows of all the bytes of an object, lower-case hex. */
export type KnownChecksums = Readonly<Partial<Record<ChecksumAlgorithm, string>>>;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface CompleteOptions extends CallOptions {
  /** Of the bytes that were sent: where the upload is no longer known, they tell whether what stands there has become of it. */
  readonly known?: KnownChecksums | undefined;
}

export interface BackendLimits {
  /** May grow once the account has been used for the first time. */
  readonly minPart: number;
  readonly maxPart: number;
  /** Every part but the last must be a multiple of this many bytes. */
  readonly partMultiple: number;
  readonly maxParts: number;
  /** How many parts of one upload may be under way at once; 1 means in order, one by one. */
  readonly parallelParts: number;
}

export interface BackendInfo {
  readonly scheme: string;
  readonly label: string;
  readonly limits: BackendLimits;
  /** What ObjectInfo's checksum is computed with; uploads then compute the same on the way. Absent: the provider has none. */
  readonly checksum?: ChecksumAlgorithm;
  /** Of larger objects there is no checksum, so that none is computed. Absent: of all. */
  readonly checksumUpTo?: number;
  /** What only this kind of place can tell of itself; the destination test asks it too. */
  readonly ownChecks?: readonly OwnCheck[];
}

export interface OwnCheck {
  readonly name: string;
  /** May replace the small object at `key`, which the test removes later. */
  run(key: ObjectKey, options?: CallOptions): Promise<Finding>;
}

/** A check's finding: what was seen, or what was seen and is wrong with what to do about it. */
export type Finding = string | { readonly problem: string; readonly next: string };

/** What the author of a backend writes: these verbs and one mapping of foreign errors to faults. Everything else is layers. */
export interface Backend {
  readonly info: BackendInfo;
  /** Missing: fault not-found. */
  stat(key: ObjectKey, options?: CallOptions): Promise<ObjectInfo>;
  /** Every object whose key begins with `prefix`, complete or a fault, in no promised order; a missing prefix is empty. */
  list(prefix: string, options?: CallOptions): AsyncIterable<ObjectInfo>;
  /**
   * Missing: fault not-found, at the latest when the stream is first read. The stream ends when all bytes have come and is a fault
   * when fewer did. Whoever gives up on it calls its iterator's return(), as for-await does, which frees everything.
   */
  read(key: ObjectKey, options?: CallOptions & { readonly range?: ByteRange }): Promise<ByteStream>;
  /** Nothing is visible under `key` before complete(). With `ifAbsent`, complete() is fault already-exists when the key has come to exist. */
  beginUpload(key: ObjectKey, options?: CallOptions & { readonly sizeHint?: number; readonly ifAbsent?: boolean }): Promise<Upload>;
  /** Uploads under `prefix` begun and neither completed nor aborted, by this process or any other. */
  openUploads(prefix: string, options?: CallOptions): AsyncIterable<OpenUpload>;
  /** Clears what an unfinished upload left; gone already: success. */
  abandon(token: string, options?: CallOptions): Promise<void>;
  /** Missing: success. */
  remove(key: ObjectKey, options?: CallOptions): Promise<void>;
}

export interface OpenUpload {
  readonly token: string;
  /** By the provider's clock, milliseconds since 1970. */
  readonly startedAt: number;
}

export interface Upload {
  readonly token: string;
  /**
   * Part `index` from 0. Writing the same part twice counts once. `bytes` is not changed by the caller until the promise settles;
   * it may lie in shared memory.
   */
  writePart(index: number, bytes: Uint8Array, options?: CallOptions): Promise<void>;
  /**
   * Makes the object visible, whole and durable, replacing an older one in one step. Settles to what the provider now holds. A second
   * call after one that worked gives the same again, or the fault of `uploadEnded` where the upload is no longer known.
   */
  complete(options?: CompleteOptions): Promise<ObjectInfo>;
  /** Leaves nothing behind; after complete() it does nothing. Its signal ends a try, not what has been begun: it may be called again. */
  abort(options?: CallOptions): Promise<void>;
}

/** Something around a backend that is again a backend: timeout, concurrency, retry, bandwidth, observe; chaos in tests. */
export type Layer = (inner: Backend) => Backend;
