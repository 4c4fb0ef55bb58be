/** What the restore dialog is asked to bring back; null while it is closed. */
export interface RestoreWhat {
  readonly slug: string;
  /** Left out: the server's first. */
  readonly destination?: string;
  /** Left out: the newest. */
  readonly snapshot?: string;
  /** Paths that were ticked, each with all that is below it; left out: everything. */
  readonly include?: readonly string[];
  /** For people: bytes of what was ticked. */
  readonly bytes?: number;
}

class Restoring {
  what = $state.raw<RestoreWhat | null>(null);
}

export const restoring = new Restoring();
