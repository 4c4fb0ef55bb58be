/** What the restore dialog is asked to bring back; null while it is closed. */
export interface RestoreWhat {
  readonly slug: string;
  /** Left out: the server's first. */
  readonly destination?: string;
  /** Left out: the newest. */
  readonly snapshot?: string;
  /** Only a part of it; left out: everything. */
  readonly part?: RestorePart;
}

export interface RestorePart {
  /** gitignore patterns, as `restore.start` takes them. */
  readonly include: readonly string[];
  /** For people, such as “playerdata and 2 files”. */
  readonly says: string;
  /** Null where nobody knows. */
  readonly bytes: number | null;
}

class Restoring {
  what = $state.raw<RestoreWhat | null>(null);
}

export const restoring = new Restoring();
