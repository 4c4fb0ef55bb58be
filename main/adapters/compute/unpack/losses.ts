import type { DamagedFile } from '../../../contract/reports.ts';
import { showPath } from '../../../engine/archive/byte-path.ts';
import type { ArchiveDamage } from '../../../engine/archive/unpacker.ts';
import type { Plan } from './plan.ts';

/** Gathers what was lost: which stretches of which files lie in frames that did not come out. */
export class Losses {
  readonly #files: Plan;
  readonly #damage = new Map<string, ArchiveDamage>();
  readonly #ranges = new Map<number, [number, number][]>();
  readonly #links: string[] = [];

  constructor(files: Plan) {
    this.#files = files;
  }

  /** What is read twice is damaged once. */
  addDamage(damage: ArchiveDamage): void {
    const { archive, kind, range, message } = damage;
    const place = JSON.stringify([archive, kind, range ?? message]);
    if (!this.#damage.has(place)) this.#damage.set(place, damage);
  }

  /** `frame` of `plan`, one of those that share the files. */
  loseFrame(plan: Plan, frame: number): void {
    for (const { file, inFile, length } of plan.extents(frame)) {
      if (plan.isKept(file)) continue;
      plan.markDamaged(file);
      const ranges = this.#ranges.get(file) ?? [];
      this.#ranges.set(file, ranges);
      const last = ranges.at(-1);
      if (last !== undefined && last[0] + last[1] === inFile) last[1] += length;
      else ranges.push([inFile, length]);
    }
  }

  /** The file came out, but its content is wrong as a whole. */
  loseFile(file: number): void {
    if (!this.#ranges.has(file)) this.#ranges.set(file, [[0, this.#files.size(file)]]);
  }

  loseLinks(paths: readonly string[]): void {
    this.#links.push(...paths);
  }

  get damage(): readonly ArchiveDamage[] {
    return [...this.#damage.values()];
  }

  get files(): readonly DamagedFile[] {
    const files = [...this.#ranges].map(([file, ranges]) => ({ path: showPath(this.#files.path(file)), ranges: joined(ranges) }));
    return [...files, ...this.#links.map((path) => ({ path, ranges: [] }))];
  }

  /** Size of the files that did not come back. */
  get bytes(): number {
    return [...this.#ranges.keys()].reduce((sum, file) => sum + this.#files.size(file), 0);
  }

  get any(): boolean {
    return this.#damage.size > 0 || this.#ranges.size > 0;
  }
}

/** In the file's order: frames are lost in that of the archives. */
function joined(ranges: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (const [offset, length] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    if (last !== undefined && last[0] + last[1] >= offset) last[1] = Math.max(last[1], offset + length - last[0]);
    else found.push([offset, length]);
  }
  return found;
}
