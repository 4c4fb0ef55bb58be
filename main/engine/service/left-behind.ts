import type { ServiceEvent } from '../../contract/events.ts';
import { asFault } from '../../contract/faults.ts';
import type { Job } from '../../contract/jobs.ts';
import type { ServerStatus } from '../../contract/server-status.ts';
import type { ServiceHost } from './ports.ts';
import { factsFromDestinations } from './rebuild.ts';

export interface LeftBehindOptions {
  readonly host: ServiceHost;
  /** Whether a job of this server waits or runs. */
  readonly isBusy: (slug: string) => boolean;
  readonly status: (slug: string) => ServerStatus;
  /** What came of a job is remembered of its server. */
  readonly remember: (job: Job) => void;
  readonly changed: (slug: string) => void;
  readonly emit: (event: ServiceEvent) => void;
}

/** What earlier jobs, and processes that are gone, have left behind. */
export interface LeftBehind {
  /** Marks and tells the jobs that never ended, and lets servers go on that were brought to rest. */
  takeUp(): Promise<void>;
  /** Tries again to let servers go on that an earlier job could not reach. */
  readonly letGoOn: () => Promise<void>;
  /** Settles once nobody tells this server to go on any more: a backup or restore waits for it, lest it be told so in its middle. */
  readonly resumed: (slug: string) => Promise<void>;
  /** Finds the history of servers that have none here; one that cannot be asked now stays as it is, and its next backup tells. */
  rebuild(signal: AbortSignal): Promise<void>;
}

export function leftBehind({ host, isBusy, status, remember, changed, emit }: LeftBehindOptions): LeftBehind {
  const { clock, store } = host;
  const resumes = new Map<string, Promise<void>>();

  async function letGoOn(): Promise<void> {
    for (const server of host.servers()) {
      if (!store.facts(server.slug).quiesced || isBusy(server.slug)) continue;
      const resuming = host.quiesce(server).then((quiesce) => quiesce.resume());
      resumes.set(
        server.slug,
        resuming.catch(() => undefined),
      );
      const isStillThere = (): boolean => host.servers().some(({ slug }) => slug === server.slug);
      try {
        await resuming;
        if (isStillThere()) store.changeFacts(server.slug, { quiesced: false });
      } catch (error) {
        if (!isStillThere()) continue;
        // The mark stays, and it is tried again.
        const fault = asFault(error, 'resume');
        host.onProblem?.(`${server.name} could not be told to go on`, fault);
        emit({ event: 'server', data: { ...status(server.slug), why: `It could not be told to go on: ${fault.message}` } });
      }
    }
  }

  return {
    letGoOn,
    resumed: async (slug) => await resumes.get(slug),
    async takeUp() {
      for (const job of [...store.jobs()]) {
        if (job.endedAt !== null) continue;
        const cut: Job = { ...job, state: 'interrupted', endedAt: clock.now(), progress: null, summary: 'The program ended while it ran.' };
        store.putJob(cut);
        remember(cut);
        changed(job.server);
        emit({ event: 'job', data: cut });
      }
      await letGoOn();
      await store.flush();
    },
    async rebuild(signal) {
      for (const server of host.servers()) {
        if (store.facts(server.slug).lastSuccess !== null) continue;
        try {
          const found = await factsFromDestinations(host, server, signal);
          if (found === null || store.facts(server.slug).lastSuccess !== null) continue;
          store.changeFacts(server.slug, found);
          changed(server.slug);
        } catch (error) {
          host.onProblem?.(`the history of ${server.name} could not be rebuilt`, error);
        }
      }
    },
  };
}
