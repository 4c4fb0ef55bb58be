import type { Fault } from '../../contract/faults.ts';
import type { ArchiveFormat, Progress, Warning } from '../../contract/reports.ts';
import type { ByteStream, CallOptions } from '../storage/backend.ts';
import type { ClassicKey } from './classic.ts';

/**
 * What turns a folder into sealed volumes: the port behind which worker threads do the heavy part. The folder is read and compressed once, and
 * sealed for each target by itself. A target that fails does not keep the others from going on; when all have failed it rejects with the
 * first one's fault.
 */
export type Packer = (request: PackRequest, targets: readonly PackTarget[], run: PackRun) => Promise<PackResult>;

export interface PackRequest {
  /** Real path of the folder. */
  readonly root: string;
  readonly excludes: readonly string[];
  readonly level: number;
  readonly volumeSize: number;
  /** Of every target's `seal`. */
  readonly format: ArchiveFormat;
  /** What need not be sent again; without it the snapshot is whole. */
  readonly base?: PackBase | undefined;
}

/** An earlier snapshot of the folder, which all targets hold. */
export interface PackBase {
  /** Its manifest: zstd frames, the first line included. */
  readonly manifest: Spool;
  /** Of each archive that it names, whether data may stay there. */
  readonly usable: readonly boolean[];
  /** How many of them, the first ones, that snapshot itself names. What lies in others is written down of each volume. */
  readonly settled: number;
  /** Where content is looked for that neither the base nor this run has; null: nowhere. */
  readonly older: OlderLists | null;
  /** Whether stamps say that a file is unchanged; else each file is read and its hash compared. */
  readonly trustStamps: boolean;
  /** Inode numbers are not compared: some file systems make them up. */
  readonly ignoreInode: boolean;
}

/** The manifests of other snapshots of the server. */
export interface OlderLists {
  /** In the order in which they are to be gone through where nothing speaks for one of them. */
  readonly lists: readonly OlderListed[];
  /** Null for one that cannot be read, in whose place the next may serve. Any fault: none can be had any more. Asked for one after the other. */
  fetch(index: number, options: CallOptions): Promise<OlderList | null>;
}

export interface OlderListed {
  /** As it is stored, in bytes. */
  readonly size: number;
  /** When the snapshot was made, in milliseconds since 1970: it holds what was written before. */
  readonly time: number;
}

export interface OlderList {
  /** zstd frames, the first line included. Whoever asked for it disposes of it. */
  readonly manifest: Spool;
  /** Of each archive that it names, the number by which this run knows it: behind those of the base come those that no list before has named. Null where data may not stay in it. */
  readonly numbers: readonly (number | null)[];
}

/** An archive of the base or of an older list, by the number that the run knows it by, or one that this run wrote, by its place among the run's volumes. */
export interface ArchiveRef {
  readonly from: 'base' | 'run';
  readonly index: number;
}

export interface PackTarget {
  readonly seal: SealWith;
  /** How many bytes a part has; the last one of a volume is shorter. */
  readonly partSize: number;
  readonly beginVolume: () => Promise<VolumeUpload>;
}

export type SealWith =
  | { readonly format: Extract<ArchiveFormat, 'archive'>; readonly header: Uint8Array; readonly vaultKey: Uint8Array }
  | ({ readonly format: Extract<ArchiveFormat, 'classic'> } & ClassicKey);

export interface PackRun {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** Where the parts of one volume go. */
export interface VolumeUpload {
  /** Called again before it settles; once it settles the memory is used for something else. */
  write(bytes: Uint8Array): Promise<void>;
  /** `lines`: what is to be written down of it; null for the last volume, behind which the manifest follows, and where the run has ended before its time. */
  finish(archive: PackedArchive, lines: Promise<VolumeLines | null>): Promise<void>;
  abort(): Promise<void>;
}

/** The entries that have become known with a volume and lie, at least in part, where no complete snapshot has anything. */
export interface VolumeLines {
  /** Entry lines, as zstd frames. */
  readonly lines: Pick<Spool, 'size' | 'read'>;
  /** The archives in the order in which the extents of these lines count them. */
  readonly order: readonly ArchiveRef[];
}

export interface PackTotals {
  readonly entries: number;
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly bytes: number;
}

export interface PackedArchive {
  readonly size: number;
  readonly sha256: string;
  /** The first 148 bytes; empty for classic. */
  readonly head: Uint8Array;
  readonly zipSize: number;
  readonly frames: number;
}

export interface PackResult {
  readonly totals: PackTotals;
  readonly warnings: readonly Warning[];
  /** What came of each target, in their order: its archives, or why it has none. */
  readonly outcomes: readonly (readonly PackedArchive[] | Fault)[];
  /** The manifest's entry lines, as zstd frames: the same for all targets. */
  readonly entryLines: Spool;
  /** The archives in the order in which the extents of those lines count them. */
  readonly order: readonly ArchiveRef[];
  /** What was stored already: files as a whole, and all bytes. */
  readonly kept: PackKept;
}

export interface PackKept {
  readonly files: number;
  readonly bytes: number;
}

/** What one target got. */
export interface PackedSnapshot extends Pick<PackResult, 'totals' | 'warnings' | 'entryLines' | 'order' | 'kept'> {
  readonly archives: readonly PackedArchive[];
}

/** Bytes put aside outside memory; gone after dispose(), and with the process at the latest. */
export interface Spool {
  readonly size: number;
  read(): ByteStream;
  dispose(): Promise<void>;
}
