import type { FoundVersion, SnapshotRun } from '../../contract/look-reports.ts';
import { showPath, type BytePath } from '../archive/byte-path.ts';
import { isoNanoseconds } from '../archive/nanoseconds.ts';
import type { ManifestEntry } from './manifest-entry.ts';
import type { DataProblem } from './stored-state.ts';

interface Run {
  /** Numbers of snapshots, newest first. */
  readonly first: number;
  last: number;
}

interface Version {
  readonly entry: Pick<ManifestEntry, 'type' | 'size' | 'mtime' | 'target'>;
  readonly sha256: string | undefined;
  readonly problem: DataProblem | null;
  readonly key: string;
  readonly runs: Run[];
}

/**
 * Folds what is found in snapshot after snapshot, newest first: equal content of a path is one version, with the stretches of snapshots that
 * hold it. So a file that never changed costs as much as one in a single snapshot.
 */
export class Versions {
  readonly limit: number;
  readonly #paths = new Map<BytePath, Version[]>();
  #count = 0;
  #more = false;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** There were more versions than are held. */
  get more(): boolean {
    return this.#more;
  }

  /** `content`: the entry that holds it, which for a further name of a file is that of the first name. */
  add(entry: ManifestEntry, content: ManifestEntry, problem: DataProblem | null, snapshot: number): void {
    const key = [entry.type, content.sha256 ?? entry.target ?? '', problem?.state ?? ''].join(' ');
    const known = this.#paths.get(entry.path);
    const same = known?.find((version) => version.key === key);
    if (same === undefined) {
      if (this.#count >= this.limit) {
        this.#more = true;
        return;
      }
      this.#count += 1;
      const { type, size, mtime, target } = entry;
      const version: Version = {
        entry: { type, size: type === 'file' ? content.size : size, mtime, ...(target === undefined ? {} : { target }) },
        sha256: content.sha256,
        problem,
        key,
        runs: [{ first: snapshot, last: snapshot }],
      };
      if (known === undefined) this.#paths.set(entry.path, [version]);
      else known.push(version);
      return;
    }
    const run = same.runs.at(-1);
    if (run !== undefined && run.last >= snapshot - 1) run.last = snapshot;
    else same.runs.push({ first: snapshot, last: snapshot });
  }

  /** `ids`: of the snapshots that were looked into, newest first. */
  found(ids: readonly string[]): readonly FoundVersion[] {
    return [...this.#paths].flatMap(([path, versions]) =>
      versions.map(({ entry, sha256, problem, runs }) => ({
        path: showPath(path),
        type: entry.type,
        size: entry.size,
        mtime: isoNanoseconds(BigInt(entry.mtime)),
        ...(entry.target === undefined ? {} : { target: showPath(entry.target) }),
        ...(sha256 === undefined ? {} : { sha256 }),
        snapshots: runs.map((run): SnapshotRun => ({
          newest: ids[run.first] ?? '',
          oldest: ids[run.last] ?? '',
          count: run.last - run.first + 1,
        })),
        state: problem?.state ?? 'whole',
        ...(problem === null ? {} : { problem: problem.message }),
      })),
    );
  }
}
