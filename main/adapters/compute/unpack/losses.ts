import type { DamagedFile } from '../../../contract/reports.ts';
import { showPath } from '../../../engine/archive/byte-path.ts';
import { sealedRange } from '../../../engine/archive/seal.ts';
import type { ArchiveDamage } from '../../../engine/archive/unpacker.ts';
import type { Plan } from './plan.ts';

/** Gathers what was lost: which stretches of which files lie in frames that did not come out. */
export class Losses {
  readonly #files: Plan;
  readonly #damage = new Map<string, ArchiveDamage>();
  readonly #ranges = new Map<number, [number, number][]>();
  readonly #links: string[] = [];
  /** Files whose frames came out. */
  readonly #wrong = new Set<number>();

  constructor(files: Plan) {
    this.#files = files;
  }

  /** What is read twice is damaged once. */
  addDamage(damage: ArchiveDamage): void {
    const { archive, kind, range, message } = damage;
    const place = JSON.stringify([archive, kind, range, kind === 'content' || range === null ? message : null]);
    if (!this.#damage.has(place)) this.#damage.set(place, damage);
  }

  /** `frame` of `plan`, one of those that share the files. */
  loseFrame(plan: Plan, frame: number): void {
    for (const extent of plan.extents(frame)) {
      if (!plan.needs(extent)) continue;
      const { file, inFile, length } = extent;
      plan.markDamaged(file);
      this.#wrong.delete(file);
      const ranges = this.#ranges.get(file) ?? [];
      this.#ranges.set(file, ranges);
      const last = ranges.at(-1);
      if (last !== undefined && last[0] + last[1] === inFile) last[1] += length;
      else ranges.push([inFile, length]);
    }
  }

  /** The file came out, but its content is wrong as a whole. */
  loseFile(file: number): void {
    if (this.#ranges.has(file)) return;
    this.#wrong.add(file);
    this.#ranges.set(file, [[0, this.#files.size(file)]]);
  }

  /** Of files whose content is wrong, where in the archives it lies: which of their frames it is nobody can tell. `sizes` are those of the archives. */
  placeWrongContent(plans: readonly Plan[], sizes: readonly number[]): void {
    if (this.#wrong.size === 0) return;
    const places = new Map<string, { readonly file: number; readonly archive: number; readonly ranges: [number, number][] }>();
    for (const plan of plans) {
      for (let frame = 0; frame < plan.frames; frame += 1) {
        const { archive, offset, stored } = plan.frame(frame);
        const { range } = sealedRange({ offset, length: stored }, sizes[archive] ?? 0);
        for (const { file } of plan.extents(frame)) {
          if (!this.#wrong.has(file)) continue;
          const place = places.get(`${file} ${archive}`) ?? { file, archive, ranges: [] };
          places.set(`${file} ${archive}`, place);
          place.ranges.push([range.offset, range.length]);
        }
      }
    }
    for (const { file, archive, ranges } of places.values()) {
      const message = `${showPath(this.#files.path(file))}: its content is not what was backed up`;
      for (const range of joined(ranges)) this.addDamage({ archive, kind: 'content', message, range });
    }
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

/** In the order of their offsets. */
function joined(ranges: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  const found: [number, number][] = [];
  for (const [offset, length] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = found.at(-1);
    if (last !== undefined && last[0] + last[1] >= offset) last[1] = Math.max(last[1], offset + length - last[0]);
    else found.push([offset, length]);
  }
  return found;
}
