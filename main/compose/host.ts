import type { SettingsFile } from '../adapters/config/settings-file.ts';
import type { PowerState } from '../adapters/system/power.ts';
import type { DestinationSettings } from '../contract/destination-settings.ts';
import type { KeychainKind } from '../contract/destinations.ts';
import type { DestinationCheck } from '../contract/reports.ts';
import type { Engine } from '../engine/engine.ts';
import type { Keychain } from '../engine/service/keychain.ts';
import type { RestoreTargets, UndoTarget } from '../engine/snapshots/restore-target.ts';
import type { Backend } from '../engine/storage/backend.ts';
import type { Bandwidth as Limiter } from '../engine/storage/layers/bandwidth.ts';
import type { CallRecord } from '../engine/storage/layers/observe.ts';
import type { Secrets } from './destination-secrets.ts';

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

/** A destination as it was asked for: by name, with what is kept of it, or by address. */
export interface FoundDestination {
  readonly settings: DestinationSettings;
  /** Null for an address. */
  readonly name: string | null;
  /** Its secrets are all there are: the environment is not asked, although it has no name yet. */
  readonly isNew?: boolean;
}

/** What the service and the commands are made of, on any host. Tests pass their own. */
export interface Host {
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** IANA time zone of this computer. */
  readonly zone: string;
  /** Where the host knows better than Linux' files. */
  readonly power?: () => Promise<PowerState>;
  /** Aborts when the process is told to stop. */
  readonly signal: AbortSignal;
  readonly openEngine: () => Promise<Engine>;
  readonly openSettings: () => Promise<SettingsFile>;
  /** The one that the settings name, or another kind; a passphrase where it is known already. Fault wrong-password: it is not this one. */
  readonly openKeychain: (kind?: KeychainKind, passphrase?: string) => Promise<Keychain>;
  readonly openBackend: (destination: FoundDestination, secrets: Secrets, bandwidth: Bandwidth) => Promise<Backend>;
  readonly openTargets: () => Promise<{ readonly restore: RestoreTargets; readonly undo: UndoTarget }>;
  /** Tries everything a destination must be able to do, one check after the other; `onBegin` is told of each before it is made. */
  readonly initializeProvider: (
    open: () => Promise<Backend>,
    signal: AbortSignal,
    onBegin?: (name: string) => void,
  ) => AsyncIterable<DestinationCheck>;
}
