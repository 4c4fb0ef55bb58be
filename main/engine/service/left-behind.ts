import type { ServiceEvent } from '../../contract/events.ts';
import { asFault, Fault } from '../../contract/faults.ts';
import type { Job } from '../../contract/jobs.ts';
import type { ServerSettings } from '../../contract/server-settings.ts';
import { restUntil } from '../storage/cancel.ts';
import { markOf } from './at-rest.ts';
import type { Resting, ServiceHost } from './ports.ts';
import { historyFromDestinations, type Found } from './rebuild.ts';

/** How long until a destination is asked again for a server's history. */
const askAgainMs = 30 * 60_000;

export interface LeftBehindOptions {
  readonly host: ServiceHost;
  /** Whether a job of this server waits or runs. */
  readonly isBusy: (slug: string) => boolean;
  /** What came of a job is remembered of its server. */
  readonly remember: (job: Job) => void;
  readonly changed: (slug: string) => void;
  readonly emit: (event: ServiceEvent) => void;
}

/** What earlier jobs, and processes that are gone, have left behind. */
export interface LeftBehind {
  /** Marks and tells the jobs that never ended, finishes what killed restores left of the servers' folders, and then lets servers go on that were brought to rest. */
  takeUp(): Promise<void>;
  /** Whether a process that is gone has left jobs that never ended, or servers at rest. */
  readonly isAny: () => boolean;
  /** Tries again to let servers go on that an earlier job could not reach: all, or only this one; also those that were removed since. */
  readonly letGoOn: (only?: string) => Promise<void>;
  /** Why a server of the settings is at rest, where no job is at it; null where it is not. */
  readonly stuck: (slug: string) => string | null;
  /** Settles once nobody tells this server to go on any more: a backup or restore waits for it, lest it be told so in its middle. */
  readonly resumed: (slug: string) => Promise<void>;
  /** Finds the history of servers that have none here. Where a destination cannot be asked now, it is asked again until the signal. */
  rebuild(signal: AbortSignal): Promise<void>;
}

export function leftBehind({ host, isBusy, remember, changed, emit }: LeftBehindOptions): LeftBehind {
  const { clock, store } = host;
  const resumes = new Map<string, Promise<unknown>>();
  const said = new Map<string, string>();
  const isThere = (slug: string): boolean => host.servers().some((server) => server.slug === slug);
  /** Servers whose folders an earlier process may have left half exchanged. */
  const unlooked = new Set<string>();

  async function recover({ slug, name, folder }: ServerSettings): Promise<void> {
    const done = (await host.recoverFolder?.(folder)) ?? [];
    unlooked.delete(slug);
    for (const message of done) host.onProblem?.(`the folder of ${name}: ${message}`, new Fault('unexpected', message));
  }

  async function resume(server: Resting): Promise<void> {
    const kept = host.servers().find(({ slug }) => slug === server.slug);
    // What starts a program anew must find a whole folder; a console does not start anything, and its game may be running without saving.
    const isStarted = server.quiesce.kind === 'systemd' || server.quiesce.kind === 'docker';
    if (kept !== undefined && isStarted && unlooked.has(kept.slug)) await recover(kept);
    await (await host.quiesce(server)).resume();
  }

  /** Whether every destination could be asked. */
  async function rebuilt(
    server: ServerSettings,
    asked: Map<string, readonly Found[]>,
    isFirst: boolean,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { slug, name } = server;
    const { facts, jobs, unasked } = await historyFromDestinations(host, server, asked, signal);
    if (!isThere(slug)) return true;
    const own = store.jobs().filter((job) => job.rebuilt !== true);
    const known = own.flatMap(({ snapshot, places }) => [snapshot, ...(places ?? []).map((place) => place.snapshot)]);
    store.putRebuilt(
      slug,
      jobs.filter(({ snapshot }) => !known.includes(snapshot)),
    );
    if (facts !== null && store.facts(slug).lastSuccess === null) store.changeFacts(slug, facts);
    if (facts !== null) changed(slug);
    if (isFirst && !signal.aborted)
      for (const fault of unasked.values()) host.onProblem?.(`the history of ${name} could not be rebuilt`, fault);
    return unasked.size === 0;
  }

  async function letGoOn(only?: string): Promise<void> {
    for (const server of store.resting()) {
      const { slug, name } = server;
      if (isBusy(slug) || (only !== undefined && slug !== only)) continue;
      const resuming = resume(server);
      resumes.set(slug, Promise.allSettled([resumes.get(slug), resuming]));
      try {
        await resuming;
        said.delete(slug);
        await markOf(host, server)(false);
        changed(slug);
      } catch (error) {
        // The mark stays, and it is tried again; the same is not said every minute.
        const fault = asFault(error, 'resume');
        if (said.get(slug) !== fault.message) host.onProblem?.(`${name} could not be told to go on`, fault);
        said.set(slug, fault.message);
        changed(slug);
      }
    }
  }

  return {
    letGoOn,
    stuck: (slug) => {
      if (!store.resting().some((one) => one.slug === slug && !one.removed)) return null;
      return `It could not be told to go on: ${said.get(slug) ?? 'it was left at rest, and is told again soon'}`;
    },
    async resumed(slug) {
      await resumes.get(slug);
    },
    isAny: () => store.resting().length > 0 || store.jobs().some(({ endedAt }) => endedAt === null),
    async takeUp() {
      for (const job of [...store.jobs()]) {
        if (job.endedAt !== null) continue;
        const cut: Job = { ...job, state: 'interrupted', endedAt: clock.now(), progress: null, summary: 'The program ended while it ran.' };
        store.putJob(cut);
        remember(cut);
        changed(job.server);
        emit({ event: 'job', data: cut });
      }
      for (const server of host.servers()) {
        unlooked.add(server.slug);
        try {
          await recover(server);
        } catch (error) {
          // Its next restore tries again, and so does what starts it.
          host.onProblem?.(`what a restore left of ${server.name} could not be finished`, error);
        }
      }
      await letGoOn();
      await store.flush();
    },
    async rebuild(signal) {
      const asked = new Map<string, Map<string, readonly Found[]>>();
      let open = host.servers().filter(({ slug }) => store.facts(slug).lastSuccess === null);
      for (let isFirst = true; open.length > 0 && !signal.aborted; isFirst = false) {
        if (!isFirst) await restUntil(clock, askAgainMs, signal);
        const still: ServerSettings[] = [];
        for (const server of open) {
          const own = asked.get(server.slug) ?? new Map<string, readonly Found[]>();
          asked.set(server.slug, own);
          if (!signal.aborted && !(await rebuilt(server, own, isFirst, signal))) still.push(server);
        }
        open = still;
      }
    },
  };
}
