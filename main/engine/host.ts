import type { Packer, Spool } from './archive/packer.ts';
import type { Clock, Random } from './ports.ts';
import type { RestoreTargets } from './snapshots/restore-target.ts';
import type { ByteStream } from './storage/backend.ts';
import type { SourceScan } from './snapshots/source.ts';
import type { Unpacker, Unzipper } from './archive/unpacker.ts';

/** zstd, of which the engine knows no more than this. */
export interface Zstd {
  /** One frame. */
  compress(bytes: Uint8Array): Uint8Array;
  /** The content of all frames, in pieces. Fault corrupt when it is no zstd, ends inside a frame or wants a window above 8 MiB. */
  decompress(source: ByteStream): ByteStream;
}

export interface WritableSpool extends Spool {
  append(bytes: Uint8Array): Promise<void>;
}

export interface SpoolNeeds {
  /** Bytes that will be written at least. Fault disk-full, at once, where there is less room. */
  readonly room?: number;
  /** How much will be written is up to what somebody has stored. append() throws fault disk-full before the disk is full. */
  readonly unknownLength?: boolean;
}

/** One run at a time works on a name, on this machine. */
export interface HeldLock {
  release(): Promise<void>;
}

/** What this computer remembers for itself, by name. It may be gone at any time, and nothing but work is lost with it. */
export interface Memory {
  /** Null where there is none, or it cannot be read. */
  recall(name: string): Promise<ByteStream | null>;
  remember(name: string, content: ByteStream): Promise<void>;
}

/** The folder to be backed up, looked at before anything is read. */
export interface SourceFolder {
  /** Absolute, links resolved. */
  readonly root: string;
  /** Patterns of its own `.holdfastignore`. */
  readonly ignore: readonly string[];
}

/** All that the engine needs from the computer it runs on. */
export interface EngineHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly zstd: Zstd;
  /** Who writes: the id decides who owns a server, the host name is for people. */
  machine(): Promise<{ readonly id: string; readonly host: string }>;
  /** Fault locked when another run holds the name. */
  lock(name: string): Promise<HeldLock>;
  openSpool(needs?: SpoolNeeds): WritableSpool;
  readonly memory: Memory;
  /**
   * Gives back what work has left and nobody holds any more. Called after some dozens of manifests: each was read with native memory of which
   * the runtime sees nothing, and so feels no need to collect.
   */
  readonly giveBack?: () => void;
  /** Faults: not-found, config-invalid (no folder, empty), permission-denied. */
  openSource(folder: string): Promise<SourceFolder>;
  readonly scan: SourceScan;
  readonly packer: Packer;
  readonly unpacker: Unpacker;
  readonly unzipper: Unzipper;
  readonly targets: RestoreTargets;
  /** The texts of docs/recovery/open.py and tree.py, for the recovery kit. */
  recoveryPrograms(): Promise<{ readonly opener: string; readonly tree: string }>;
  /** PBKDF2 iterations of new vault records. */
  readonly iterations: number;
}
