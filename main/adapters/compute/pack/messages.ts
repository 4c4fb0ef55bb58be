import type { Warning } from '../../../contract/reports.ts';
import type { WireFault } from '../../../contract/faults.ts';
import type { ArchiveRef, OlderListed, PackBase, PackedArchive, PackKept, PackTotals, SealWith } from '../../../engine/archive/packer.ts';
import type { FrameRingMemory } from '../frame-ring.ts';
import type { ManifestFile } from '../unpack/messages.ts';

export interface ReaderTask {
  readonly ring: FrameRingMemory;
  readonly root: string;
  readonly excludes: readonly string[];
  readonly format: 'archive' | 'classic';
  readonly volumeSize: number;
  /** Milliseconds since 1970 minus this computer's clock, for tests of coarse and wrong clocks. */
  readonly clockOffset: number;
  /** How long the run goes on before it counts what is left to read. */
  readonly countAfterMs: number;
  readonly base: BaseTask | null;
  /** File handle of a spool for the contents that are looked for by hash. */
  readonly contents: number;
  /** Another, for the ZIP's central directory. */
  readonly directory: number;
  /** And one for the first names of files with several. */
  readonly firstNames: number;
}

export interface BaseTask extends Omit<PackBase, 'manifest' | 'older'> {
  readonly manifest: ManifestFile;
  readonly older: OlderTask | null;
}

/** Which lists of older snapshots there are, and where the answers come. */
export interface OlderTask {
  readonly lists: readonly OlderListed[];
  readonly answer: SharedArrayBuffer;
}

export interface CompressorTask {
  readonly ring: FrameRingMemory;
  readonly level: number;
}

export interface SealerTask {
  readonly ring: FrameRingMemory;
  /** Which target this seals for, from 0. */
  readonly target: number;
  readonly seal: SealWith;
  /** Null where another sealer writes the lines. */
  readonly spools: LineSpools | null;
  /** How many archives, the first ones, the base itself names. */
  readonly settled: number;
}

/** File handles of spools for entry lines, as zstd frames. */
export interface LineSpools {
  readonly manifest: number;
  /** What is written down of each volume as it is finished. */
  readonly volumes: number;
}

/** What workers tell the main thread. Data never travels this way: only that a part slot is full. */
export type WorkerMessage =
  | { readonly kind: 'fault'; readonly fault: WireFault }
  /** The reader waits for the older list of this number. */
  | { readonly kind: 'older'; readonly index: number }
  /** What there is to read in all, as far as can be told ahead. */
  | { readonly kind: 'counted'; readonly files: number; readonly bytes: number }
  | { readonly kind: 'read'; readonly totals: PackTotals; readonly kept: PackKept; readonly warnings: readonly Warning[] }
  | { readonly kind: 'volume-begin'; readonly target: number }
  | { readonly kind: 'part'; readonly target: number; readonly slot: number; readonly length: number }
  | { readonly kind: 'volume-end'; readonly target: number; readonly archive: PackedArchive; readonly isLast: boolean }
  | {
      readonly kind: 'volume-lines';
      readonly volume: number;
      readonly offset: number;
      readonly size: number;
      readonly order: readonly ArchiveRef[];
    }
  | { readonly kind: 'sealed'; readonly spoolSize: number; readonly order: readonly ArchiveRef[] };
