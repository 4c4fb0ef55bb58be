import { asFault, Fault, type WireFault } from '../../contract/faults.ts';
import type { Job } from '../../contract/jobs.ts';
import type { Progress } from '../../contract/reports.ts';
import type { Clock, Random } from '../ports.ts';
import { endedOr, throwIfCancelled } from '../storage/cancel.ts';
import { permits, type Permits } from '../storage/layers/concurrency.ts';
import type { JobNote, StateStore } from './ports.ts';
import { whenStill } from './standing-still.ts';

/** What a job came to; what is left out stays as it was. */
export type JobOutcome = Partial<
  Pick<Job, 'summary' | 'snapshot' | 'unchanged' | 'bytes' | 'storedBytes' | 'warnings' | 'files' | 'kept' | 'places' | 'skipped'>
>;

export interface JobRun {
  readonly id: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** What has come of it so far, which stays with the job however it ends. */
  readonly found: (outcome: JobOutcome) => void;
  /** For the log: a step that was taken, and what belongs to it. */
  readonly note: (event: string, fields?: Readonly<Record<string, unknown>>, level?: JobNote['level']) => void;
}

export interface JobOrder extends Pick<Job, 'kind' | 'server' | 'destination' | 'reason' | 'partial' | 'restore'> {
  readonly work: (run: JobRun) => Promise<JobOutcome>;
  /** What has to be over before it begins: it waits for that in its server's turn, and takes nothing from other servers meanwhile. */
  readonly ready?: () => Promise<void>;
}

export interface JobQueue {
  /**
   * Jobs of one server run one after the other: what a person asked for before what waits and came by itself, else in the order in which they came. Those
   * of several servers run side by side, up to a limit, which one that was cancelled and has yet to end does not count towards, nor one that has stood
   * still for long.
   */
  add(order: JobOrder): { readonly id: string; readonly ended: Promise<Job> };
  /** Stops it, or takes it out of the queue. Ended or unknown: nothing. */
  cancel(id: string): void;
  /** Stops all jobs of a server that was removed: what becomes of them is told, and kept nowhere. Their ids. */
  disown(server: string): readonly string[];
  /** Waiting and running ones, oldest first. */
  active(): readonly Job[];
  /** Stops everything and settles when all has ended; nothing may be added any more. */
  close(): Promise<void>;
}

interface Active {
  job: Job;
  readonly stop: AbortController;
  readonly ended: Promise<Job>;
  /** Somebody does not want it; false where everything is stopped. */
  unwanted: boolean;
  disowned: boolean;
}

export interface JobQueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: StateStore;
  readonly atOnce: number;
  readonly onJob: (job: Job) => void;
  readonly onNote?: (note: JobNote) => void;
  /** Hides secrets in texts that come from elsewhere: what a hook printed, what a provider answered. */
  readonly redact?: (text: string) => string;
}

export function jobQueue(options: JobQueueOptions): JobQueue {
  const { clock, random, store, atOnce, onJob, onNote = () => undefined, redact = (text: string) => text } = options;
  const slots = permits(atOnce);
  const active = new Map<string, Active>();
  /** By server. */
  const turns = new Map<string, Permits>();
  let closed = false;

  function change(id: string, more: Partial<Job>, keep: boolean): Job | null {
    const entry = active.get(id);
    if (entry === undefined) return null;
    entry.job = { ...entry.job, ...more };
    if (keep && !entry.disowned) store.putJob(entry.job);
    onJob(entry.job);
    return entry.job;
  }

  async function run(id: string, order: JobOrder, signal: AbortSignal, found: JobRun['found']): Promise<JobOutcome> {
    if (order.ready !== undefined) await endedOr(signal, order.ready(), order.kind);
    const release = await slots.acquire(signal, order.kind);
    // One that hangs in a place that does not answer does not end by this, and must not hold up other servers; its own server's turn it keeps.
    signal.addEventListener('abort', release, { once: true });
    const over = new AbortController();
    const moved = whenStill(clock, over.signal, release);
    try {
      throwIfCancelled(signal, order.kind);
      change(id, { state: 'running', startedAt: clock.now() }, true);
      return await order.work({
        ...{ id, signal, found },
        onProgress: (progress) => {
          moved(progress);
          change(id, { progress }, false);
        },
        note(event, fields = {}, level = 'info') {
          const job = active.get(id)?.job;
          if (job !== undefined) onNote({ job, level, event, fields });
        },
      });
    } finally {
      over.abort();
      signal.removeEventListener('abort', release);
      release();
    }
  }

  function turnsOf(server: string): Permits {
    const known = turns.get(server) ?? permits(1);
    turns.set(server, known);
    return known;
  }

  async function follow(id: string, order: JobOrder, signal: AbortSignal): Promise<Job> {
    let end: Partial<Job>;
    let sofar: JobOutcome = {};
    let leave = (): void => undefined;
    try {
      leave = await turnsOf(order.server).acquire(signal, order.kind, order.reason === 'person');
      end = { ...(await run(id, order, signal, (outcome) => (sofar = { ...sofar, ...outcome }))), state: 'done' };
    } catch (error) {
      const context = active.get(id)?.unwanted === true ? { by: 'person' } : {};
      const fault = signal.aborted ? new Fault('cancelled', 'cancelled', { operation: order.kind, context }) : asFault(error, order.kind);
      end = { state: fault.code === 'cancelled' ? 'cancelled' : 'failed', fault: fault.toWire(), summary: fault.message };
      // Before the swap a restore writes only beside its target.
      if (order.kind === 'restore' && active.get(id)?.job.progress?.phase !== 'swap') end = { ...end, untouched: true };
    }
    const job = change(id, { ...redacted({ ...sofar, ...end }, redact), progress: null, endedAt: clock.now() }, true);
    active.delete(id);
    leave();
    if (![...active.values()].some((other) => other.job.server === order.server)) turns.delete(order.server);
    if (job === null) throw new Error(`job ${id} is gone`);
    return job;
  }

  return {
    add(order) {
      if (closed) throw new Fault('cancelled', 'the service is stopping', { operation: order.kind });
      const id = Buffer.from(random.bytes(8)).toString('hex');
      const stop = new AbortController();
      const job: Job = {
        id,
        kind: order.kind,
        server: order.server,
        destination: order.destination,
        reason: order.reason,
        state: 'waiting',
        queuedAt: clock.now(),
        startedAt: null,
        endedAt: null,
        progress: null,
        summary: '',
        snapshot: null,
        unchanged: false,
        bytes: 0,
        storedBytes: 0,
        warnings: [],
        fault: null,
        ...(order.partial === undefined ? {} : { partial: order.partial }),
        ...(order.restore === undefined ? {} : { restore: order.restore }),
      };
      // Registered before it can run, so that its first change finds it.
      const ended = Promise.resolve().then(() => follow(id, order, stop.signal));
      active.set(id, { job, stop, ended, unwanted: false, disowned: false });
      store.putJob(job);
      onJob(job);
      return { id, ended };
    },
    cancel(id) {
      const entry = active.get(id);
      if (entry === undefined) return;
      entry.unwanted = true;
      entry.stop.abort();
    },
    disown(server) {
      const all = [...active].filter(([, { job }]) => job.server === server);
      for (const [, entry] of all) {
        entry.disowned = entry.unwanted = true;
        entry.stop.abort();
      }
      return all.map(([id]) => id);
    },
    active: () => [...active.values()].map(({ job }) => job),
    async close() {
      closed = true;
      const all = [...active.values()];
      for (const { stop } of all) stop.abort();
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}

function redacted(end: Partial<Job>, redact: (text: string) => string): Partial<Job> {
  const { summary, warnings, fault, places } = end;
  const clean = (value: string | number): string | number => (typeof value === 'string' ? redact(value) : value);
  const cleaned = (of: WireFault): WireFault => ({
    ...of,
    message: redact(of.message),
    context: Object.fromEntries(Object.entries(of.context).map(([name, value]) => [name, clean(value)])),
  });
  return {
    ...end,
    ...(summary === undefined ? {} : { summary: redact(summary) }),
    ...(warnings === undefined ? {} : { warnings: warnings.map((warning) => ({ ...warning, message: redact(warning.message) })) }),
    ...(fault === undefined || fault === null ? {} : { fault: cleaned(fault) }),
    ...(places === undefined
      ? {}
      : { places: places.map((place) => ({ ...place, fault: place.fault === null ? null : cleaned(place.fault) })) }),
  };
}
