import type { Keychain as KeychainDescription } from '../../contract/destinations.ts';

/** A place for secrets. Names are ours: `destination/<name>/<secret>`. */
export interface Keychain {
  /** Which one this is and how strong it is, for people. */
  describe(): Promise<KeychainDescription>;
  /** Whether there is anything in it, as far as can be told without opening it. */
  exists(): Promise<boolean>;
  /** Has the person at the desktop asked to unlock it; settles once it is open. Absent: nobody can be asked. */
  open?(): Promise<void>;
  get(name: string): Promise<string | null>;
  /** `null` removes it. All or none of them. */
  set(secrets: Readonly<Record<string, string | null>>): Promise<void>;
  names(): Promise<readonly string[]>;
  /** Whether it is given from outside and cannot be set here. Absent: none is. */
  isGiven?(name: string): Promise<boolean>;
  /** Every secret that is given from outside, its own passphrase too, without opening what is behind. Absent: none is. */
  given?(): Promise<readonly string[]>;
}
