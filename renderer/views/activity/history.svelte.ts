import type { Job, JobKind } from '../../../main/contract/jobs.ts';
import type { WireFault } from '../../../main/contract/faults.ts';
import { hasFailed } from '../../../main/contract/standing.ts';
import { call, faultOf } from '../../client/call.ts';
import { service } from '../../client/service.svelte.ts';

const step = 100;
/** As many as the service gives at once. */
const most = 1000;

/** The jobs that were and are, filtered, newest first. */
export class History {
  server = $state('');
  kind = $state<JobKind | 'all'>('all');
  failedOnly = $state(false);
  /** How many are asked for. */
  limit = $state(step);
  loaded = $state(false);
  fault = $state.raw<WireFault | null>(null);
  #read = $state.raw<readonly Job[]>([]);

  /** What came by events is newer than what was read. */
  readonly rows = $derived.by(() => {
    const live = [...service.jobs.values()].filter(
      (job) => (this.server === '' || job.server === this.server) && (this.kind === 'all' || job.kind === this.kind),
    );
    return [...live, ...this.#read.filter(({ id }) => !service.jobs.has(id))]
      .filter((job) => !this.failedOnly || hasFailed(job))
      .sort((one, other) => other.queuedAt - one.queuedAt);
  });
  readonly more = $derived(this.#read.length >= this.limit && this.limit < most);

  async load(signal?: AbortSignal): Promise<void> {
    const { server, kind, failedOnly, limit } = this;
    try {
      const filter = {
        ...(server === '' ? {} : { server }),
        ...(kind === 'all' ? {} : { kind }),
        ...(failedOnly ? { failed: true } : {}),
        limit,
      };
      this.#read = await call('jobs.list', filter, signal);
      this.fault = null;
    } catch (error) {
      if (signal?.aborted !== true) this.fault = faultOf(error);
    } finally {
      this.loaded = true;
    }
  }

  showMore(): void {
    this.limit = Math.min(most, this.limit + step * 2);
  }
}
