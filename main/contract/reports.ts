import type { FaultCode } from './faults.ts';
import type { Say } from './sayings.ts';

/** What the engine's calls take and give. Plain data: it crosses processes and becomes `--json` as it stands. */

export type ArchiveFormat = 'archive' | 'classic';

/** Every kind of warning. Of a file while it was read: vanished … own-file; of what is stored: vault … mark; around a backup: clock … quiesce-resume. */
export const warningCodes = [
  ...['vanished', 'changed', 'unreadable', 'shrank', 'grew', 'name-too-long', 'special', 'own-file', 'more'],
  ...['vault', 'header', 'manifest', 'damaged', 'damage', 'checksum', 'checksum-missing', 'mark', 'recovered', 'target', 'at-backup'],
  ...['clock', 'memory', 'other-folder', 'hook', 'prune', 'quota-near', 'quota-unknown', 'quiesce', 'quiesce-resume'],
] as const;
export type WarningCode = (typeof warningCodes)[number];

/** Something worth telling that did not stop the run. `path` is shown to people: bytes that are no UTF-8 appear as `\xNN`. */
export interface Warning {
  readonly code: WarningCode;
  readonly message: string;
  readonly path?: string;
  /** The backup place that it is about, where there may be several. */
  readonly destination?: string;
  /** Told, but no reason to end with exit code 3: a socket that was left out. */
  readonly level?: 'note';
}

/** How far a run is; totals are null while they are not known yet. Byte counts are of file contents, before compression. */
export interface Progress {
  readonly phase: 'scan' | 'pack' | 'upload' | 'download' | 'check' | 'swap';
  readonly files: number;
  readonly bytes: number;
  readonly totalFiles: number | null;
  readonly totalBytes: number | null;
  /** Bytes sent or received so far. */
  readonly storedBytes: number;
}

/** Handed to every long call: how to stop it and where to tell of it. */
export interface RunContext {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** When a snapshot is whole, and so rests on no earlier one: once the data it would rest on is that many days old, or always, or never. */
export type WholeRule = number | 'always' | 'never';

export const defaultWholeDays = 30;

/** What was done for a snapshot before its folder was read. */
export interface HookRecord {
  readonly when: 'before' | 'at-rest';
  /** Of a command its program alone, as arguments may be secret; of a server brought to rest the way. */
  readonly command: string;
  /** not-running: the server stood still already. A hook that fails ends its backup, and is in no snapshot. */
  readonly result: 'success' | 'not-running';
}

export interface BackupRequest {
  readonly folder: string;
  /** Display name; default: the folder's own name. */
  readonly server?: string;
  /** gitignore patterns, after the preset's. */
  readonly excludes: readonly string[];
  readonly preset?: string;
  readonly format: ArchiveFormat;
  /** zstd level, 1 to 19. */
  readonly level: number;
  /** A volume ends once it has passed this many bytes. */
  readonly volumeSize: number;
  /** The snapshot's time, milliseconds since 1970; default: now. */
  readonly time?: number;
  /** Write a snapshot even when nothing has changed. */
  readonly force: boolean;
  /** Become the owner of a server that another machine wrote. */
  readonly takeOver: boolean;
  /** Default: defaultWholeDays. Classic snapshots are always whole. */
  readonly whole?: WholeRule;
  /** Inode numbers say nothing of a file: some network file systems make them up. */
  readonly ignoreInode?: boolean;
  /** Stand in the manifest. */
  readonly hooks?: readonly HookRecord[];
}

export interface BackupReport {
  readonly outcome: 'written' | 'unchanged';
  /** The snapshot written, or the one that already holds this state. */
  readonly id: string;
  readonly server: string;
  readonly files: number;
  readonly bytes: number;
  /** Bytes of all objects written by this run. */
  readonly storedBytes: number;
  readonly archives: readonly string[];
  /** What was not sent, because earlier archives hold it or another file of this run has it: files as a whole, and all bytes. */
  readonly kept: { readonly files: number; readonly bytes: number };
  readonly warnings: readonly Warning[];
  readonly elapsedMs: number;
}

export interface SnapshotRow {
  readonly id: string;
  readonly server: string;
  /** The server's folder in the destination. */
  readonly slug: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** Null where only reading the archive would tell (classic) or it cannot be known (incomplete). */
  readonly files: number | null;
  readonly bytes: number | null;
  /** What its run added to the destination, and what is still there of it. */
  readonly storedBytes: number;
  /** What is left of removed snapshots, or of runs that did not end, and is kept because of this one, the oldest that rests on it; absent: nothing. */
  readonly inheritedBytes?: number;
  /** Size of the archives of earlier runs that it rests on; 0: it is whole. Null where that cannot be known. */
  readonly sharedBytes: number | null;
  readonly complete: boolean;
  /** Of the complete ones of its server it was written last (docs/decisions/0075); left out: it was not. */
  readonly newest?: true;
  readonly format: ArchiveFormat;
  readonly pinned: boolean;
  readonly note?: string;
  /** Why it does not count or needs care: no manifest, manifest unreadable, dated in the future … */
  readonly problem?: string;
}

export type EntryType = 'file' | 'directory' | 'symlink';

export interface EntryRow {
  /** Relative to the server's folder; `.` is the folder itself. */
  readonly path: string;
  readonly type: EntryType;
  readonly size: number;
  /** Permission bits, e.g. 0o644. */
  readonly mode: number;
  /** ISO 8601, UTC, nanoseconds. */
  readonly mtime: string;
  readonly target?: string;
}

export interface ChangedEntry {
  readonly path: string;
  readonly kind: 'new' | 'changed' | 'gone';
  readonly size: number;
}

/** Counts are of all, the list is up to the limit that was asked for. */
export interface ChangesReport {
  /** The complete snapshot before it; null when there is none. */
  readonly before: string | null;
  readonly created: number;
  readonly changed: number;
  readonly gone: number;
  readonly list: readonly ChangedEntry[];
}

export interface RestoreRequest {
  /** An id, a unique beginning of one, or `latest`. */
  readonly snapshot: string;
  readonly server?: string;
  readonly target: string;
  /** gitignore patterns of what to bring back; empty: everything. */
  readonly include: readonly string[];
  /** The target is not empty and may be replaced. */
  readonly replace: boolean;
  /** Go on although a process uses the target. */
  readonly force: boolean;
  /** Bring back all that is whole and list what is not. */
  readonly salvage: boolean;
}

export interface DamagedFile {
  readonly path: string;
  /** Byte ranges of the file that cannot be brought back: [offset, length]. */
  readonly ranges: readonly (readonly [number, number])[];
}

export interface RestoreReport {
  readonly id: string;
  readonly server: string;
  readonly target: string;
  readonly files: number;
  readonly bytes: number;
  /** What was not fetched, because the target held it already as the snapshot has it: whole files, parts of so many other ones, and the bytes of both. */
  readonly fromTarget: { readonly files: number; readonly parts: number; readonly bytes: number };
  /** Bytes of archives that were fetched. */
  readonly fetchedBytes: number;
  /** Where the former content lies, for `holdfast undo`; null where there was none. */
  readonly before: string | null;
  readonly damaged: readonly DamagedFile[];
  readonly warnings: readonly Warning[];
  readonly elapsedMs: number;
}

/** What is told of a restore that a person asked for: what is kept for undo takes room until it is discarded. */
export interface ToldRestore extends RestoreReport {
  /** Disk space of what lies in `before`, as `undo --list` has it; null where there is nothing, or where it could not be measured. */
  readonly keptBytes: number | null;
}

export interface VerifyRequest {
  /** An id, `latest` or `all`. */
  readonly snapshot: string;
  readonly server?: string;
  /** Presence, size and checksum file only; nothing is downloaded but manifests. */
  readonly quick: boolean;
}

export interface Damage {
  readonly snapshot: string;
  readonly object: string;
  /** wrong size, missing, corrupt, truncated, checksum, zip, misplaced, marked (found by an earlier verification) … */
  readonly kind: string;
  readonly message: string;
  /** Byte range of the stored object, where it is known. */
  readonly range?: readonly [number, number];
  readonly files: readonly DamagedFile[];
}

export interface VerifyReport {
  readonly snapshots: readonly {
    readonly id: string;
    readonly server: string;
    readonly ok: boolean;
    readonly files: number;
    readonly bytes: number;
  }[];
  readonly damage: readonly Damage[];
  readonly warnings: readonly Warning[];
  readonly elapsedMs: number;
}

/** How many to keep of each; absent or 0: that rule keeps none. All absent: everything is kept. */
export interface RetentionPolicy {
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
}

export interface PruneRequest {
  readonly server: string;
  readonly policy: RetentionPolicy;
  /** IANA time zone in which hours, days and weeks are counted. */
  readonly zone: string;
  readonly dryRun: boolean;
  readonly takeOver: boolean;
}

export interface PruneReport {
  readonly keep: readonly { readonly id: string; readonly time: string; readonly reasons: readonly string[] }[];
  readonly remove: readonly { readonly id: string; readonly time: string }[];
  /** Objects removed (or, in a dry run, to be removed), leftovers included. */
  readonly objects: readonly string[];
  readonly freedBytes: number;
  readonly warnings: readonly Warning[];
}

export interface DestinationCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was seen, one sentence. */
  readonly message: string;
  /** What to do about it; empty when ok. */
  readonly next: string;
  readonly code?: FaultCode;
  readonly say?: Say;
}
