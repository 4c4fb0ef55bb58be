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
}

export const keyWarning = 'OPENS EVERYTHING WITHOUT THE PASSWORD. Guard it like the data itself.';

export const withHoldfast: readonly string[] = [
  'Install Holdfast and have the password ready (it is not in this kit).',
  'holdfast snapshots -d DESTINATION',
  'holdfast restore latest -d DESTINATION --server NAME --target FOLDER',
];

/** Each step, and what belongs to it on lines of its own. */
export const withoutHoldfast: readonly (readonly string[])[] = [
  ["Download a server's newest .holdfast file(s) and its .manifest."],
  ['Save the program at the end of this page as open.py, and the vault below as holdfast.vault (base64 -d).'],
  [
    'python3 open.py SNAPSHOT.holdfast --vault holdfast.vault -o out.zip   (needs python3-cryptography and zstd)',
    'It asks for the password. With a recovery key instead:',
    'python3 open.py SNAPSHOT.holdfast --recovery-key HFRK1-... --vault holdfast.vault -o out.zip',
  ],
  ['unzip out.zip; files in pieces: cat .holdfast/pieces/NAME@* > NAME'],
];
