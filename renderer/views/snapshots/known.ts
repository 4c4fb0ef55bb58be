import type { Entry } from '../../../main/contract/snapshot-calls.ts';

/** What was read of a snapshot. Nothing is drawn from it directly, so that none of it is state. */
export class Known {
  /** Entries of folders, by path. */
  readonly folders = new Map<string, readonly Entry[]>();
  /** Folders that are being read. */
  readonly opening = new Set<string>();
  /** Bytes of ticked and unticked paths; null while they are asked for. */
  readonly bytes = new Map<string, number | null>();
}
