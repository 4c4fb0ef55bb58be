import type { ManifestArchive } from '../snapshots/manifest.ts';
import type { Ground } from './base.ts';

/** The archives that a run knows, by its own numbers: those of what it is compared with, and behind them what others name, each once. */
export class ArchiveList {
  readonly all: ManifestArchive[];
  readonly usable: boolean[];
  readonly #numbers = new Map<string, number>();

  constructor(ground: Pick<Ground, 'archives' | 'usable'> | null) {
    this.all = [...(ground?.archives ?? [])];
    this.usable = [...(ground?.usable ?? [])];
    for (const [index, archive] of this.all.entries()) this.#numbers.set(nameOf(archive), index);
  }

  copy(): ArchiveList {
    return new ArchiveList({ archives: this.all, usable: this.usable });
  }

  add(archive: ManifestArchive, isUsable: boolean): void {
    if (this.#numbers.has(nameOf(archive))) return;
    this.#numbers.set(nameOf(archive), this.all.length);
    this.all.push(archive);
    this.usable.push(isUsable);
  }

  numberOf(archive: ManifestArchive): number | null {
    return this.#numbers.get(nameOf(archive)) ?? null;
  }

  readonly isUsable = (archive: number): boolean => this.usable[archive] === true;
}

/** One that was put in another's place is another. */
const nameOf = ({ key, size, sha256 }: ManifestArchive): string => `${key} ${size} ${sha256}`;
