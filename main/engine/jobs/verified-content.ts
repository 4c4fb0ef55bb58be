import { VerifiedFiles } from '../archive/verified-files.ts';
import type { ManifestArchive } from '../snapshots/manifest.ts';

/**
 * What one verification of several snapshots has read and found whole: archives, by all that a manifest says of them, and files, by their hash and where
 * they lie. What a further snapshot says in the same words is not read again.
 */
export class VerifiedContent {
  readonly files = new VerifiedFiles();
  readonly #numbers = new Map<string, number>();
  readonly #sha256 = new Map<number, string>();

  /** One for each archive and what is said of it. */
  numberOf(archive: ManifestArchive): number {
    const { key, size, sha256, head, zipSize, frames } = archive;
    const identity = JSON.stringify([key, size, sha256, head, zipSize, frames]);
    const number = this.#numbers.get(identity) ?? this.#numbers.size;
    this.#numbers.set(identity, number);
    return number;
  }

  addWhole(archive: ManifestArchive, sha256: string): void {
    this.#sha256.set(this.numberOf(archive), sha256);
  }

  /** Of the bytes that were read; null where that archive was not found whole. */
  sha256Of(archive: ManifestArchive): string | null {
    return this.#sha256.get(this.numberOf(archive)) ?? null;
  }
}
