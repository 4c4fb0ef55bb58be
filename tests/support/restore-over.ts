import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { folderBackend } from '../../main/adapters/storage/folder/folder-backend.ts';
import type { RestoreReport, RestoreRequest } from '../../main/contract/reports.ts';
import { seeTree } from './compare-trees.ts';
import { countingReads, type Reads } from './counting-reads.ts';
import { movableClock, world, type World } from './engine-on-memory.ts';
import { tempFolder } from './temp-folder.ts';

/** A folder that has been backed up, and a target that holds most of it already. */
export interface Place {
  readonly one: World;
  readonly source: string;
  /** A copy of the source, with all its stamps. */
  readonly target: string;
  readonly reads: Reads;
  restore(request?: Partial<RestoreRequest>): Promise<RestoreReport>;
}

/** Backs a tree up into a folder destination, and once more after `then`; the target is as it was before that. Its reads are counted from then on. */
export async function backedUp(make: (folder: string) => void, then?: (folder: string) => void): Promise<Place> {
  const base = tempFolder();
  const [source, target] = [join(base, 'source'), join(base, 'target')];
  mkdirSync(source);
  make(source);
  const backend = folderBackend(join(base, 'destination'));
  const clock = movableClock();
  await world({ backend, clock }).backup(source);
  execFileSync('cp', ['-a', '--sparse=always', source, target]);
  if (then !== undefined) {
    then(source);
    // Snapshots of one second have no order.
    clock.offset += 60_000;
    await world({ backend, clock }).backup(source);
  }
  const reads: Reads = new Map();
  const one = world({ backend: countingReads(backend, reads), clock });
  return { one, source, target, reads, restore: (request) => one.restore(target, { replace: true, ...request }) };
}

export const sameTree = ({ source, target }: Place): void => {
  expect(seeTree(target, { owners: true })).toEqual(seeTree(source, { owners: true }));
};

export function overwrite(path: string, at: number, bytes: Buffer): void {
  const handle = openSync(path, 'r+');
  try {
    writeSync(handle, bytes, 0, bytes.length, at);
  } finally {
    closeSync(handle);
  }
}

/** A small file, and a large one that nothing compresses. */
export const large =
  (size: number, name = 'large') =>
  (folder: string): void => {
    writeFileSync(join(folder, 'small'), 'small');
    writeFileSync(join(folder, name), randomBytes(size));
  };
