import type { JobLine } from '../../../main/contract/job-calls.ts';
import type { WireFault } from '../../../main/contract/faults.ts';
import { call, faultOf } from '../../client/call.ts';
import { newest } from '../../client/newest.ts';

/** The lines of one job, from the newest back to where somebody has read to. */
export class JobLog {
  lines = $state.raw<readonly JobLine[]>([]);
  loaded = $state(false);
  /** There are older ones to be asked for. */
  more = $state(false);
  /** The beginning is not in the log any more. */
  cut = $state(false);
  fault = $state.raw<WireFault | null>(null);
  readonly #job: string;

  constructor(job: string) {
    this.#job = job;
  }

  readonly #ask = newest(
    (job: string) => call('job.log', { job }),
    ({ lines, more, cut }) => {
      const from = lines[0]?.at ?? 0;
      const before = this.lines.filter(({ at }) => at < from);
      this.lines = [...before, ...lines];
      if (before.length === 0) [this.more, this.cut] = [more, cut];
      this.#read(null);
    },
    (error) => this.#read(faultOf(error)),
  );

  /** Reads the end anew; what was read of the time before it stays. */
  look(): void {
    this.#ask(this.#job);
  }

  async older(): Promise<void> {
    try {
      const { lines, more, cut } = await call('job.log', { job: this.#job, before: this.lines[0]?.at ?? 0 });
      this.lines = [...lines, ...this.lines];
      [this.more, this.cut] = [more, cut];
      this.#read(null);
    } catch (error) {
      this.#read(faultOf(error));
    }
  }

  #read(fault: WireFault | null): void {
    this.fault = fault;
    this.loaded = true;
  }
}
