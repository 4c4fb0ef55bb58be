import type { ServiceEvent } from '../../contract/events.ts';
import type { Job } from '../../contract/jobs.ts';
import type { ServerSettings } from '../../contract/server-settings.ts';
import type { ServerState, ServerStatus } from '../../contract/server-status.ts';
import { nextRunOf } from '../schedule/scheduler.ts';
import { tellingJob, type Mended } from './facts.ts';
import type { ServiceHost } from './ports.ts';
import type { ScheduledServers } from './scheduled-servers.ts';
import { statusOf } from './status.ts';

export interface BoardOptions {
  readonly host: ServiceHost;
  readonly scheduled: ScheduledServers;
  /** Fault not-found where the settings do not name it. */
  readonly serverOf: (slug: string) => ServerSettings;
  /** Waiting and running jobs of a server, oldest first. */
  readonly active: (slug: string) => readonly Job[];
  readonly mended: (last: Job | null) => Mended | null;
  readonly stuck: (slug: string) => string | null;
  /** Whether anything is started by itself at all. */
  readonly isScheduling: () => boolean;
  readonly emit: (event: ServiceEvent) => void;
}

/** How the servers are, for who asks and for who listens. */
export interface ServerBoard {
  readonly status: (slug: string) => ServerStatus;
  /** Tells how a server is; one that is in the settings no more is passed over. */
  readonly tell: (slug: string) => void;
  /** To be called when anything of a server has changed. */
  readonly changed: (slug: string) => void;
  /** How all are now; also tells what has become so by the passing of time alone. To be called every minute or so. */
  readonly looked: () => readonly ServerStatus[];
  /** To be called when one was removed. */
  readonly forget: (slug: string) => void;
}

export function serverBoard(options: BoardOptions): ServerBoard {
  const { host, scheduled, serverOf, active, mended, stuck, isScheduling, emit } = options;
  const { clock, store } = host;
  const told = new Map<string, ServerState>();

  function status(slug: string): ServerStatus {
    const settings = serverOf(slug);
    // First, as it may change the facts.
    const standing = scheduled.standingOf(settings);
    const last = tellingJob(store.jobs(), settings);
    const own = isScheduling() ? scheduled.all().find((one) => one.slug === slug) : undefined;
    return statusOf({
      settings,
      facts: store.facts(slug),
      standing,
      occurrences: scheduled.occurrencesOf(settings),
      active: active(slug),
      last,
      mended: mended(last),
      nextRun: own === undefined ? null : nextRunOf(own),
      now: clock.now(),
      held: host.held?.() ?? null,
      stuck: stuck(slug),
    });
  }

  function tellThis(data: ServerStatus): void {
    told.set(data.settings.slug, data.state);
    emit({ event: 'server', data });
  }

  function tell(slug: string): void {
    if (host.servers().some((server) => server.slug === slug)) tellThis(status(slug));
  }

  return {
    status,
    tell,
    changed(slug) {
      scheduled.changed();
      tell(slug);
    },
    looked() {
      const all = host.servers().map(({ slug }) => status(slug));
      for (const one of all) if (told.has(one.settings.slug) && told.get(one.settings.slug) !== one.state) tellThis(one);
      return all;
    },
    forget(slug) {
      scheduled.forget(slug);
      told.delete(slug);
      emit({ event: 'server-removed', data: { slug } });
    },
  };
}
