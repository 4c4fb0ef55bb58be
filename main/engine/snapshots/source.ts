import type { Progress } from '../../contract/reports.ts';
import type { Spool } from '../archive/packer.ts';

export interface ScanRequest {
  readonly root: string;
  readonly excludes: readonly string[];
  /** The last snapshot's manifest as it was sealed: zstd frames, the first line included. */
  readonly manifest: Spool;
  /** Inode numbers are not compared. */
  readonly ignoreInode?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Whether the folder is, entry by entry, what those lines say: the same paths with the same size, mtime, ctime, inode, mode, owner
 * and link target, and none of them racy then or now. False at the first difference. Reads no file.
 */
export type SourceScan = (request: ScanRequest) => Promise<boolean>;
