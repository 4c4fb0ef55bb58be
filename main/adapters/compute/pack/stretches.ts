import type { Extent } from '../../../engine/snapshots/manifest-entry.ts';

/*
 * Where a file's content lies while a run is under way: in an archive of the base, by its number in the base's manifest, or in a frame of this
 * run, whose place is not known before it is compressed. Both as an extent, so that they are cut and joined alike.
 */
export type Stretch = Extent;

/** As the archive of a stretch: this run's frame, whose number stands for the offset. */
export const thisRun = 0xffff_ffff;

export function inFrame(frame: number, offset: number, length: number): Stretch {
  return [thisRun, frame, 0, offset, length];
}

const stretchSize = 24;

/** Bytes that so many take when they are written down. */
export function stretchRoom(count: number): number {
  return count * stretchSize;
}

/** Where they end. */
export function writeStretches(room: Buffer, start: number, stretches: readonly Stretch[]): number {
  let at = start;
  for (const [archive, offset, stored, inner, length] of stretches) {
    at = room.writeUInt32LE(archive, at);
    at = room.writeDoubleLE(offset, at);
    at = room.writeUInt32LE(stored, at);
    at = room.writeUInt32LE(inner, at);
    at = room.writeUInt32LE(length, at);
  }
  return at;
}

export function readStretches(bytes: Buffer, start: number, count: number): readonly Stretch[] {
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * stretchSize;
    return [
      bytes.readUInt32LE(at),
      bytes.readDoubleLE(at + 4),
      bytes.readUInt32LE(at + 12),
      bytes.readUInt32LE(at + 16),
      bytes.readUInt32LE(at + 20),
    ];
  });
}

/** A file's stretches in their order; what goes on where the one before ended is one stretch. */
export class StretchList {
  readonly all: Stretch[] = [];

  add(stretch: Stretch): void {
    const last = this.all.at(-1);
    const [archive, offset, stored, start, length] = stretch;
    if (length === 0) return;
    if (last?.[0] === archive && last[1] === offset && last[3] + last[4] === start) {
      this.all[this.all.length - 1] = [archive, offset, stored, last[3], last[4] + length];
    } else this.all.push(stretch);
  }

  addAll(stretches: Iterable<Stretch>): void {
    for (const stretch of stretches) this.add(stretch);
  }
}

/** Cuts ranges out of a file's stretches. Asked for in the order of the file, so that a file of many stretches is gone through once. */
export class StretchCutter {
  readonly #stretches: readonly Stretch[];
  #index = 0;
  /** Where in the file the stretch at #index begins. */
  #start = 0;

  constructor(stretches: readonly Stretch[]) {
    this.#stretches = stretches.filter(([, , , , length]) => length > 0);
  }

  /** Null where the range reaches beyond them. */
  cut(from: number, length: number): readonly Stretch[] | null {
    for (let [, , , , size] = this.#at(); size > 0 && this.#start + size <= from; [, , , , size] = this.#at()) {
      this.#start += size;
      this.#index += 1;
    }
    const found: Stretch[] = [];
    let start = this.#start;
    for (let index = this.#index; start < from + length; index += 1) {
      const stretch = this.#stretches[index];
      if (stretch === undefined) return null;
      const [archive, offset, stored, inner, size] = stretch;
      const skip = Math.max(0, from - start);
      found.push([archive, offset, stored, inner + skip, Math.min(size, from + length - start) - skip]);
      start += size;
    }
    return found;
  }

  #at(): Stretch {
    return this.#stretches[this.#index] ?? [0, 0, 0, 0, 0];
  }
}
