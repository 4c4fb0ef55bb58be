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

export const keyWarning = 'OPENS EVERYTHING WITHOUT THE PASSWORD. Guard it like the data itself.';

export const withHoldfast: readonly string[] = [
  'Install Holdfast and have the password ready (it is not in this kit).',
  'holdfast snapshots -d DESTINATION',
  'holdfast restore latest -d DESTINATION --server NAME --target FOLDER',
];

/** Each step, and what belongs to it on lines of its own. */
export const withoutHoldfast: readonly (readonly string[])[] = [
  ["Download a server's .holdfast files and the .manifest of the snapshot: it may rest on archives of earlier runs."],
  ['Save the programs at the end of this page as tree.py and open.py, and the vault below as holdfast.vault (base64 -d).'],
  ['The whole tree: python3 tree.py SNAPSHOT.manifest --vault holdfast.vault -o out   (needs python3-cryptography and zstd)'],
  [
    'One archive: python3 open.py SNAPSHOT.holdfast --vault holdfast.vault -o out.zip',
    'It asks for the password. With a recovery key instead:',
    'python3 open.py SNAPSHOT.holdfast --recovery-key HFRK1-... --vault holdfast.vault -o out.zip',
  ],
  ['unzip out.zip; files in pieces, of one run only: cat .holdfast/pieces/NAME@* > NAME'],
];
