import type { CallHandlers } from '../../contract/calls.ts';
import { Fault } from '../../contract/faults.ts';
import { hasFailed } from '../../contract/standing.ts';
import type { ServerSettings } from '../../contract/server-settings.ts';
import type { ServerStatus } from '../../contract/server-status.ts';
import { decideRetention } from '../retention/decide.ts';
import { nextOccurrences, occurrencesOf } from '../schedule/occurrences.ts';
import { policyOf } from './backup-job.ts';
import { restoreJob } from './check-jobs.ts';
import type { JobOrder, JobQueue } from './job-queue.ts';
import type { ServiceHost } from './ports.ts';
import type { ServerRuns, Started } from './server-runs.ts';
import { snapshotCalls, type SnapshotCalls } from './snapshot-calls.ts';

/** The calls that this answers; those that change settings belong to the host, which keeps them. */
export type ServiceCalls = Pick<
  CallHandlers,
  | 'servers.list'
  | 'server.get'
  | 'server.pause'
  | 'server.resume'
  | 'backup.start'
  | 'verify.start'
  | 'drill.start'
  | 'restore.start'
  | 'job.cancel'
  | 'job.get'
  | 'jobs.list'
  | 'schedule.preview'
  | 'retention.preview'
> &
  SnapshotCalls;

/** What the calls are made of. */
export interface ServiceCore extends ServerRuns {
  readonly host: ServiceHost;
  readonly queue: JobQueue;
  readonly serverOf: (slug: string) => ServerSettings;
  readonly status: (slug: string) => ServerStatus;
  readonly pause: (slug: string, until: number | null) => ServerStatus;
  readonly start: (order: JobOrder) => Started;
}

export function serviceCalls(core: ServiceCore): ServiceCalls {
  const { host, queue, serverOf, status, pause, start, startBackup, startVerify, startDrill } = core;
  const { clock, store } = host;

  /** A pause that is gone with the process would be none: where it cannot be written nothing changes. */
  async function pauseWritten(slug: string, until: number | null): Promise<ServerStatus> {
    serverOf(slug);
    const before = store.facts(slug).pausedUntil;
    pause(slug, until);
    const failure = await store.flush();
    if (failure === null) return status(slug);
    pause(slug, before);
    throw failure;
  }

  return {
    'servers.list': async () => host.servers().map(({ slug }) => status(slug)),
    'server.get': async ({ slug }) => status(slug),
    'server.pause': ({ slug, until }) => pauseWritten(slug, until),
    'server.resume': ({ slug }) => pauseWritten(slug, null),
    'backup.start': async ({ slug, ...how }) => ({ job: startBackup(slug, 'person', how).id }),
    'verify.start': async ({ slug, ...place }) => ({ job: startVerify(serverOf(slug), place, 'person') }),
    'drill.start': async ({ slug, destination }) => ({ job: startDrill(serverOf(slug), destination, 'person') }),
    'restore.start': async ({ slug, destination, ...request }) => {
      const server = serverOf(slug);
      const work: JobOrder['work'] = (run) =>
        restoreJob(host, server, destination, { ...request, server: server.name, salvage: false }, run);
      const { snapshot, target, replace, include } = request;
      const restore = { snapshot, target, replace, patterns: include.length };
      return { job: start({ kind: 'restore', server: slug, destination, reason: 'person', restore, work }).id };
    },
    'job.cancel': async ({ job }) => {
      queue.cancel(job);
      return {};
    },
    'job.get': async ({ job }) => {
      const found = queue.active().find(({ id }) => id === job) ?? store.jobs().find(({ id }) => id === job);
      if (found !== undefined) return found;
      throw new Fault('not-found', `there is no job ${job}`, { operation: 'find job' });
    },
    'jobs.list': async ({ server, kind, failed = false, limit }) =>
      store
        .jobs()
        .filter((job) => (server === undefined || job.server === server) && (kind === undefined || job.kind === kind))
        .filter((job) => !failed || hasFailed(job))
        .slice(0, limit),
    ...snapshotCalls(host, serverOf),
    'schedule.preview': async ({ schedule, zone, count }) => [...nextOccurrences(occurrencesOf(schedule, zone), clock.now(), count)],
    'retention.preview': async ({ keep, zone, times }) => {
      const candidates = times.map((time, index) => ({ id: String(index), time, complete: true }));
      const decision = decideRetention(candidates, policyOf(keep), { zone, now: clock.now() });
      const iso = (time: number): string => new Date(time).toISOString();
      return {
        keep: decision.keep.map(({ id, time, reasons }) => ({ id, time: iso(time), reasons: [...reasons] })),
        remove: decision.remove.map(({ id, time }) => ({ id, time: iso(time) })),
      };
    },
  };
}
