import type { Entry } from '../../../main/contract/snapshot-calls.ts';

/** What is below a path; `exact` unless there is more than could be asked for at once. */
export interface Amount {
  readonly files: number;
  readonly bytes: number;
  readonly exact: boolean;
}

/** What was read of a snapshot. Nothing is drawn from it directly, so that none of it is state. */
export class Known {
  /** Entries of folders, by path. */
  readonly folders = new Map<string, readonly Entry[]>();
  /** Folders that are being read. */
  readonly opening = new Set<string>();
  /** Of ticked and unticked paths; null while it is asked for. */
  readonly amounts = new Map<string, Amount | null>();
}
