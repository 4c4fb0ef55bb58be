import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Names of files and folders, from the root of the project: all that a check's verdict can depend on. */
export type Reads = readonly string[];

/**
 * Remembers what a check found clean. Only the whole of what it reads counts: rules that ask for types look into other files, so that a
 * file which has not changed itself may be unclean all the same.
 */
export class CleanBefore {
  readonly #root: string;
  readonly #folder: string;

  constructor(root: string, folder = join(root, '.cache', 'clean')) {
    this.#root = root;
    this.#folder = folder;
  }

  /** Of all these files, names and contents, and of the Node that reads them. */
  key(reads: Reads): string {
    const hash = createHash('sha256').update(process.version);
    for (const name of reads.flatMap((path) => this.#filesOf(path)).sort()) {
      const content = readFileSync(join(this.#root, name));
      hash.update(`\0${name}\0${String(content.length)}\0`).update(content);
    }
    return hash.digest('hex');
  }

  isClean(check: string, key: string): boolean {
    const file = join(this.#folder, check);
    return existsSync(file) && readFileSync(file, 'utf8') === key;
  }

  remember(check: string, key: string): void {
    const file = join(this.#folder, check);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, key);
  }

  #filesOf(path: string): readonly string[] {
    if (!statSync(join(this.#root, path)).isDirectory()) return [path];
    return readdirSync(join(this.#root, path)).flatMap((name) => this.#filesOf(join(path, name)));
  }
}
