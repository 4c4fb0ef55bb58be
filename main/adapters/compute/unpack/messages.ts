import type { WireFault } from '../../../contract/faults.ts';
import type { ArchiveDamage, UnpackResult } from '../../../engine/archive/unpacker.ts';
import type { MessageKeys } from '../../../engine/archive/seal.ts';
import type { FrameSize } from '../../../engine/archive/seek-table.ts';
import type { PlanHandles } from './plan-records.ts';
import type { PlanMemory } from './plan.ts';
import type { UnpackRingMemory } from './unpack-ring.ts';

export interface ManifestFile {
  readonly handle: number;
  readonly size: number;
  readonly name: string;
}

export interface PlannerTask {
  readonly control: SharedArrayBuffer;
  /** Empty files for the plan. */
  readonly handles: PlanHandles;
  readonly manifest: ManifestFile;
  readonly include: readonly string[];
  /** An empty file for a PathTable. */
  readonly borrowed: number;
  /** `seekTable`: where its ZIP is to be checked. */
  readonly archives: readonly { readonly whole: boolean; readonly seekTable: readonly FrameSize[] | null }[];
  /** The content is written, and not only checked. */
  readonly writes: boolean;
  /** What has been verified already, and the number of each archive there. */
  readonly verified: { readonly files: SharedArrayBuffer; readonly archives: readonly number[] } | null;
}

export interface Planned {
  readonly kind: 'planned';
  readonly plan: PlanMemory;
  /** The files that have to be read once more, in the order of their content, because they lie to and fro in their archives; null where there is none. */
  readonly ordered: PlanMemory | null;
  readonly bytes: number;
  /** What the tree takes on a disk: DiskNeeds. */
  readonly diskBytes: number;
  readonly diskEntries: number;
  /** Every file selected, hard links and empty ones too. */
  readonly files: number;
  /** Of these, what has been verified already and is not in the plan. */
  readonly known: { readonly files: number; readonly bytes: number };
  /** Of each file in the plan, where `verified` was given. */
  readonly fingerprints: SharedArrayBuffer;
}

/** One stretch of a stored object, read in one go: whole, or from one chunk border to another. */
export interface ReadRun {
  readonly archive: number;
  readonly offset: number;
  readonly length: number;
  readonly firstChunk: number;
  readonly reachesEnd: boolean;
  readonly whole: boolean;
  readonly firstFrame: number;
  readonly frames: number;
}

export interface OpenerTask {
  readonly ring: UnpackRingMemory;
  readonly plan: PlanMemory;
  readonly runs: readonly ReadRun[];
  readonly archives: readonly { readonly keys: MessageKeys; readonly head: Uint8Array }[];
  readonly tolerant: boolean;
}

export interface ExtractorTask {
  readonly ring: UnpackRingMemory;
  readonly plan: PlanMemory;
  readonly staging: string;
  readonly owner: boolean;
}

/** Shared by the threads that look into the target: a word each. */
export const keeperWords = { nextBlock: 0, running: 1 } as const;

/** What was kept, 64 bits each; `parts`: files of which a part was. */
export const keeperCounters = { files: 0, bytes: 1, parts: 2 } as const;

export interface KeeperTask {
  readonly control: SharedArrayBuffer;
  /** keeperWords. */
  readonly shared: SharedArrayBuffer;
  /** keeperCounters. */
  readonly counters: SharedArrayBuffer;
  /** A byte for each frame of the plan: 1 where no file needs it any more. */
  readonly spared: SharedArrayBuffer;
  readonly plan: PlanMemory;
  /** The folder that the target holds now. */
  readonly former: string;
  readonly staging: string;
  readonly owner: boolean;
}

export interface CheckerTask {
  readonly ring: UnpackRingMemory;
  readonly plan: PlanMemory;
  /** So many bytes of a file may come before what stands in front of them; 0 where frames come as they are stored. */
  readonly window: number;
  /** Where each archive's central directory lies in the spool; null, or nothing, where its ZIP is not checked. */
  readonly directories: readonly ({ readonly offset: number; readonly length: number } | null)[];
  readonly directorySpool: number;
}

export interface FinisherTask {
  readonly control: SharedArrayBuffer;
  readonly manifest: ManifestFile;
  readonly plan: PlanMemory;
  readonly include: readonly string[];
  /** An empty file for a PathTable. */
  readonly holders: number;
  readonly staging: string;
  readonly owner: boolean;
}

export interface LostLinksTask {
  readonly control: SharedArrayBuffer;
  readonly manifest: ManifestFile;
  readonly plan: PlanMemory;
}

export type UnpackMessage =
  | { readonly kind: 'fault'; readonly fault: WireFault }
  | Planned
  | { readonly kind: 'damage'; readonly damage: ArchiveDamage }
  /** A frame that did not come out whole: what lies in it is lost. */
  | { readonly kind: 'lost-frame'; readonly frame: number }
  /** A file that came out, but not as the manifest says. */
  | { readonly kind: 'lost-file'; readonly file: number; readonly why: string }
  /** A file that was put together from pieces of the target and fetched ones, and has not the hash of the whole. */
  | { readonly kind: 'unlike'; readonly file: number }
  | { readonly kind: 'lost-links'; readonly names: readonly string[] }
  | { readonly kind: 'hashed'; readonly archive: number; readonly sha256: string }
  | (Pick<UnpackResult, 'root' | 'links' | 'folders'> & { readonly kind: 'finished'; readonly lostLinks: readonly string[] });
