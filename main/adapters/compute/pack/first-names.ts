import type { BigIntStats } from 'node:fs';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { pathKey, type PathKey, type PathTable } from '../path-table.ts';

/**
 * Under which name a file with several was met first, until it has been met under all of them. Not in memory: the other names of a million files may come late, or
 * lie outside of the folder.
 */
export class FirstNames {
  readonly #names: PathTable;

  constructor(names: PathTable) {
    this.#names = names;
  }

  /** How many have names to come. */
  get size(): number {
    return this.#names.size;
  }

  /** The first name of a file that was read or kept. */
  add(path: BytePath, stat: BigIntStats): void {
    if (stat.nlink > 1n) this.#names.add(keyOf(stat), path, Number(stat.nlink) - 1);
  }

  find(stat: BigIntStats): BytePath | undefined {
    return stat.nlink > 1n ? this.#names.find(keyOf(stat)) : undefined;
  }

  /** A further name was met. */
  met(stat: BigIntStats): void {
    this.#names.use(keyOf(stat));
  }
}

/** With its stamps: a number that was given to another file meanwhile is another file. */
function keyOf(stat: BigIntStats): PathKey {
  return pathKey(`${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`);
}
