import type { ServiceEvent } from '../../contract/events.ts';
import { asFault } from '../../contract/faults.ts';
import type { Job } from '../../contract/jobs.ts';
import type { ServerStatus } from '../../contract/server-status.ts';
import { markOf } from './at-rest.ts';
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
  /** Tries again to let servers go on that an earlier job could not reach: all, or only this one; also those that were removed since. */
  readonly letGoOn: (only?: string) => Promise<void>;
  /** Settles once nobody tells this server to go on any more: a backup or restore waits for it, lest it be told so in its middle. */
  readonly resumed: (slug: string) => Promise<void>;
  /** Finds the history of servers that have none here; one that cannot be asked now stays as it is, and its next backup tells. */
  rebuild(signal: AbortSignal): Promise<void>;
}

export function leftBehind({ host, isBusy, status, remember, changed, emit }: LeftBehindOptions): LeftBehind {
  const { clock, store } = host;
  const resumes = new Map<string, Promise<unknown>>();
  const said = new Map<string, string>();
  const isThere = (slug: string): boolean => host.servers().some((server) => server.slug === slug);

  async function letGoOn(only?: string): Promise<void> {
    for (const server of store.resting()) {
      const { slug, name } = server;
      if (isBusy(slug) || (only !== undefined && slug !== only)) continue;
      const resuming = host.quiesce(server).then((quiesce) => quiesce.resume());
      resumes.set(slug, Promise.allSettled([resumes.get(slug), resuming]));
      try {
        await resuming;
        said.delete(slug);
        await markOf(host, server)(false);
      } catch (error) {
        // The mark stays, and it is tried again; the same is not said every minute.
        const fault = asFault(error, 'resume');
        if (said.get(slug) !== fault.message) host.onProblem?.(`${name} could not be told to go on`, fault);
        said.set(slug, fault.message);
        if (!isThere(slug)) continue;
        emit({ event: 'server', data: { ...status(slug), why: `It could not be told to go on: ${fault.message}` } });
      }
    }
  }

  return {
    letGoOn,
    async resumed(slug) {
      await resumes.get(slug);
    },
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
          if (found === null || !isThere(server.slug) || store.facts(server.slug).lastSuccess !== null) continue;
          store.changeFacts(server.slug, found);
          changed(server.slug);
        } catch (error) {
          host.onProblem?.(`the history of ${server.name} could not be rebuilt`, error);
        }
      }
    },
  };
}
