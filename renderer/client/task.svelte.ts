import type { WireFault } from '../../main/contract/faults.ts';
import { faultOf } from './call.ts';

/** One thing at a time that a view asks for: whether it is under way, and how it failed. */
export class Task {
  busy = $state(false);
  fault = $state.raw<WireFault | null>(null);

  /** Settles to whether it worked. */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    this.busy = true;
    this.fault = null;
    try {
      await work();
      return true;
    } catch (error) {
      this.fault = faultOf(error);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
