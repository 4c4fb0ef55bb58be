import type { Fault } from '../../contract/faults.ts';
import type { Job } from '../../contract/jobs.ts';
import type { Notice } from '../../contract/notices.ts';
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
  /**
   * Stops the server for a restore that replaces its folder, and starts it again. Absent where it cannot. Settles to false where it was off already;
   * a fault with context.told says that it may end yet.
   */
  readonly stop?: (signal: AbortSignal) => Promise<boolean>;
  readonly start?: () => Promise<void>;
  /** How many people are on the server now. Absent where it cannot be asked. */
  readonly players?: (signal: AbortSignal) => Promise<number>;
}

/** The jobs that were, newest first, and small facts that must outlive the process. All but what is at rest may be deleted at any time. */
export interface StateStore {
  /** Jobs of earlier runs of the process, newest first. */
  jobs(): readonly Job[];
  /** Adds a job, or replaces the one with its id. */
  putJob(job: Job): void;
  /** Puts rebuilt jobs of a server among the others, each at its time, for those that were rebuilt before. */
  putRebuilt(slug: string, jobs: readonly Job[]): void;
  facts(slug: string): ServerFacts;
  /** What is not given stays as it is. */
  changeFacts(slug: string, changes: Partial<ServerFacts>): void;
  /** Forgets its facts and its jobs: another one of its name begins anew. What is at rest stays. */
  removeServer(slug: string): void;
  /** What was brought to rest and has not been told to go on: what a crash left so is known by it. */
  resting(): readonly Resting[];
  /** Settles to null once it is on disk, else to why it is not; then flush() tries again. Never rejects. */
  setResting(resting: readonly Resting[]): Promise<Fault | null>;
  /** Settles to null once everything that was put is on disk, else to why it is not; then the next one tries again. Never rejects. */
  flush(): Promise<Fault | null>;
}

/** Times are milliseconds since 1970. */
export interface ServerFacts {
  /** When the server came to this computer's settings. */
  readonly since: number;
  /** When the last run began that ended well, in every destination. */
  readonly lastSuccess: number | null;
  /** Its schedule and zone as text, and since when, where it had others before; null: not looked at yet. */
  readonly schedule: { readonly text: string; readonly since: number | null } | null;
  /** When the last run that ended well in a destination began, by its name; one that is not here ended well with the last success. */
  readonly places: Readonly<Record<string, number>>;
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
  /** When that was asked for; null where it is until it is resumed. */
  readonly pausedAt: number | null;
  readonly bytes: number;
  readonly storedBytes: number;
  /** Full verifications and drills by `<kind>/<destination>`: when the last one ended well, and when one was tried. */
  readonly checks: Readonly<Record<string, { readonly ok: number | null; readonly tried: number }>>;
  /** What people were told of and has not been taken back, by kind: when last, and how often it came up since. */
  readonly told: Readonly<Record<string, { readonly at: number; readonly times: number }>>;
  /** Notices that targets have not got yet. */
  readonly undelivered: readonly Undelivered[];
}

/** A server that is at rest because of us, and all that it takes to let it go on, whatever becomes of its settings meanwhile. */
export interface Resting extends Pick<ServerSettings, 'slug' | 'name' | 'quiesce'> {
  /** Its settings were removed: its secrets are kept until it has gone on, and no longer. */
  readonly removed: boolean;
  /** The password of its console is another by now: the one that it had is kept by the name of that console until it has gone on. */
  readonly former?: true | undefined;
}

/** A notice that one target has not got yet. */
export interface Undelivered {
  /** What it is about: what is newer of the same takes its place. */
  readonly matter: string;
  readonly target: string;
  readonly notice: Notice;
  /** How often it was sent in vain, and when last. */
  readonly tries: number;
  readonly at: number;
}

export const noFacts: Omit<ServerFacts, 'since'> = {
  lastSuccess: null,
  schedule: null,
  places: {},
  unchangedSince: null,
  lastVerified: null,
  lastProven: null,
  doubted: null,
  failures: null,
  pausedUntil: null,
  pausedAt: null,
  bytes: 0,
  storedBytes: 0,
  checks: {},
  told: {},
  undelivered: [],
};

/** Variables that a hook gets beside the process's own. */
export type HookEnvironment = Readonly<Record<string, string>>;

/** A step of a job, for the log. */
export interface JobNote {
  readonly job: Job;
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

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
  quiesce(server: Pick<Resting, 'slug' | 'quiesce' | 'former'>): Promise<Quiesce>;
  /** Forgets the secrets of a server that is in the settings no more. Never rejects. */
  readonly forgetSecrets?: (slug: string) => Promise<void>;
  /** Forgets the former password of one that has gone on. Never rejects. */
  readonly forgetFormer?: (resting: Resting) => Promise<void>;
  /** Runs a command to its end. A status other than 0, a signal and a time-out are faults. */
  runHook(command: HookCommand, environment: HookEnvironment, signal: AbortSignal): Promise<void>;
  /** Why nothing is to be started by itself now, in one sentence; null when nothing is against it. */
  readonly held?: () => string | null;
  /** The same, looked at now: what was seen last may be from before the computer slept, and at the start nothing was seen yet. Never rejects. */
  readonly lookHeld?: () => Promise<string | null>;
  /** When the account of a destination was signed in with last, milliseconds since 1970; null where it never was, or has no account. */
  readonly signedInAt?: (destination: string) => number | null;
  readonly onJobNote?: (note: JobNote) => void;
  /** When somebody opened the keychain last, milliseconds since 1970; null where nobody has since the start. */
  readonly keychainOpenedAt?: () => number | null;
  /** Told of what went wrong without a job that could say so. */
  readonly onProblem?: (message: string, error: unknown) => void;
  /**
   * Keeps others of this computer from bringing the server of this folder to rest, or letting it go on, until it is released. Fault locked: somebody else
   * has it at rest.
   */
  readonly holdRest?: (folder: string) => Promise<{ release(): Promise<void> }>;
  /** The folder behind all links, also where it does not exist yet. */
  realPlace(path: string): Promise<string>;
  /** Finishes what a killed restore left of this folder; settles to what was done, in words. */
  readonly recoverFolder?: (folder: string) => Promise<readonly string[]>;
  /** Called before anything of others runs: what is secret can be hidden from then on. Never rejects. */
  readonly knowSecrets?: () => Promise<void>;
  /** Hides secrets in texts that came from outside. */
  readonly redact?: (text: string) => string;
  /** An empty folder for test restores, on a disk with room, and its removal. */
  scratch(): Promise<{ readonly path: string; remove(): Promise<void> }>;
}
