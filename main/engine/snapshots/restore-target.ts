/** What a restore asks of the folder it fills: a safe place to build in, one exchange at the end, and the way back. */

export interface RestoreTargets {
  /**
   * Finishes whatever an earlier, killed run left half done, so that the target is entirely old or entirely new. Called first by
   * every command that names a target. Returns what it did, in words; empty when there was nothing to do.
   * Faults: locked (another run works on this target right now), corrupt (the journal cannot be read; nothing is touched).
   */
  recover(target: string): Promise<readonly string[]>;
  /**
   * Checks everything that can be checked before a byte is written, then makes the staging folder. Holds the target's lock until
   * `commit` or `abort` has settled.
   * Faults: config-invalid (not empty without `replace`, not a folder, a folder of the system, mount points inside), locked (in use
   * without `force`, or another run is at work), disk-full, permission-denied.
   */
  prepare(request: PrepareRequest): Promise<Staging>;
}

export interface PrepareRequest {
  readonly target: string;
  /** The snapshot's id; becomes part of the staging folder's name. */
  readonly id: string;
  /** The target is not empty and may be replaced. */
  readonly replace: boolean;
  /** Go on although a process uses the target. */
  readonly force: boolean;
  /** What will be written, bytes in whole blocks; five per cent are added for what the file system needs itself. */
  readonly bytesNeeded: number;
  /** Files, folders and links that will be made; further names of a file are none. */
  readonly entriesNeeded: number;
  /** Only some paths are restored; the rest of the target stays as it is. */
  readonly partial: boolean;
  /** Now, milliseconds since 1970; names the former content. */
  readonly time: number;
}

/** The attributes of the restored folder itself. */
export interface RootAttributes {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
}

export interface CommitOptions {
  /** Used where there was no former target; of an existing target, mode and owner are taken over and only the mtime comes from here. */
  readonly root: RootAttributes | null;
  /** Which existing entries of the former content the snapshot had excluded: they appear in the new tree too. Paths are relative. */
  readonly carryOver: ((path: Buffer, isDirectory: boolean) => boolean) | null;
  /**
   * Partial restores only: which staged folders take the place of the existing folder as a whole, so that files made since the
   * snapshot leave it. Other staged folders are merged into existing ones, entry by entry. Absent: all are merged.
   */
  readonly exchange?: (path: Buffer) => boolean;
}

export interface Committed {
  /** Where the former content lies, for undo; null where there was none. */
  readonly before: string | null;
  /** Files, links and special files that were carried over. */
  readonly carriedOver: number;
  /** What a person should know: things found in the way and set aside, attributes that could not be kept. */
  readonly notes: readonly string[];
}

export interface Staging {
  /** Absolute path of an empty 0700 folder on the target's file system. The server's content is built directly inside it. */
  readonly dir: string;
  /** The real folder, after symbolic links. */
  readonly target: string;
  /** The real folder, where it holds anything now; what the snapshot has too can be copied from there. Null where there is nothing. */
  readonly former: string | null;
  /** What a person should know before the restore begins, e.g. that the target is a link to elsewhere. */
  readonly notes: readonly string[];
  /**
   * Exchanges target and staged tree. When it throws, the target is as it was and staging is gone; when the process is killed,
   * `recover` finishes. Faults: locked (a process began to use the target meanwhile), permission-denied, disk-full, unexpected.
   */
  commit(options: CommitOptions): Promise<Committed>;
  /** Leaves nothing behind. Does nothing after `commit`. */
  abort(): Promise<void>;
}

/** One former content that is still kept. */
export interface KeptBefore {
  /** Absolute path. */
  readonly before: string;
  /** When it was set aside, milliseconds since 1970. */
  readonly time: number;
  /** Disk space it takes, bytes; a file with several names counts once. */
  readonly bytes: number;
  readonly files: number;
  /** It holds only the paths that a partial restore exchanged. */
  readonly partial: boolean;
}

export interface Undone {
  /** The former content that is in its place again. */
  readonly restored: string;
  /** Where what was there until now lies: undo can be undone. Null when nothing was there. */
  readonly before: string | null;
  readonly notes: readonly string[];
}

/** How something that cannot stop half way is stopped: until it has begun in earnest, with fault cancelled, and nothing has changed then. */
export interface WayBack {
  readonly signal?: AbortSignal;
  /** Called once: from here on it goes through to its end, whatever the signal says. */
  readonly onNoReturn?: () => void;
}

export interface UndoTarget {
  /** Newest first. Keeps nobody out and waits for nobody: what a run under way has half exchanged is not among them. */
  list(target: string, signal?: AbortSignal): Promise<readonly KeptBefore[]>;
  /** Brings the newest former content back. Faults: not-found (none is kept), locked (in use without `force`). */
  undo(target: string, options: WayBack & { readonly force: boolean; readonly time: number }): Promise<Undone>;
  /** Deletes every former content that is kept, and says which it were. */
  discard(target: string, options?: WayBack): Promise<readonly KeptBefore[]>;
}
