/** What opens a destination's snapshots on any computer, in parts: as text or as a page it says the same. */
export interface RecoveryKit {
  /** `2026-11-24` */
  readonly madeOn: string;
  /** The computer that made it. */
  readonly host: string;
  /** Of the destination, without secrets. */
  readonly settings: Readonly<Record<string, string>>;
  /** The vault records, base64 on one line. */
  readonly vault: string;
  /** One for each vault key in use; empty when they were not asked for. */
  readonly recoveryKeys: readonly string[];
  /** The text of open.py. */
  readonly opener: string;
  /** The text of tree.py, which stands beside it. */
  readonly tree: string;
}
