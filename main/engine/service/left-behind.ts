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
  /**
   * Marks and tells the jobs that never ended, and begins to finish what killed restores left of the servers' folders and to let servers go on that were
   * brought to rest: each for itself, as a folder on a drive that does not answer must not hold up the other servers. Settles once all of it has ended, and
   * never rejects.
   */
  takeUp(): Promise<void>;
  /** Whether a process that is gone has left jobs that never ended, or servers at rest. */
  readonly isAny: () => boolean;
  /** Tries again to let servers go on that an earlier job could not reach: all, or only this one; also those that were removed since. */
  readonly letGoOn: (only?: string) => Promise<void>;
  /** Why a server of the settings is at rest, where no job is at it; null where it is not. */
  readonly stuck: (slug: string) => string | null;
  /** Settles once its folder has been looked after, and nobody tells it to go on any more: a backup or restore waits for it, lest that happen in its middle. */
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
  const recovering = new Map<string, Promise<void>>();
  /** By what is at rest, and how. */
  const underWay = new Map<string, Promise<void>>();

  async function recover({ slug, name, folder }: ServerSettings): Promise<void> {
    const done = (await host.recoverFolder?.(folder)) ?? [];
    unlooked.delete(slug);
    for (const message of done) host.onProblem?.(`the folder of ${name}: ${message}`, new Fault('unexpected', message));
  }

  async function recoverAtStart(server: ServerSettings): Promise<void> {
    unlooked.add(server.slug);
    try {
      await once(recovering, server.slug, () => recover(server));
    } catch (error) {
      // Its next restore tries again, and so does what starts it.
      host.onProblem?.(`what a restore left of ${server.name} could not be finished`, error);
    }
  }

  async function resume(server: Resting): Promise<void> {
    const kept = host.servers().find(({ slug }) => slug === server.slug);
    // What starts a program anew must find a whole folder; a console does not start anything, and its game may be running without saving.
    const isStarted = server.quiesce.kind === 'systemd' || server.quiesce.kind === 'docker';
    if (kept !== undefined && isStarted && unlooked.has(kept.slug)) await once(recovering, kept.slug, () => recover(kept));
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

  async function rebuildOne(server: ServerSettings, signal: AbortSignal): Promise<void> {
    const asked = new Map<string, readonly Found[]>();
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      if (await rebuilt(server, asked, isFirst, signal)) return;
      await restUntil(clock, askAgainMs, signal);
    }
  }

  async function tellToGoOn(server: Resting): Promise<void> {
    const { slug, name } = server;
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

  /** All at once, and each by one try at a time: one that does not answer keeps no other at rest. */
  async function letGoOn(only?: string): Promise<void> {
    const those = store.resting().filter(({ slug }) => !isBusy(slug) && (only === undefined || slug === only));
    await Promise.all(those.map((server) => once(underWay, JSON.stringify([server.slug, server.quiesce]), () => tellToGoOn(server))));
  }

  function markInterrupted(): void {
    for (const job of [...store.jobs()]) {
      if (job.endedAt !== null) continue;
      const cut: Job = { ...job, state: 'interrupted', endedAt: clock.now(), progress: null, summary: 'The program ended while it ran.' };
      store.putJob(cut);
      remember(cut);
      changed(job.server);
      emit({ event: 'job', data: cut });
    }
  }

  return {
    letGoOn,
    stuck: (slug) => {
      if (!store.resting().some((one) => one.slug === slug && !one.removed)) return null;
      return `It could not be told to go on: ${said.get(slug) ?? 'it was left at rest, and is told again soon'}`;
    },
    async resumed(slug) {
      await Promise.allSettled([recovering.get(slug), resumes.get(slug)]);
    },
    isAny: () => store.resting().length > 0 || store.jobs().some(({ endedAt }) => endedAt === null),
    async takeUp() {
      markInterrupted();
      await Promise.all([...host.servers().map(recoverAtStart), letGoOn()]);
      await store.flush();
    },
    async rebuild(signal) {
      const open = host.servers().filter(({ slug }) => store.facts(slug).lastSuccess === null);
      await Promise.all(open.map((server) => rebuildOne(server, signal)));
    },
  };
}

/** What is under way by this name already, else this. */
function once(all: Map<string, Promise<void>>, name: string, work: () => Promise<void>): Promise<void> {
  const known = all.get(name);
  if (known !== undefined) return known;
  const begun = work().finally(() => all.delete(name));
  all.set(name, begun);
  return begun;
}
