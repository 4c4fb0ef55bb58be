import type { WireFault } from '../../main/contract/faults.ts';
import { faultOf } from './call.ts';

/** One thing at a time that a view asks for: whether it is under way, and how it failed. */
export class Task {
  busy = $state(false);
  fault = $state.raw<WireFault | null>(null);

  #stop: AbortController | null = null;

  /** Settles to whether it worked. The signal is for what `cancel` shall end. */
  async run(work: (signal: AbortSignal) => Promise<unknown>): Promise<boolean> {
    const stop = new AbortController();
    this.#stop = stop;
    this.busy = true;
    this.fault = null;
    try {
      await work(stop.signal);
      return true;
    } catch (error) {
      // Whoever cancels need not be told that it was.
      if (!stop.signal.aborted) this.fault = faultOf(error);
      return false;
    } finally {
      if (this.#stop === stop) {
        this.#stop = null;
        this.busy = false;
      }
    }
  }

  /** Gives up what is under way: it ends in the service, too. */
  cancel(): void {
    this.#stop?.abort();
  }
}
