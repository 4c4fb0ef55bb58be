import { asFault, Fault } from '../../contract/faults.ts';
import type { Backend, ObjectKey } from '../storage/backend.ts';
import { readObjectName } from '../snapshots/names.ts';

/** The keys a run has written so far, so that a failing one leaves nothing behind but what the next one goes on with. */
export class Written {
  readonly #backend: Backend;
  readonly #keys = new Set<ObjectKey>();
  /** Volumes that are finished and written down. */
  readonly #kept = new Set<ObjectKey>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  get archives(): readonly ObjectKey[] {
    return [...this.#keys].filter((key) => key.endsWith('.holdfast') || key.endsWith('.enc'));
  }

  get partials(): readonly ObjectKey[] {
    return [...this.#keys].filter((key) => readObjectName(key)?.kind === 'partial');
  }

  add(key: ObjectKey): void {
    this.#keys.add(key);
  }

  /** From now on these serve the next run, whatever becomes of this one: one that has taken the server over meanwhile may rest on them already. */
  keep(keys: Iterable<ObjectKey>): void {
    for (const key of keys) this.#kept.add(key);
  }

  /**
   * Removes what no later run can go on with. The manifest first: while that stands, nothing that it names may go. The run's own signal is not asked: cleaning up is
   * what a cancelled run still owes.
   */
  async undo(fault: Fault): Promise<Fault> {
    let left: { key: string; reason: string } | null = null;
    const keys = [...this.#keys].filter((key) => !this.#kept.has(key));
    for (const key of keys.reverse()) {
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
