import type { Extent } from './manifest-entry.ts';

/** A file's extents in their order; what goes on where the one before ended is one. */
export class ExtentList {
  readonly all: Extent[] = [];

  add(extent: Extent): void {
    const last = this.all.at(-1);
    const [archive, offset, stored, start, length] = extent;
    if (length === 0) return;
    if (last?.[0] === archive && last[1] === offset && last[3] + last[4] === start) {
      this.all[this.all.length - 1] = [archive, offset, stored, last[3], last[4] + length];
    } else this.all.push(extent);
  }

  addAll(extents: Iterable<Extent>): void {
    for (const extent of extents) this.add(extent);
  }
}

/** Cuts ranges out of a file's extents. Asked for in the order of the file, so that a file of many extents is gone through once. */
export class ExtentCutter {
  readonly #extents: readonly Extent[];
  #index = 0;
  /** Where in the file the extent at #index begins. */
  #start = 0;

  constructor(extents: readonly Extent[]) {
    this.#extents = extents.filter(([, , , , length]) => length > 0);
  }

  /** Null where the range reaches beyond them. */
  cut(from: number, length: number): readonly Extent[] | null {
    for (let [, , , , size] = this.#at(); size > 0 && this.#start + size <= from; [, , , , size] = this.#at()) {
      this.#start += size;
      this.#index += 1;
    }
    const found: Extent[] = [];
    let start = this.#start;
    for (let index = this.#index; start < from + length; index += 1) {
      const extent = this.#extents[index];
      if (extent === undefined) return null;
      const [archive, offset, stored, inner, size] = extent;
      const skip = Math.max(0, from - start);
      found.push([archive, offset, stored, inner + skip, Math.min(size, from + length - start) - skip]);
      start += size;
    }
    return found;
  }

  #at(): Extent {
    return this.#extents[this.#index] ?? [0, 0, 0, 0, 0];
  }
}
