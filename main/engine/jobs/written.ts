import { asFault, Fault } from '../../contract/faults.ts';
import type { Backend, ObjectKey } from '../storage/backend.ts';

/** The keys a run has written so far, so that a failing one leaves nothing behind. */
export class Written {
  readonly #backend: Backend;
  readonly #keys: ObjectKey[] = [];

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get archives(): readonly ObjectKey[] {
    return this.#keys.filter((key) => key.endsWith('.holdfast') || key.endsWith('.enc'));
  }

  add(key: ObjectKey): void {
    this.#keys.push(key);
  }

  /**
   * Removes all, the manifest first: while that stands, nothing that it names may go. The run's own signal is not asked: cleaning up is
   * what a cancelled run still owes.
   */
  async undo(fault: Fault): Promise<Fault> {
    let left: { key: string; reason: string } | null = null;
    for (const key of this.#keys.toReversed()) {
      try {
        await this.#backend.remove(key);
      } catch (error) {
        left ??= { key, reason: asFault(error, 'remove').message };
        if (key.endsWith('.manifest')) break;
      }
    }
    if (left === null) return fault;
    const { code, message, operation, persistence } = fault;
    const context = { ...fault.context, leftover: left.key, leftoverReason: left.reason };
    return new Fault(code, message, { operation, persistence, context, cause: fault });
  }
}
