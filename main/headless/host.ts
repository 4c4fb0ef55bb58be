import type { DestinationCheck } from '../contract/reports.ts';
import type { Engine } from '../engine/engine.ts';
import type { RestoreTargets, UndoTarget } from '../engine/snapshots/restore-target.ts';
import type { Backend } from '../engine/storage/backend.ts';
import type { Bandwidth as Limiter } from '../engine/storage/layers/bandwidth.ts';
import type { KeychainKind } from '../contract/destinations.ts';
import type { CallRecord } from '../engine/storage/layers/observe.ts';
import type { SettingsFile } from '../adapters/config/settings-file.ts';
import type { Keychain } from '../engine/service/keychain.ts';
import type { Secrets } from './destination-secrets.ts';
import type { FoundDestination } from './find-destination.ts';

/** Where text or bytes go. `write` settles once they are handed over, so that a slow reader slows us down. */
export interface Sink {
  readonly isTTY: boolean;
  /** Width of the terminal in columns; 80 where it is not known. */
  readonly columns: number;
  /** The reader has gone (`| head`): further writes are dropped, and a long listing may stop. */
  readonly closed: boolean;
  write(data: string | Uint8Array): Promise<void>;
}

/** Told of every call that goes to a destination. */
export interface Observer {
  readonly onCall?: (record: CallRecord) => void;
}

/** Bytes per second; absent: as fast as it goes. */
export interface Bandwidth {
  readonly upload?: number;
  readonly download?: number;
  /** One limit for several destinations, which somebody else sets. */
  readonly shared?: Limiter;
  /** How often a call is made at most: few where a person waits for the answer. */
  readonly attempts?: number;
}

/** Everything a command may touch besides files named by the user. Tests pass their own. */
export interface CliHost {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** IANA time zone of this computer. */
  readonly zone: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Aborts at the first Ctrl-C. */
  readonly signal: AbortSignal;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Asks on the terminal without echo; null where there is no terminal to ask on. */
  readonly askSecret: ((question: string) => Promise<string>) | null;
  readonly openEngine: () => Promise<Engine>;
  readonly openSettings: () => Promise<SettingsFile>;
  /** The one that the settings name, or another kind; a passphrase where it is known already. */
  readonly openKeychain: (kind?: KeychainKind, passphrase?: string) => Promise<Keychain>;
  readonly openBackend: (destination: FoundDestination, secrets: Secrets, bandwidth: Bandwidth) => Promise<Backend>;
  readonly openTargets: () => Promise<{ readonly restore: RestoreTargets; readonly undo: UndoTarget }>;
  /** Tries everything a destination must be able to do, one check after the other. */
  readonly initializeProvider: (open: () => Promise<Backend>, signal: AbortSignal) => AsyncIterable<DestinationCheck>;
}

/** What a command gets beside its own arguments. */
export interface CommandContext {
  readonly host: CliHost;
  /** Says how the command ended. Called once; a command that throws has not ended. */
  readonly end: (exitCode: number) => void;
}
