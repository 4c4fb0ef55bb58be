import type { CallReply } from '../../../main/contract/calls.ts';
import type { WireFault } from '../../../main/contract/faults.ts';
import type { Job } from '../../../main/contract/jobs.ts';
import type { SnapshotSummary } from '../../../main/contract/snapshot-calls.ts';
import { call, faultOf } from '../../client/call.ts';
import { standings, type Standing } from './tiers.ts';

/** A snapshot with its time as a number. */
export interface StoredRow extends SnapshotSummary {
  readonly at: number;
}

/** What is known of one server in one backup place. */
export class Stored {
  /** By their dates, the latest first. */
  rows = $state.raw<readonly StoredRow[]>([]);
  loaded = $state(false);
  fault = $state.raw<WireFault | null>(null);
  preview = $state.raw<CallReply<'cleanup.preview'> | null>(null);
  previewFault = $state.raw<WireFault | null>(null);
  standings = $derived<ReadonlyMap<string, Standing>>(standings(this.preview ?? { keep: [], remove: [] }));
  jobs = $state.raw<readonly Job[]>([]);

  readonly slug: string;
  readonly destination: string;

  constructor(slug: string, destination: string) {
    this.slug = slug;
    this.destination = destination;
  }

  /** Reads everything again; what is shown stays until the new is there. */
  async load(signal?: AbortSignal): Promise<void> {
    // Both need the same of each snapshot: what the first has read need not be read for the second.
    const looks = this.#list(signal).then(() => this.#preview(signal));
    await Promise.all([looks, this.#jobs(signal)]);
  }

  async #list(signal?: AbortSignal): Promise<void> {
    try {
      this.rows = await newestFirst(this.slug, this.destination, signal);
      this.fault = null;
    } catch (error) {
      if (signal?.aborted === true) return;
      this.fault = faultOf(error);
    }
    this.loaded = true;
  }

  async #preview(signal?: AbortSignal): Promise<void> {
    const { slug, destination } = this;
    try {
      this.preview = await call('cleanup.preview', { slug, destination }, signal);
      this.previewFault = null;
    } catch (error) {
      if (signal?.aborted === true) return;
      this.previewFault = faultOf(error);
    }
  }

  async #jobs(signal?: AbortSignal): Promise<void> {
    try {
      this.jobs = await call('jobs.list', { server: this.slug, limit: 1000 }, signal);
    } catch {
      // Without them no day is marked as failed; the shell tells of a service that does not answer.
      this.jobs = [];
    }
  }
}

export async function newestFirst(slug: string, destination: string, signal?: AbortSignal): Promise<readonly StoredRow[]> {
  const rows = await call('snapshots.list', { slug, destination }, signal);
  return rows.map(timed).sort((one, other) => other.at - one.at);
}

/** The complete one that was written last, without waiting for the others. */
export async function newestOf(slug: string, destination: string, signal?: AbortSignal): Promise<StoredRow | null> {
  const row = await call('snapshot.newest', { slug, destination }, signal);
  return row === null ? null : timed(row);
}

function timed(row: SnapshotSummary): StoredRow {
  return { ...row, at: Date.parse(row.time) };
}
