import type { ServiceEvent } from '../../contract/events.ts';
import { asFault, Fault } from '../../contract/faults.ts';
import type { Job } from '../../contract/jobs.ts';
import type { ServerSettings } from '../../contract/server-settings.ts';
import type { ServerStatus } from '../../contract/server-status.ts';
import { overdueFrom } from '../schedule/due.ts';
import { runScheduler } from '../schedule/scheduler.ts';
import { endsWithin } from '../storage/cancel.ts';
import { factsAfter, mendedSince, type Mended } from './facts.ts';
import { leftBehind } from './left-behind.ts';
import { jobQueue, type JobOrder } from './job-queue.ts';
import type { ServiceHost } from './ports.ts';
import { scheduledServers } from './scheduled-servers.ts';
import { serverRuns } from './server-runs.ts';
import { serverBoard } from './server-board.ts';
import { serviceCalls, type ServiceCalls, type ServiceCore } from './service-calls.ts';

export interface Service {
  readonly calls: ServiceCalls;
  subscribe(listener: (event: ServiceEvent) => void): () => void;
  status(slug: string): ServerStatus;
  /** How all servers are; tells what has become so by the passing of time alone. To be called every minute or so. */
  readonly looked: () => readonly ServerStatus[];
  /** Tries again to let servers go on that an earlier job could not reach; to be called every minute or so. */
  readonly letGoOn: (only?: string) => Promise<void>;
  /** Why a server is still at rest although no job works on it; null where it is not. */
  readonly stuck: (slug: string) => string | null;
  /** Slugs of the servers that a job works on now. */
  readonly running: () => readonly string[];
  /** To be called when servers were added, changed or removed. */
  settingsChanged(): void;
  /** To be called when one was removed: its jobs are stopped, and nothing of it is remembered. */
  serverRemoved(slug: string): void;
  /** From when on a server counts as overdue; null where it has no schedule. */
  overdueSince(slug: string): number | null;
  /** Takes up what the last process left, for one that runs no schedule. Where nothing was left it costs nothing. */
  takeUp(): Promise<void>;
  /** Takes up what the last process left, then runs the schedule until the signal; settles when every job has ended. */
  run(signal: AbortSignal): Promise<void>;
}

/** More would only take each other's bandwidth and processors. */
const jobsAtOnce = 2;
/** For a command, which begins with it. */
const takeUpMs = 60_000;

/** Owns all work on all servers: one queue, one schedule, one truth about their state. */
export function createService(host: ServiceHost): Service {
  const { clock, store } = host;
  const listeners = new Set<(event: ServiceEvent) => void>();
  /** Jobs of servers that were removed: another one may have their slug by now. */
  const disowned = new Set<string>();
  let known = slugsNow();
  let isScheduling = false;

  const queue = jobQueue({
    clock,
    random: host.random,
    store,
    atOnce: jobsAtOnce,
    ...(host.redact === undefined ? {} : { redact: host.redact }),
    ...(host.onJobNote === undefined ? {} : { onNote: host.onJobNote }),
    onJob: (job) => {
      emit({ event: 'job', data: job });
      if (job.progress === null) changed(job.server);
    },
  });

  const left = leftBehind({
    host,
    // What only reads the backup place brings no server to rest, and must not keep one there.
    isBusy: (slug) => queue.active().some(({ server, kind }) => server === slug && (kind === 'backup' || kind === 'restore')),
    ...{ remember, emit },
    changed: (slug) => board.changed(slug),
  });

  const mended = (last: Job | null): Mended | null => mendedSince(last, host.signedInAt ?? (() => null), host.keychainOpenedAt?.() ?? null);
  const scheduled = scheduledServers(host, mended);
  const board = serverBoard({
    ...{ host, scheduled, serverOf, mended, emit },
    active: (slug) => queue.active().filter(({ id, server }) => server === slug && !disowned.has(id)),
    stuck: (slug) => left.stuck(slug),
    isScheduling: () => isScheduling,
  });
  const { status, changed } = board;

  function slugsNow(): readonly string[] {
    return host.servers().map(({ slug }) => slug);
  }

  /** What was known of it beyond its facts is known no more. */
  function gone(slug: string): void {
    known = known.filter((one) => one !== slug);
    board.forget(slug);
  }

  function emit(event: ServiceEvent): void {
    for (const listener of listeners) listener(event);
  }

  function serverOf(slug: string): ServerSettings {
    const server = host.servers().find((one) => one.slug === slug);
    if (server !== undefined) return server;
    throw new Fault('not-found', `there is no server ${slug}`, { operation: 'find server', context: { server: slug } });
  }

  const isKept = ({ id, server }: Job): boolean => !disowned.has(id) && host.servers().some(({ slug }) => slug === server);

  function remember(job: Job): void {
    if (!isKept(job)) return;
    store.changeFacts(job.server, factsAfter(store.facts(job.server), job, serverOf(job.server).destinations));
  }

  /** `counts`: what came of it is remembered of the server. */
  function start(order: JobOrder, counts = true): { readonly id: string; readonly ended: Promise<Job> } {
    // These two touch the server itself.
    const isAtServer = order.kind === 'backup' || order.kind === 'restore';
    const { id, ended } = queue.add(isAtServer ? { ...order, ready: () => left.resumed(order.server) } : order);
    const settled = ended.then((job) => {
      if (counts) remember(job);
      changed(job.server);
      return job;
    });
    return { id, ended: settled };
  }

  const { startBackup, startVerify, startDrill } = serverRuns({
    ...{ host, start, serverOf, isKept },
    occurrencesOf: (server) => scheduled.occurrencesOf(server),
    active: () => queue.active(),
    isScheduling: () => isScheduling,
  });

  function pause(slug: string, until: number | null): ServerStatus {
    serverOf(slug);
    store.changeFacts(slug, { pausedUntil: until, pausedAt: until === null || until === 0 ? null : clock.now() });
    changed(slug);
    return status(slug);
  }

  const core: ServiceCore = { host, queue, serverOf, status, pause, start, startBackup, startVerify, startDrill };
  return {
    calls: serviceCalls(core),
    status,
    looked: board.looked,
    serverRemoved(slug) {
      for (const id of queue.disown(slug)) disowned.add(id);
      store.removeServer(slug);
      gone(slug);
    },
    letGoOn: left.letGoOn,
    stuck: left.stuck,
    running: () => [...new Set(queue.active().flatMap(({ server, state }) => (state === 'running' ? [server] : [])))],
    overdueSince(slug) {
      const server = serverOf(slug);
      return overdueFrom(scheduled.standingOf(server), scheduled.occurrencesOf(server));
    },
    settingsChanged() {
      scheduled.changed();
      const now = slugsNow();
      // Taken out by hand or by an import: its jobs are stopped, and its history stays, as it may come back the same way.
      for (const slug of known.filter((one) => !now.includes(one))) {
        for (const { id, server } of queue.active()) if (server === slug) queue.cancel(id);
        gone(slug);
      }
      known = now;
      for (const slug of now) changed(slug);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async takeUp() {
      // A drive that does not answer is no reason to do nothing else.
      if (left.isAny()) await endsWithin(clock, takeUpMs, left.takeUp());
    },
    async run(signal) {
      const taken = left.takeUp();
      isScheduling = true;
      const rebuilding = left.rebuild(signal);
      try {
        await runScheduler({
          clock: host.scheduleClock ?? clock,
          signal,
          servers: scheduled.all,
          isHeld: () => (host.held?.() ?? null) !== null,
          start: async (slug, reason) => {
            try {
              if (((await host.lookHeld?.()) ?? null) !== null) return;
              await startBackup(slug, reason, { force: false, takeOver: false }).ended;
            } catch (error) {
              // Nor can it be made a job while the service stops.
              host.onProblem?.(`the run of ${slug} was not begun`, error);
            }
          },
          // Nothing has changed that the schedule rests on: only what it comes to is told.
          onDue: (slug) => board.tell(slug),
        });
      } catch (error) {
        if (asFault(error, 'run schedule').code !== 'cancelled') throw error;
      } finally {
        isScheduling = false;
        await queue.close();
        await Promise.all([taken, rebuilding]);
        await store.flush();
      }
    },
  };
}
