import type { Fault } from '../contract/faults.ts';
import type { DiffReport, FindReport, FindRequest, LookContext, UsageReport, UsageRequest } from '../contract/look-reports.ts';
import type {
  ArchiveFormat,
  BackupReport,
  BackupRequest,
  ChangesReport,
  EntryRow,
  PruneReport,
  PruneRequest,
  RestoreReport,
  RestoreRequest,
  RunContext,
  SnapshotRow,
  VerifyReport,
  VerifyRequest,
} from '../contract/reports.ts';
import type { RecoveryKit } from './kit/recovery-kit.ts';
import type { Backend } from './storage/backend.ts';

/** What opens a destination's vault. */
export type Credentials =
  | { readonly kind: 'password'; readonly password: string }
  /** The text of a recovery-key file: one or more recovery keys, each on its own line. */
  | { readonly kind: 'recovery-key'; readonly text: string };

/** A place that snapshots go to, with what opens it. */
export interface OpenDestination {
  readonly backend: Backend;
  readonly credentials: Credentials;
  /** Where it lies on this computer, when it does: it must not lie inside a server's folder, nor the reverse. */
  readonly localPath?: string;
  /** Settings without secrets, as written into the recovery kit. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface SnapshotSelector {
  /** An id, a unique beginning of one, or `latest`. */
  readonly snapshot: string;
  /** Display name or slug; may be left out while the destination holds one server only. */
  readonly server?: string;
}

/** The engine's one door. Every call takes the destination it works on and throws a Fault. */
export interface Engine {
  backup(destination: OpenDestination, request: BackupRequest, run: RunContext): Promise<BackupReport>;
  /**
   * The same into several destinations, in their order: the folder is read once, and each copy is sealed, stored and checked by itself. A
   * destination that fails is its fault here, and the others go on. Throws for what concerns all of them.
   */
  backupToAll(
    destinations: readonly OpenDestination[],
    request: BackupRequest,
    run: RunContext,
  ): Promise<readonly (BackupReport | Fault)[]>;
  snapshots(destination: OpenDestination, filter: { readonly server?: string }, run: RunContext): Promise<readonly SnapshotRow[]>;
  /** The newest complete one of a server, which is there at once however many there are; null when none is. */
  newest(destination: OpenDestination, filter: { readonly server: string }, run: RunContext): Promise<SnapshotRow | null>;
  list(destination: OpenDestination, request: SnapshotSelector & { readonly path?: string }, run: RunContext): AsyncIterable<EntryRow>;
  /** What is new, changed (its content) or gone since the complete snapshot before it. Faults: unsupported (no manifest to look into). */
  changes(destination: OpenDestination, request: SnapshotSelector & { readonly limit: number }, run: RunContext): Promise<ChangesReport>;
  /** What differs between two snapshots, row by row in constant memory. Faults as of changes. */
  diff(
    destination: OpenDestination,
    request: { readonly before: string; readonly after: string; readonly server?: string },
    run: RunContext,
  ): Promise<DiffReport>;
  /** Paths in all snapshots of a server, from their manifests alone. Fault not-found when nothing matches. */
  find(destination: OpenDestination, request: FindRequest, run: LookContext): Promise<FindReport>;
  /** Every different content of one path. Fault not-found when no snapshot holds it. */
  versions(
    destination: OpenDestination,
    request: { readonly path: string; readonly server?: string; readonly limit: number },
    run: LookContext,
  ): Promise<FindReport>;
  /** What the servers take, what removing a snapshot would free, and how it grows. Memory grows with archives and snapshots, not with files. */
  usage(destination: OpenDestination, request: UsageRequest, run: LookContext): Promise<UsageReport>;
  restore(destination: OpenDestination, request: RestoreRequest, run: RunContext): Promise<RestoreReport>;
  verify(destination: OpenDestination, request: VerifyRequest, run: RunContext): Promise<VerifyReport>;
  prune(destination: OpenDestination, request: PruneRequest, run: RunContext): Promise<PruneReport>;
  /** Settles, as unpin does, to the id of the snapshot: the request may have said `latest`. */
  pin(destination: OpenDestination, request: SnapshotSelector & { readonly note?: string }, run: RunContext): Promise<string>;
  unpin(destination: OpenDestination, request: SnapshotSelector, run: RunContext): Promise<string>;
  /** Puts new vault records in front. With `newKey` the next snapshot uses a fresh vault key. */
  changePassword(
    destination: OpenDestination,
    request: { readonly newPassword: string; readonly newKey: boolean },
    run: RunContext,
  ): Promise<{ readonly records: number; readonly newKey: boolean }>;
  /** Whether the destination has a vault yet: a first backup asks for the password twice. */
  hasVault(backend: Backend, run: RunContext): Promise<boolean>;
  /** Opens the vault, or makes it where there is none, so that a recovery kit can be made before the first backup. Fault wrong-password. */
  ensureVault(destination: OpenDestination, run: RunContext): Promise<void>;
  /** What the recovery kit holds: settings, vault records, the recovery keys when asked for, the opener. */
  kit(destination: OpenDestination, request: { readonly recoveryKey: boolean }, run: RunContext): Promise<RecoveryKit>;
  /** Turns a sealed file on disk into its ZIP, or a manifest into its JSON lines, piece by piece. */
  openFile(
    file: AsyncIterable<Uint8Array>,
    request: {
      readonly credentials: Credentials;
      readonly vault?: Uint8Array;
      /** What its name says it is; without one, a file that does not begin like an archive, and has no vault, is taken for classic. */
      readonly format?: ArchiveFormat;
    },
    run: RunContext,
  ): Promise<{ readonly kind: 'zip' | 'json-lines'; readonly content: AsyncIterable<Uint8Array> }>;
}
