import type { Job } from '../../contract/jobs.ts';
import type { ServerSettings } from '../../contract/server-settings.ts';
import type { Occurrences } from '../schedule/occurrences.ts';
import { backupJob, type BackupHow } from './backup-job.ts';
import { drillJob, verifyJob } from './check-jobs.ts';
import { dueChecks, placesDue, wellIn } from './facts.ts';
import type { JobOrder, JobOutcome } from './job-queue.ts';
import type { ServiceHost } from './ports.ts';

export interface ServerRunsOptions {
  readonly host: ServiceHost;
  /** `counts`: what came of it is remembered of the server. */
  readonly start: (order: JobOrder, counts?: boolean) => Started;
  /** Fault not-found where the settings do not name it. */
  readonly serverOf: (slug: string) => ServerSettings;
  /** Whether its server is in the settings still. */
  readonly isKept: (job: Job) => boolean;
  readonly occurrencesOf: (server: ServerSettings) => Occurrences;
  /** Jobs that have yet to end. */
  readonly active: () => readonly Job[];
  /** Whether anything is started by itself at all. */
  readonly isScheduling: () => boolean;
}

/** A job that was added to the queue. */
export interface Started {
  readonly id: string;
  readonly ended: Promise<Job>;
}

/** The runs of a server, and what follows on a backup by itself. */
export interface ServerRuns {
  readonly startBackup: (slug: string, reason: Job['reason'], how: BackupHow) => Started;
  readonly startVerify: (
    server: ServerSettings,
    place: { readonly destination: string; readonly snapshot: string; readonly quick: boolean },
    reason: Job['reason'],
  ) => string;
  readonly startDrill: (server: ServerSettings, destination: string, reason: Job['reason']) => string;
}

/** Of a run of the schedule that waited while a person's was made: the server is not brought to rest a second time for it. */
const skipped: JobOutcome = { skipped: true, summary: 'Nothing was due any more: another backup had ended well while this one waited.' };

export function serverRuns({ host, start, serverOf, isKept, occurrencesOf, active, isScheduling }: ServerRunsOptions): ServerRuns {
  const { clock, store } = host;

  function startBackup(slug: string, reason: Job['reason'], how: BackupHow): Started {
    const server = serverOf(slug);
    const { id, ended } = start({
      kind: 'backup',
      server: slug,
      destination: null,
      reason,
      work: async (run) => {
        if (reason === 'person') return await backupJob(host, server, how, run);
        const due = placesDue(server, store.facts(slug), occurrencesOf(server), clock.now());
        return due === null ? skipped : await backupJob(host, { ...server, destinations: [...due] }, how, run);
      },
    });
    const followed = ended.then((job) => {
      try {
        // A command that works by itself ends with what it was asked for.
        if (isScheduling() && job.state !== 'cancelled' && job.skipped !== true && isKept(job)) followUp(job);
      } catch (error) {
        // The job has told its own end; this is what could not be made a job, while the service stops.
        host.onProblem?.(`the run of ${slug} was not followed up`, error);
      }
      return job;
    });
    return { id, ended: followed };
  }

  /**
   * What is due by the calendar is done where a backup has ended well, whoever began it: then there is something to look at, and the line is known to
   * work.
   */
  function followUp(job: Job): void {
    const server = serverOf(job.server);
    const { verify, drill } = dueChecks(server, store.facts(job.server), clock.now(), wellIn(job, server.destinations));
    // Of two backups that end one behind the other, one has them done.
    const isComing = (kind: Job['kind'], destination: string): boolean =>
      active().some(
        (one) => one.server === server.slug && one.kind === kind && one.destination === destination && one.reason === 'follow-up',
      );
    for (const destination of verify)
      if (!isComing('verify', destination)) startVerify(server, { destination, snapshot: 'latest', quick: false }, 'follow-up');
    if (drill !== null && !isComing('drill', drill)) startDrill(server, drill, 'follow-up');
  }

  const startVerify: ServerRuns['startVerify'] = (server, place, reason) => {
    const work: JobOrder['work'] = (run) => verifyJob(host, server, place, run);
    // A quick look, or one at an older snapshot, is no full verification.
    const isFull = !place.quick && place.snapshot === 'latest';
    const order = { kind: 'verify', server: server.slug, destination: place.destination, reason, work } as const;
    return start(isFull ? order : { ...order, partial: true }, isFull).id;
  };

  const startDrill: ServerRuns['startDrill'] = (server, destination, reason) => {
    const work: JobOrder['work'] = (run) => drillJob(host, server, destination, run);
    return start({ kind: 'drill', server: server.slug, destination, reason, work }).id;
  };

  return { startBackup, startVerify, startDrill };
}
