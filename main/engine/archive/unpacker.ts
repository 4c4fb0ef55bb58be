import type { DamagedFile, Progress } from '../../contract/reports.ts';
import type { ByteRange, ByteStream } from '../storage/backend.ts';
import type { Spool } from './packer.ts';
import type { MessageKeys } from './seal.ts';
import type { FrameSize } from './seek-table.ts';
import type { VerifiedFiles } from './verified-files.ts';

/** What brings a snapshot's content back, or only checks it: the port behind which worker threads do the heavy part. */
export type Unpacker = (request: UnpackRequest, run: UnpackRun) => Promise<UnpackResult>;

export interface UnpackArchive {
  readonly key: string;
  readonly size: number;
  readonly keys: MessageKeys;
  /** The 148 bytes that the object should begin with. */
  readonly head: Uint8Array;
  /** Its seek table, where the ZIP as such is to be checked. */
  readonly frames: readonly FrameSize[] | null;
}

export interface UnpackRequest {
  /** The manifest as it was sealed: zstd frames, the first line included. */
  readonly manifest: Spool;
  readonly manifestName: string;
  readonly archives: readonly UnpackArchive[];
  /** Empty: everything. */
  readonly include: readonly string[];
  /** Asked once it is known what will be written: where to build the tree. Null: nothing is written, everything is read and checked. */
  readonly staging: ((needs: UnpackNeeds) => Promise<UnpackPlace>) | null;
  /** Whether to read an archive from its first to its last byte and hash it on the way; otherwise only the frames that are needed. Not asked of one of which `former` spares a part. */
  whole(archive: number): boolean;
  /**
   * Files that are known to be whole are not read; what is found whole is added. Numbers of the archives tell them apart over several requests. Only where
   * nothing is written.
   */
  readonly verified?: { readonly files: VerifiedFiles; readonly archives: readonly number[] } | undefined;
  /** Go on over damage and report it; otherwise the first one is a fault. */
  readonly tolerant: boolean;
  /** May end early when the object does. */
  read(archive: number, range: ByteRange): Promise<ByteStream>;
  /** Hands on the central directory of an archive's ZIP, piece by piece; false where that is not to be checked, or cannot be had. */
  directory(archive: number, append: (piece: Uint8Array) => Promise<void>): Promise<boolean>;
}

export interface UnpackNeeds {
  readonly bytes: number;
  /** What the tree takes on a disk with blocks of 4 KiB: content, folders and links. */
  readonly diskBytes: number;
  /** Inodes: files, folders and links, each of several names once. */
  readonly diskEntries: number;
}

export interface UnpackPlace {
  /** An empty folder to build the tree in. */
  readonly dir: string;
  /** The real folder whose files stand there now: those that the snapshot has too, and pieces of large ones, are copied and not fetched. Null where there is none. */
  readonly former: string | null;
}

export interface UnpackRun {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Damage inside one stored archive. */
export interface ArchiveDamage {
  readonly archive: number;
  readonly kind: 'corrupt' | 'truncated' | 'header' | 'frame' | 'zip' | 'content';
  readonly message: string;
  /** Of the stored object. */
  readonly range: readonly [number, number] | null;
}

export interface UnpackResult {
  readonly files: number;
  readonly bytes: number;
  /** Symbolic ones. */
  readonly links: number;
  /** Those that were brought back because they were wanted themselves, and not only what leads to something. */
  readonly folders: number;
  /** Folder, attributes: what was restored as the root entry says; null when the root was not selected. */
  readonly root: { readonly mode: number; readonly uid: number; readonly gid: number; readonly mtimeNs: bigint } | null;
  readonly damage: readonly ArchiveDamage[];
  readonly damagedFiles: readonly DamagedFile[];
  /** Of each archive that was read whole; null for the others. */
  readonly sha256: readonly (string | null)[];
  /** What was copied from `former`: whole files, parts of so many others, and the bytes of both. */
  readonly kept: { readonly files: number; readonly parts: number; readonly bytes: number };
  /** Bytes of archives that were read. */
  readonly storedBytes: number;
}

/** Builds the tree of a plain ZIP file that has been put aside whole: the way of classic snapshots. */
export type Unzipper = (request: UnzipRequest, run: UnpackRun) => Promise<Pick<UnpackResult, 'files' | 'bytes' | 'links' | 'folders'>>;

export interface UnzipRequest {
  readonly zip: Spool;
  readonly include: readonly string[];
  /** Null: nothing is written; every entry is read and its CRC compared. */
  readonly staging: ((needs: UnpackNeeds) => Promise<string>) | null;
}
