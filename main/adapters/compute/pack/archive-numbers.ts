import type { ArchiveRef } from '../../../engine/archive/packer.ts';

/** Gives each archive its number in the manifest when it is first used, so that the manifest names no archive that nothing needs. */
export class ArchiveNumbers {
  readonly #order: ArchiveRef[] = [];
  readonly #base = new Map<number, number>();
  readonly #run = new Map<number, number>();

  get order(): readonly ArchiveRef[] {
    return this.#order;
  }

  /** Of an archive that the base names. */
  ofBase(index: number): number {
    return this.#numberOf(this.#base, { from: 'base', index });
  }

  /** Of a volume of this run. */
  ofRun(index: number): number {
    return this.#numberOf(this.#run, { from: 'run', index });
  }

  #numberOf(known: Map<number, number>, archive: ArchiveRef): number {
    const found = known.get(archive.index);
    if (found !== undefined) return found;
    this.#order.push(archive);
    known.set(archive.index, this.#order.length - 1);
    return this.#order.length - 1;
  }
}
