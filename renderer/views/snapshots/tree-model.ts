import { literalPatterns } from './patterns.ts';

export type Tick = 'true' | 'false' | 'mixed';

/**
 * What is ticked in a tree of any size: only where a path differs from the folder above it is anything held, so that a folder of 100,000 files
 * costs what one file does. Paths are as the service tells them, `a/b/c`; the top is the empty path, and never ticked.
 */
export class Ticks {
  readonly #own = new Map<string, boolean>();
  /** How many of them lie anywhere below a folder, and how many directly in it. */
  readonly #below = new Map<string, number>();
  readonly #direct = new Map<string, number>();

  get empty(): boolean {
    return this.#own.size === 0;
  }

  has(path: string): boolean {
    for (let at = path; at !== ''; at = parentOf(at)) {
      const own = this.#own.get(at);
      if (own !== undefined) return own;
    }
    return false;
  }

  state(path: string): Tick {
    if ((this.#below.get(path) ?? 0) > 0) return 'mixed';
    return this.has(path) ? 'true' : 'false';
  }

  /** Ticks or unticks an entry with all that is below it. */
  set(path: string, on: boolean): void {
    if ((this.#below.get(path) ?? 0) > 0) {
      const start = `${path}/`;
      for (const other of [...this.#own.keys()]) if (other.startsWith(start)) this.#drop(other);
    }
    this.#drop(path);
    if (this.has(parentOf(path)) !== on) this.#put(path, on);
  }

  /** Once every entry of a folder has been ticked by itself, the folder is; and the folder above it, when that was its last. */
  fold(folder: string, count: (folder: string) => number | null): void {
    for (let at = folder; at !== ''; at = parentOf(at)) {
      const entries = count(at);
      // What differs from the folder differs in one way only, so that as many as there are entries means all of them, the other way round.
      if (entries === null || entries === 0 || this.#direct.get(at) !== entries || this.#below.get(at) !== entries) return;
      this.set(at, !this.has(at));
    }
  }

  clear(): void {
    for (const map of [this.#own, this.#below, this.#direct]) map.clear();
  }

  /** The ticked paths that lie in nothing ticked, in the order of ticking. Below them may lie some that were unticked again. */
  tops(): readonly string[] {
    return [...this.#own].filter(([, on]) => on).map(([path]) => path);
  }

  /** Unticked below something ticked. */
  exceptions(): readonly string[] {
    return [...this.#own].filter(([, on]) => !on).map(([path]) => path);
  }

  /**
   * gitignore patterns that name just what is ticked. A folder in which something is unticked becomes all of its entries but that one: what lies in
   * a folder that a pattern names as a whole cannot be taken out again.
   */
  patterns(): readonly string[] {
    const out: string[] = [];
    visit(this.#grown(), '', false, out);
    return out;
  }

  #grown(): Branch {
    const root: Branch = { on: null, parts: new Map() };
    for (const [path, on] of this.#own) {
      let at = root;
      for (const part of path.split('/')) {
        let next = at.parts.get(part);
        if (next === undefined) {
          next = { on: null, parts: new Map() };
          at.parts.set(part, next);
        }
        at = next;
      }
      at.on = on;
    }
    return root;
  }

  #put(path: string, on: boolean): void {
    this.#own.set(path, on);
    this.#count(path, 1);
  }

  #drop(path: string): void {
    if (this.#own.delete(path)) this.#count(path, -1);
  }

  #count(path: string, by: number): void {
    add(this.#direct, parentOf(path), by);
    for (let at = path; at !== '';) {
      at = parentOf(at);
      add(this.#below, at, by);
    }
  }
}

interface Branch {
  on: boolean | null;
  readonly parts: Map<string, Branch>;
}

function visit(branch: Branch, path: string, inherited: boolean, out: string[]): void {
  const on = branch.on ?? inherited;
  const name = literalPatterns(path);
  const leaf = branch.parts.size === 0;
  if (inherited && (!on || !leaf)) out.push(...name.map((pattern) => `!${pattern}`));
  if (on && leaf) out.push(...name);
  if (on && !leaf) out.push(...name.map((pattern) => `${pattern}/*`));
  for (const [part, next] of branch.parts) visit(next, path === '' ? part : `${path}/${part}`, on, out);
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function add(map: Map<string, number>, key: string, by: number): void {
  const value = (map.get(key) ?? 0) + by;
  if (value === 0) map.delete(key);
  else map.set(key, value);
}
