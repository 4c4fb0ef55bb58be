import { Fault } from '../../../contract/faults.ts';
import type { WalkedEntry } from '../../files/walk.ts';

export interface CountedAhead {
  readonly files: number;
  readonly bytes: number;
}

interface Parts {
  /** All that the run will come to, those it has met included. */
  readonly walk: () => Iterable<WalkedEntry>;
  /** How long a run goes on before: most have ended by then, and need not walk the folder twice. */
  readonly afterMs: number;
  readonly stopped: () => boolean;
  readonly tell: (counted: CountedAhead) => void;
}

/** Counts what there is to read, so that a run of which somebody may ask how long it takes can say. */
export class LookAhead {
  readonly #parts: Parts;
  readonly #began = performance.now();
  #done = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Called now and then while the run goes on. */
  passed(): void {
    if (this.#done || performance.now() - this.#began < this.#parts.afterMs) return;
    this.#done = true;
    let files = 0;
    let bytes = 0;
    try {
      for (const { kind, stat } of this.#parts.walk()) {
        if (this.#parts.stopped()) return;
        if (kind !== 'file' || stat === null) continue;
        files += 1;
        // Of one with several names each has its share, as the content is read once.
        bytes += Number(stat.size) / Math.max(1, Number(stat.nlink));
      }
    } catch (error) {
      // The folder itself is gone, or a temporary file cannot be written: that is for the run to tell, should it come to it.
      if (!(error instanceof Fault) && !(error instanceof Error && 'syscall' in error)) throw error;
      return;
    }
    this.#parts.tell({ files, bytes: Math.round(bytes) });
  }
}
