import type { Job } from '../../contract/jobs.ts';
import type { HookCommand, ServerSettings } from '../../contract/server-settings.ts';
import type { Engine, OpenDestination } from '../engine.ts';
import type { Clock, Random } from '../ports.ts';

/** How a running server is brought to rest while its folder is read. */
export interface Quiesce {
  /** Settles once the folder may be read. After a fault of this, resume() is called all the same. */
  pause(signal: AbortSignal): Promise<void>;
  /** Lets the server go on; also called when nobody knows whether it was paused, so doing it twice must do no harm. */
  resume(): Promise<void>;
  /** Whether there is anything to bring to rest, or to stop. Absent: nobody can say before trying. */
  readonly isRunning?: (signal: AbortSignal) => Promise<boolean>;
  /** Stops the server for a restore that replaces its folder, and starts it again. Absent where it cannot. */
  readonly stop?: (signal: AbortSignal) => Promise<void>;
  readonly start?: () => Promise<void>;
  /** How many people are on the server now. Absent where it cannot be asked. */
  readonly players?: (signal: AbortSignal) => Promise<number>;
}

/** The jobs that were, newest first, and small facts that must outlive the process. All of it may be deleted at any time. */
export interface StateStore {
  /** Jobs of earlier runs of the process, newest first. */
  jobs(): readonly Job[];
  /** Adds a job, or replaces the one with its id. */
  putJob(job: Job): void;
  facts(slug: string): ServerFacts;
  /** What is not given stays as it is. */
  changeFacts(slug: string, changes: Partial<ServerFacts>): void;
  removeServer(slug: string): void;
  /** Everything that was put is on disk. */
  flush(): Promise<void>;
}

/** Times are milliseconds since 1970. */
export interface ServerFacts {
  /** When the server came to this computer's settings. */
  readonly since: number;
  readonly lastSuccess: number | null;
  readonly unchangedSince: number | null;
  /** When every destination had been read back as a whole. */
  readonly lastVerified: number | null;
  /** The last time a snapshot was brought back for trial and compared. */
  readonly lastProven: number | null;
  /**
   * The success, or else the coming, that lies far in the future, and when that was first seen: it was stamped by a clock that has been set back since.
   * Null where there is none.
   */
  readonly doubted: { readonly stamp: number; readonly seenAt: number } | null;
  readonly failures: { readonly count: number; readonly at: number; readonly mayPass: boolean } | null;
  readonly pausedUntil: number | null;
  /** Set before a server is paused and cleared once it goes on: what a crash left paused is known by it. */
  readonly quiesced: boolean;
  readonly bytes: number;
  readonly storedBytes: number;
  /** Full verifications and drills by `<kind>/<destination>`: when the last one ended well, and when one was tried. */
  readonly checks: Readonly<Record<string, { readonly ok: number | null; readonly tried: number }>>;
  /** What people were told of and has not been taken back, by kind: when last, and how often it came up since. */
  readonly told: Readonly<Record<string, { readonly at: number; readonly times: number }>>;
}

export const noFacts: Omit<ServerFacts, 'since'> = {
  lastSuccess: null,
  unchangedSince: null,
  lastVerified: null,
  lastProven: null,
  doubted: null,
  failures: null,
  pausedUntil: null,
  quiesced: false,
  bytes: 0,
  storedBytes: 0,
  checks: {},
  told: {},
};

/** Variables that a hook gets beside the process's own. */
export type HookEnvironment = Readonly<Record<string, string>>;

/** All that the service needs of the computer and of the settings. */
export interface ServiceHost {
  readonly clock: Clock;
  /** Of the schedule, where its sleep may be ended early. */
  readonly scheduleClock?: Clock;
  readonly random: Random;
  readonly engine: Engine;
  readonly store: StateStore;
  /** The servers that the settings name now. */
  servers(): readonly ServerSettings[];
  /** Backend, settings and password of a destination. Faults: config-invalid (no such name), sign-in-needed, locked (the keychain). */
  openDestination(name: string): Promise<OpenDestination>;
  quiesce(server: ServerSettings): Promise<Quiesce>;
  /** Runs a command to its end. A status other than 0, a signal and a time-out are faults. */
  runHook(command: HookCommand, environment: HookEnvironment, signal: AbortSignal): Promise<void>;
  /** Why nothing is to be started by itself now, in one sentence; null when nothing is against it. */
  readonly held?: () => string | null;
  /** When the account of a destination was signed in with last, milliseconds since 1970; null where it never was, or has no account. */
  readonly signedInAt?: (destination: string) => number | null;
  /** When somebody opened the keychain last, milliseconds since 1970; null where nobody has since the start. */
  readonly keychainOpenedAt?: () => number | null;
  /** Told of what went wrong without a job that could say so. */
  readonly onProblem?: (message: string, error: unknown) => void;
  /** Called before anything of others runs: what is secret can be hidden from then on. Never rejects. */
  readonly knowSecrets?: () => Promise<void>;
  /** Hides secrets in texts that came from outside. */
  readonly redact?: (text: string) => string;
  /** An empty folder for test restores, on a disk with room, and its removal. */
  scratch(): Promise<{ readonly path: string; remove(): Promise<void> }>;
}
