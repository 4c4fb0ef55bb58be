import type { AccountInfo } from '../../contract/account-info.ts';
import type { DestinationSettings } from '../../contract/destination-settings.ts';
import type { KeychainKind } from '../../contract/destinations.ts';
import type { Notice, NoticeTarget } from '../../contract/notices.ts';
import type { DestinationCheck } from '../../contract/reports.ts';
import type { Settings } from '../../contract/settings.ts';
import type { OpenDestination } from '../engine.ts';
import type { Keychain } from './keychain.ts';
import { type Say } from '../../contract/sayings.ts';
import type { RealPlace } from './apart.ts';

/** Secrets by the names that belong to the provider or to the notice. */
export type Secrets = Readonly<Record<string, string>>;

export interface LiveSettings {
  /** What holds now: the last that could be used. */
  current(): Settings;
  /** Looks at the file now, as a look of the watch does: what stands in it holds from here on, if it can be used. Never rejects. */
  readonly refresh: () => Promise<void>;
  /** Aborted by the next change of what holds; one that was taken before what holds was read misses none. */
  changed(): AbortSignal;
  /** What is wrong with the file as it stands; empty when nothing is. */
  problem(): string;
  /** Changes and writes them; settles to what is written. Never writes over a file that cannot be used, nor what problemsOf() names. */
  update(change: (settings: Settings) => Settings): Promise<Settings>;
  /**
   * Runs it while no other process, and nobody else here, changes a destination and its secrets, which lie in two places. `now`: what stands in the file.
   * Fault locked after ten seconds of waiting.
   */
  readonly alone: <T>(work: (now: Settings) => Promise<T>) => Promise<T>;
}

/** A sign-in that waits for a person at a browser. */
export interface BegunSignIn {
  readonly link: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Those that were given, with the client id in force. */
  readonly settings: DestinationSettings;
  /** The client's own secret; empty where there is none. */
  readonly clientSecrets: Secrets;
  /** Settles with the refresh token. Faults: timeout, permission-denied (the person said no), those of the exchange. */
  finished(): Promise<Secrets>;
  /** The address that a browser on another computer ended on. Fault config-invalid: it is none, and the wait goes on. */
  readonly answer: (address: string) => void;
  readonly close: () => Promise<void>;
}

/** What is kept of a client at a provider. */
export interface KeptClient {
  readonly secrets: Secrets;
  /** That they were given with; empty where none is known. */
  readonly clientId: string;
}

/** What the calls that change settings need beside what runs jobs. */
export interface SettingsHost {
  readonly settings: LiveSettings;
  /** The one in force. */
  keychain(): Promise<Keychain>;
  /** Another kind, to move to; the passphrase is for a key file that is yet to be made. */
  keychainOf(kind: KeychainKind, passphrase: string | undefined): Promise<Keychain>;
  /** How a destination's address is shown to people. */
  labelOf(settings: DestinationSettings): string;
  /** One check after the other; `onBegin` is told of each before it is made. */
  initializeProvider(
    settings: DestinationSettings,
    secrets: Secrets,
    signal: AbortSignal,
    onBegin: (name: string) => void,
  ): AsyncIterable<DestinationCheck>;
  /** A destination that need not be in the settings yet. */
  openWith(name: string, settings: DestinationSettings, secrets: Secrets, password: string): Promise<OpenDestination>;
  /** Faults: config-invalid (no client id, or a provider without sign-in), locked. `kept`: of a destination that there is already. */
  beginSignIn(request: {
    readonly settings: DestinationSettings;
    readonly clientSecret: string | undefined;
    readonly kept: KeptClient;
    readonly signal: AbortSignal;
  }): Promise<BegunSignIn>;
  /** Null where the provider has no accounts. `name`: of the destination, whose token is kept anew when the provider changes it. */
  readonly accountOf: (
    settings: DestinationSettings,
    secrets: Secrets,
    how: { readonly name: string | null; readonly signal: AbortSignal; readonly onRefreshToken?: (token: string) => void },
  ) => Promise<AccountInfo | null>;
  /** Why the folder cannot be backed up; null when it can. */
  readonly folderProblem: (path: string) => Promise<{ readonly problem: string; readonly say: Say } | null>;
  readonly realPlace: RealPlace;
  /** With all that is missing above it. Faults: config-invalid (something else stands there), permission-denied. */
  readonly makeFolder: (path: string) => Promise<void>;
  /** Sends it; settles once the receiver has taken it. */
  readonly deliver: (target: NoticeTarget, secrets: Secrets, notice: Notice, signal: AbortSignal) => Promise<void>;
  /** Bytes that only the passphrase opens, and back. */
  seal(content: string, passphrase: string): Promise<Uint8Array>;
  unseal(sealed: Uint8Array, passphrase: string): Promise<string>;
}
