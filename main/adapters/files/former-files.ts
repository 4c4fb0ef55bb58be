import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { asBytePath, pathBytes, type BytePath } from '../../engine/archive/byte-path.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
/** Each folder on the way is held open; what lies deeper is not looked for. */
const deepest = 64;

interface OpenFolder {
  readonly name: string;
  readonly handle: number;
}

/**
 * Opens the files that a folder holds now, for reading, each way to one part by part: no link is followed, not even one that comes to stand there meanwhile,
 * and nothing that is mounted inside is entered. Asked for in walk order it keeps the folders on the way open.
 */
export class FormerFiles {
  readonly #base: OpenFolder;
  readonly #device: number;
  readonly #way: OpenFolder[] = [];

  /** `folder`: absolute, without links. */
  constructor(folder: string) {
    this.#base = { name: folder, handle: openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) };
    this.#device = fstatSync(this.#base.handle).dev;
  }

  /** A handle that the caller closes; null where there is no ordinary file, of that size where one is given, or it may not be read. */
  open(path: BytePath, size: number | null): number | null {
    const parts = path.split('/');
    if (parts.length > deepest) return null;
    try {
      for (const [depth, name] of parts.slice(0, -1).entries()) this.#enter(depth, name);
      this.#leaveFrom(parts.length - 1);
      // A FIFO in the place of the file would wait for a writer.
      const handle = openSync(this.#at(parts.at(-1) ?? ''), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      if (this.#fits(handle, size)) return handle;
      closeSync(handle);
      return null;
    } catch (error) {
      if (error instanceof Error && 'code' in error) return null;
      throw error;
    }
  }

  #fits(handle: number, size: number | null): boolean {
    const found = fstatSync(handle);
    return found.isFile() && (size === null || found.size === size) && found.dev === this.#device;
  }

  close(): void {
    this.#leaveFrom(0);
    closeSync(this.#base.handle);
  }

  #enter(depth: number, name: string): void {
    if (this.#way[depth]?.name === name) return;
    this.#leaveFrom(depth);
    const handle = openSync(this.#at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    this.#way.push({ name, handle });
  }

  /** In the innermost folder that is open: /proc/self/fd resolves inside it, as openat(2) does, which Node does not offer. */
  #at(name: string): Buffer {
    const { handle } = this.#way.at(-1) ?? this.#base;
    if (process.platform === 'linux') return Buffer.concat([Buffer.from(`/proc/self/fd/${handle}/`), pathBytes(asBytePath(name))]);
    const inside = [...this.#way.map((one) => one.name), name].join('/');
    return Buffer.concat([Buffer.from(`${this.#base.name}/`), pathBytes(asBytePath(inside))]);
  }

  #leaveFrom(depth: number): void {
    for (const { handle } of this.#way.splice(depth)) closeSync(handle);
  }
}
