import type { BytePath } from '../../engine/archive/byte-path.ts';

/** About what a path in a set takes beside its characters. */
const takenBeside = 100;
const mostTaken = 2 ** 20;

/**
 * Folders that are known to be there. It forgets all but the last one, and those that lead to it, when they have come to take a megabyte: whoever asks
 * for one that was forgotten looks for it once more. In the order of a walk none is asked for again but those on the way.
 */
export class KnownFolders {
  readonly #paths = new Set<string>();
  #taken = 0;
  #last = '';

  has(path: BytePath): boolean {
    return path === this.#last || leadsTo(path, this.#last) || this.#paths.has(path);
  }

  /** Those that lead to it are known by that, too. */
  add(path: BytePath): void {
    this.#last = path;
    if (this.#taken > mostTaken) {
      this.#paths.clear();
      this.#taken = 0;
    }
    this.#paths.add(path);
    this.#taken += path.length + takenBeside;
  }

  /** How many are held. */
  get size(): number {
    return this.#paths.size;
  }
}

function leadsTo(folder: string, path: string): boolean {
  return path.length > folder.length && path[folder.length] === '/' && path.startsWith(folder);
}
