import { Fault } from '../../contract/faults.ts';

const epoch = 0;
const stopped = 1;
/** Words of the control array that the monitor uses itself. */
export const monitorWords = 2;
const idleMs = 1_000;

/**
 * One condition variable for all threads of a job: whoever changes shared state calls changed(), whoever waits looks again.
 * The epoch is read before the condition, so a change between looking and sleeping wakes the sleeper at once.
 */
export class Monitor {
  readonly #words: Int32Array;
  /** Of this thread: called now and then while it waits. */
  onIdle: (() => void) | null = null;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Blocks this thread (never the main one) until `ready`. Fault cancelled once the job has been stopped. */
  waitUntil(ready: () => boolean): void {
    for (;;) {
      const seen = Atomics.load(this.#words, epoch);
      this.check();
      if (ready()) return;
      Atomics.wait(this.#words, epoch, seen, this.onIdle === null ? Infinity : idleMs);
      this.onIdle?.();
    }
  }

  /** The same for the main thread: waits without blocking it. */
  async whenTrue(ready: () => boolean): Promise<void> {
    for (;;) {
      const seen = Atomics.load(this.#words, epoch);
      this.check();
      if (ready()) return;
      const { async, value } = Atomics.waitAsync(this.#words, epoch, seen);
      if (async) await value;
    }
  }

  changed(): void {
    Atomics.add(this.#words, epoch, 1);
    Atomics.notify(this.#words, epoch);
  }

  /** Makes every present and later wait of this job end with fault cancelled. */
  stop(): void {
    Atomics.store(this.#words, stopped, 1);
    this.changed();
  }

  /** Fault cancelled once the job has been stopped. */
  check(): void {
    if (this.stopped) throw new Fault('cancelled', 'the job was stopped', { operation: 'wait' });
  }

  get stopped(): boolean {
    return Atomics.load(this.#words, stopped) !== 0;
  }
}
