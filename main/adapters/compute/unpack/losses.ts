import type { DamagedFile } from '../../../contract/reports.ts';
import { showPath } from '../../../engine/archive/byte-path.ts';
import type { ArchiveDamage } from '../../../engine/archive/unpacker.ts';
import type { Plan } from './plan.ts';

/** Gathers what was lost: which stretches of which files lie in frames that did not come out. */
export class Losses {
  readonly damage: ArchiveDamage[] = [];
  readonly #plan: Plan;
  readonly #ranges = new Map<number, [number, number][]>();
  readonly #links: string[] = [];

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  loseFrame(frame: number): void {
    for (const { file, inFile, length } of this.#plan.extents(frame)) {
      this.#plan.markDamaged(file);
      const ranges = this.#ranges.get(file) ?? [];
      this.#ranges.set(file, ranges);
      const last = ranges.at(-1);
      if (last !== undefined && last[0] + last[1] === inFile) last[1] += length;
      else ranges.push([inFile, length]);
    }
  }

  /** The file came out, but its content is wrong as a whole. */
  loseFile(file: number): void {
    if (!this.#ranges.has(file)) this.#ranges.set(file, [[0, this.#plan.size(file)]]);
  }

  loseLinks(paths: readonly string[]): void {
    this.#links.push(...paths);
  }

  get files(): readonly DamagedFile[] {
    const files = [...this.#ranges].map(([file, ranges]) => ({ path: showPath(this.#plan.path(file)), ranges }));
    return [...files, ...this.#links.map((path) => ({ path, ranges: [] }))];
  }

  /** Size of the files that did not come back. */
  get bytes(): number {
    return [...this.#ranges.keys()].reduce((sum, file) => sum + this.#plan.size(file), 0);
  }

  get any(): boolean {
    return this.damage.length > 0 || this.#ranges.size > 0;
  }
}
