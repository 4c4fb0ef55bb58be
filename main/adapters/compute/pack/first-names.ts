import type { BigIntStats } from 'node:fs';
import type { BytePath } from '../../../engine/archive/byte-path.ts';

/** Under which name a file with several was met first. What has been met under all of its names is forgotten: a folder of hard links may be large. */
export class FirstNames {
  readonly #inodes = new Map<string, { readonly path: BytePath; toCome: bigint }>();

  get size(): number {
    return this.#inodes.size;
  }

  /** The first name of a file that was read or kept. */
  add(path: BytePath, stat: BigIntStats): void {
    if (stat.nlink > 1n) this.#inodes.set(inodeOf(stat), { path, toCome: stat.nlink - 1n });
  }

  find(stat: BigIntStats): BytePath | undefined {
    return stat.nlink > 1n ? this.#inodes.get(inodeOf(stat))?.path : undefined;
  }

  /** A further name was met. */
  met(stat: BigIntStats): void {
    const inode = inodeOf(stat);
    const found = this.#inodes.get(inode);
    if (found === undefined) return;
    found.toCome -= 1n;
    if (found.toCome === 0n) this.#inodes.delete(inode);
  }
}

/** With its stamps: a number that was given to another file meanwhile is another file. */
function inodeOf(stat: BigIntStats): string {
  return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
}
