import { closeSync, constants, openSync } from 'node:fs';

/** PATH_MAX is 4096 with the NUL at its end; a margin for names that are put behind. */
export const longestPath = 3800;
const mostHeld = 8;
const slash = 0x2f;

/**
 * Names for paths that are too long for any system call: from a folder on the way that is held open. Linux resolves
 * /proc/self/fd/N/name inside the open folder N, as openat(2) does, which Node does not offer. Only for a tree whose folders nobody
 * moves meanwhile, and until it is closed.
 */
export class HeldFolders {
  /** By the path of the folder. */
  readonly #held = new Map<string, number>();

  reach(path: Buffer): Buffer {
    let from = Buffer.alloc(0);
    let rest = path;
    while (process.platform === 'linux' && from.length + rest.length > longestPath) {
      const end = rest.lastIndexOf(slash, longestPath - from.length);
      if (end <= 0) break;
      const handle = this.#open(path.subarray(0, path.length - rest.length + end), Buffer.concat([from, rest.subarray(0, end)]));
      from = Buffer.from(`/proc/self/fd/${handle}/`);
      rest = rest.subarray(end + 1);
    }
    return Buffer.concat([from, rest]);
  }

  #open(whole: Buffer, reachable: Buffer): number {
    const key = whole.toString('latin1');
    const known = this.#held.get(key);
    if (known !== undefined) return known;
    const handle = openSync(reachable, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    if (this.#held.size >= mostHeld) this.#closeOldest();
    this.#held.set(key, handle);
    return handle;
  }

  close(): void {
    while (this.#held.size > 0) this.#closeOldest();
  }

  #closeOldest(): void {
    for (const [key, handle] of this.#held) {
      closeSync(handle);
      this.#held.delete(key);
      return;
    }
  }
}

/** One call with a path that may be too long for it. */
export function reaching<Result>(path: Buffer, act: (reachable: Buffer) => Promise<Result>): Promise<Result> {
  return path.length <= longestPath ? act(path) : reachingLong(path, act);
}

async function reachingLong<Result>(path: Buffer, act: (reachable: Buffer) => Promise<Result>): Promise<Result> {
  const held = new HeldFolders();
  try {
    return await act(held.reach(path));
  } finally {
    held.close();
  }
}

/** The same for what is listed or read piece by piece. */
export function reachingThroughout<Piece>(path: Buffer, pieces: (reachable: Buffer) => AsyncIterable<Piece>): AsyncIterable<Piece> {
  return path.length <= longestPath ? pieces(path) : reachingLongThroughout(path, pieces);
}

async function* reachingLongThroughout<Piece>(path: Buffer, pieces: (reachable: Buffer) => AsyncIterable<Piece>): AsyncGenerator<Piece> {
  const held = new HeldFolders();
  try {
    yield* pieces(held.reach(path));
  } finally {
    held.close();
  }
}
