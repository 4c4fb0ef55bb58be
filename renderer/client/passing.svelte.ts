import type { WireFault } from '../../main/contract/faults.ts';
import { isLocked } from '../words/faults.ts';

/**
 * Which faults have passed by themselves. A locked keychain and a service that is away stand in the way of whatever is asked, and end for all of it at once:
 * once the service, asked later, has shown that they are over, none of them is shown any more.
 */
class Passing {
  #count = 0;
  /** When each was met. */
  readonly #met = new WeakMap<WireFault, number>();
  /** Up to which one the service is there again, and up to which one the keychain is open. */
  #answered = $state(0);
  #opened = $state(0);

  /** What a call of this page came to. */
  met(fault: WireFault): WireFault {
    this.#met.set(fault, ++this.#count);
    return fault;
  }

  /** To be taken before the service is asked how it is: what is met meanwhile may be newer than its answer. */
  get mark(): number {
    return this.#count;
  }

  answered(mark: number, locked: boolean): void {
    this.#answered = Math.max(this.#answered, mark);
    if (!locked) this.#opened = Math.max(this.#opened, mark);
  }

  has(fault: WireFault): boolean {
    const met = this.#met.get(fault);
    if (met === undefined) return false;
    return isLocked(fault) ? met <= this.#opened : fault.context['say'] === 'service-silent' && met <= this.#answered;
  }
}

export const passing = new Passing();
