import { hash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { asBytePath, type BytePath } from '../../../engine/archive/byte-path.ts';

/** Under which name a file with several was met first. What has been met under all of its names is forgotten: a folder of hard links may be large. */
export class FirstNames {
  readonly #inodes = new Map<string, { readonly path: BytePath; toCome: number }>();

  get size(): number {
    return this.#inodes.size;
  }

  /** The first name of a file that was read or kept. */
  add(path: BytePath, stat: BigIntStats): void {
    if (stat.nlink > 1n) this.#inodes.set(inodeOf(stat), { path: inOnePiece(path), toCome: Number(stat.nlink) - 1 });
  }

  find(stat: BigIntStats): BytePath | undefined {
    return stat.nlink > 1n ? this.#inodes.get(inodeOf(stat))?.path : undefined;
  }

  /** A further name was met. */
  met(stat: BigIntStats): void {
    const inode = inodeOf(stat);
    const found = this.#inodes.get(inode);
    if (found === undefined) return;
    found.toCome -= 1;
    if (found.toCome === 0) this.#inodes.delete(inode);
  }
}

/** With its stamps: a number that was given to another file meanwhile is another file. Their hash, in as few bytes as a string can have it. */
function inodeOf(stat: BigIntStats): string {
  return hash('sha256', `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`, 'binary');
}

/** What was joined of pieces is kept as a tree of them, several times as large. */
function inOnePiece(path: BytePath): BytePath {
  return asBytePath(Buffer.from(path, 'latin1').toString('latin1'));
}
