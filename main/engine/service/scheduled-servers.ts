import type { Job } from '../../contract/jobs.ts';
import type { ServerSettings } from '../../contract/server-settings.ts';
import type { Standing } from '../schedule/due.ts';
import { occurrencesOf, type Occurrences } from '../schedule/occurrences.ts';
import type { Scheduled } from '../schedule/scheduler.ts';
import { believed, doubtsNow, hasLeapt, pauseNow, scheduleNow, type Mended } from './facts.ts';
import type { ServiceHost } from './ports.ts';

/** The servers as the schedule sees them, worked out from their settings and from what is known of them. */
export interface ScheduledServers {
  occurrencesOf(server: ServerSettings): Occurrences;
  /** What may be relied on of a server. */
  standingOf(server: ServerSettings): Standing;
  /** The same objects until something changes, as the scheduler wants them. */
  readonly all: () => readonly Scheduled[];
  /** To be called when anything of a server has changed. */
  changed(): void;
  /** To be called when one was removed. */
  forget(slug: string): void;
}

/** `mended`: what a job failed for, where a person has put it right since. */
export function scheduledServers(host: ServiceHost, mended: (last: Job | null) => Mended | null): ScheduledServers {
  const { clock, store } = host;
  const calendars = new Map<string, { readonly key: string; readonly value: Occurrences }>();
  /** When what is known of a server was looked at last. */
  const lookedAt = new Map<string, number>();
  let scheduled: readonly Scheduled[] | null = null;
  let allAt: number | null = null;

  const textOf = ({ schedule, zone }: ServerSettings): string => JSON.stringify([schedule, zone]);

  function calendarOf(server: ServerSettings): Occurrences {
    const { slug, schedule, zone } = server;
    const key = textOf(server);
    const known = calendars.get(slug);
    if (known?.key === key) return known.value;
    const value = occurrencesOf(schedule, zone);
    calendars.set(slug, { key, value });
    return value;
  }

  /** A stamp that is doubted is remembered as such: a computer that is switched off each night would begin anew each day. */
  function standingOf(server: ServerSettings): Standing {
    const { slug } = server;
    const [facts, now, before] = [store.facts(slug), clock.now(), lookedAt.get(slug) ?? null];
    lookedAt.set(slug, now);
    const changes = { ...doubtsNow(facts, now, before), ...pauseNow(facts, now), ...scheduleNow(facts, textOf(server), now) };
    if (Object.keys(changes).length > 0) {
      store.changeFacts(slug, changes);
      scheduled = null;
    }
    return believed(store.facts(slug), now);
  }

  function lastBackup(slug: string): Job | null {
    const isIt = ({ kind, server, endedAt, state }: Job): boolean =>
      kind === 'backup' && server === slug && endedAt !== null && state !== 'cancelled';
    return store.jobs().find(isIt) ?? null;
  }

  /** What was put right before a person refused a run is no reason to begin it again. */
  function lastWant(slug: string, { failures }: Standing): Job | null {
    const last = lastBackup(slug);
    if (last === null || last.endedAt === null || failures === null) return last;
    return { ...last, endedAt: Math.max(last.endedAt, failures.at) };
  }

  function scheduledOf(server: ServerSettings): Scheduled {
    const { slug } = server;
    // What failed for want of a sign-in or a keychain alone does not wait any longer once somebody has seen to it.
    const known = standingOf(server);
    const standing = mended(lastWant(slug, known)) !== null ? { ...known, failures: null } : known;
    return { slug, occurrences: calendarOf(server), standing, pausedUntil: store.facts(slug).pausedUntil };
  }

  return {
    occurrencesOf: calendarOf,
    standingOf,
    all() {
      const now = clock.now();
      // What a leap of the clock means for a stamp counts before anything is begun.
      if (hasLeapt(allAt, now)) scheduled = null;
      allAt = now;
      return (scheduled ??= host.servers().map(scheduledOf));
    },
    changed() {
      scheduled = null;
    },
    forget(slug) {
      scheduled = null;
      calendars.delete(slug);
      lookedAt.delete(slug);
    },
  };
}
