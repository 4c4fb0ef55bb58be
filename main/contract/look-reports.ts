import type { EntryRow, EntryType, RunContext, Warning } from './reports.ts';

/* What the commands that only look give: diff, find, versions, usage. Plain data, as in reports.ts. */

/** Handed to what looks into one snapshot after the other. */
export interface LookContext extends Pick<RunContext, 'signal'> {
  readonly onSnapshot?: (done: number, all: number) => void;
}

/** What a file says of itself beside its content. */
export type MetadataField = 'mode' | 'owner' | 'mtime' | 'links';

/** One path that differs between two snapshots. `metadata`: its content is the same, what it says beside is not. */
export interface DiffRow {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed' | 'metadata';
  readonly type: EntryType;
  /** In the later snapshot; of what was removed, in the earlier one. */
  readonly size: number;
  /** In the earlier snapshot; absent for what was added. */
  readonly sizeBefore?: number;
  /** What else differs; empty for what was added or removed. */
  readonly fields: readonly MetadataField[];
}

export interface DiffReport {
  readonly before: string;
  readonly after: string;
  /** In the order of the snapshots, as the two manifests are read. */
  readonly rows: AsyncIterable<DiffRow>;
}

/** `missing`: an archive that holds some of it is gone, or is not as long as it was written. */
export type DataState = 'whole' | 'damaged' | 'missing';

/** Snapshots one after the other, of those that could be read, that hold the same. */
export interface SnapshotRun {
  readonly newest: string;
  readonly oldest: string;
  readonly count: number;
}

/** A path with one content, and where it is kept. The same content in a damaged archive and in a whole one is two. */
export interface FoundVersion extends Pick<EntryRow, 'path' | 'type' | 'size' | 'mtime' | 'target'> {
  /** Of a file's content, lower-case hex. */
  readonly sha256?: string;
  /** Newest first. */
  readonly snapshots: readonly SnapshotRun[];
  readonly state: DataState;
  /** What is wrong with it; absent when whole. */
  readonly problem?: string;
}

export interface FindRequest {
  /** gitignore syntax, as for a restore of a part: a folder that matches stands for all that is in it. */
  readonly pattern: string;
  readonly server?: string;
  /** How many versions are told of at most. */
  readonly limit: number;
}

export interface FindReport {
  readonly server: string;
  readonly slug: string;
  /** How many snapshots were looked into. */
  readonly searched: number;
  /** By path: those of the newest snapshot first; of one path, the newest version first. */
  readonly versions: readonly FoundVersion[];
  /** There were more than the limit. */
  readonly more: boolean;
  readonly warnings: readonly Warning[];
}

export interface UsageRequest {
  readonly server?: string;
  /** Bytes that the backup place may take: when will they be reached? */
  readonly cap?: number;
}

export interface SnapshotUsage {
  readonly id: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** Of its files; null where only reading it would tell. */
  readonly bytes: number | null;
  /** Stored bytes that this run itself has written, as far as they are still there. */
  readonly ownBytes: number;
  /** What would go if it alone were removed. */
  readonly freedBytes: number;
  readonly state: DataState;
  /** Files that cannot be brought back, as a verification has found. */
  readonly damagedFiles: number;
  readonly problem?: string;
}

/** What came within a day or a month (UTC) and is still there. */
export interface GrowthStep {
  /** `2026-11-23` or `2026-11`. */
  readonly period: string;
  readonly addedBytes: number;
  /** All that was there by its end. */
  readonly storedBytes: number;
}

export interface ServerUsage {
  readonly server: string;
  readonly slug: string;
  /** All of the server's objects: the sum of the next four. */
  readonly storedBytes: number;
  /** What some snapshot needs. */
  readonly liveBytes: number;
  /** In archives that are still named: content that no snapshot names any more. */
  readonly deadBytes: number;
  /** Archives that no snapshot names. */
  readonly unnamedBytes: number;
  /** Of runs that have not come to their end, or may still be under way. */
  readonly unfinishedBytes: number;
  /** Oldest first. */
  readonly snapshots: readonly SnapshotUsage[];
  readonly growth: readonly GrowthStep[];
  /** What comes in a day, lately; null while there is too little to tell by. */
  readonly bytesPerDay: number | null;
}

export interface UsageForecast {
  readonly bytesPerDay: number;
  readonly in30Days: number;
  readonly in90Days: number;
}

export interface UsageReport {
  readonly servers: readonly ServerUsage[];
  readonly storedBytes: number;
  /** Of all these servers together, as if nothing were removed; null while there is too little to tell by. */
  readonly forecast: UsageForecast | null;
  /** `reachedAt`: ISO 8601, UTC; null: not at this rate, or that cannot be told yet. */
  readonly cap?: { readonly bytes: number; readonly reachedAt: string | null };
  readonly warnings: readonly Warning[];
}
