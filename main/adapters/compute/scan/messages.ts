import type { ManifestFile } from '../unpack/messages.ts';

export interface ScanTask {
  readonly control: SharedArrayBuffer;
  readonly manifest: ManifestFile;
  readonly root: string;
  readonly excludes: readonly string[];
  readonly ignoreInode: boolean;
  /** Added to this computer's clock, for tests of coarse and wrong clocks. */
  readonly clockOffset: number;
}

export interface Scanned {
  readonly kind: 'scanned';
  readonly unchanged: boolean;
}
