import type { Clock } from '../ports.ts';
import { throwIfCancelled } from '../storage/cancel.ts';
import { believedAheadMs, jitterOf, nextDue, type Standing } from './due.ts';
import type { Occurrences } from './occurrences.ts';

/** A server as the scheduler sees it: another object once anything of it has changed. Asked for at every look, so that changes count at once. */
export interface Scheduled {
  readonly slug: string;
  readonly occurrences: Occurrences;
  readonly standing: Standing;
  /** Not to be started before this; 0: not until it is resumed. Null: not paused. */
  readonly pausedUntil: number | null;
}

export type RunReason = 'schedule' | 'catch-up';

export interface SchedulerOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly servers: () => readonly Scheduled[];
  /** Settles once the run has ended, however; it is not asked again for this server until then. */
  readonly start: (slug: string, reason: RunReason) => Promise<void>;
  /** While it says so nothing is started; what was due in the meantime is made up for. */
  readonly isHeld?: () => boolean;
  /** Told when what is due next may have changed: by server, with jitter. */
  readonly onDue?: (slug: string, at: number | null) => void;
  /** Nothing that was missed is made up for sooner than this after the start. */
  readonly startDelayMs?: number;
}

/** A suspended computer's timers stand still, and clocks are set: so the time is looked at this often, whatever is due. */
const wakeMs = 30_000;
/** A run that starts later than this after its time is called a catch-up. */
const lateMs = 5 * 60_000;

/** When a server is started next, with jitter and once no pause is against it, milliseconds since 1970; null: not by itself. */
export function nextRunOf({ slug, occurrences, standing, pausedUntil }: Scheduled): number | null {
  return afterPause(startOf(slug, standing, occurrences), pausedUntil);
}

function startOf(slug: string, standing: Standing, occurrences: Occurrences): number | null {
  const due = nextDue(standing, occurrences);
  return due === null ? null : due + jitterOf(slug, occurrences, due - 1);
}

function afterPause(at: number | null, pausedUntil: number | null): number | null {
  return at === null || pausedUntil === 0 ? null : Math.max(at, pausedUntil ?? 0);
}

/** Starts what is due, until the signal. Rejects with fault cancelled then, and never else. */
export async function runScheduler(options: SchedulerOptions): Promise<never> {
  const { clock, signal, servers, start, onDue, startDelayMs = 60_000, isHeld = () => false } = options;
  const running = new Set<string>();
  const told = new Map<string, { readonly occurrences: Occurrences; readonly at: number | null }>();
  let notBefore = clock.now() + startDelayMs;
  const starts = new Map<string, { readonly server: Scheduled; readonly lookedAt: number; readonly at: number | null }>();
  const future = new Map<string, { readonly stamp: number; readonly seenAt: number }>();

  /**
   * A stamp far in the future was made by a clock that has been set back since. Resting on it would miss every run until then, so it
   * counts as made when it was first seen to be in the future, also once its time has come.
   */
  function settled(key: string, stamp: number, now: number): number {
    const known = future.get(key);
    // Set back once more, that time itself would lie in the future.
    if (known?.stamp === stamp && known.seenAt <= now + believedAheadMs) return known.seenAt;
    if (stamp <= now + believedAheadMs) {
      // What comes to have the same stamp later on was made then.
      future.delete(key);
      return stamp;
    }
    future.set(key, { stamp, seenAt: now });
    return now;
  }

  function settledStanding({ slug, standing }: Scheduled, now: number): Standing {
    const { since, lastSuccess, failures } = standing;
    return {
      ...standing,
      since: settled(`${slug} since`, since, now),
      lastSuccess: lastSuccess === null ? null : settled(`${slug} success`, lastSuccess, now),
      failures: failures === null ? null : { ...failures, at: settled(`${slug} failure`, failures.at, now) },
    };
  }

  async function run(slug: string, reason: RunReason): Promise<void> {
    running.add(slug);
    try {
      await start(slug, reason);
    } finally {
      running.delete(slug);
    }
  }

  /** Calculated anew only when what it rests on has changed, or time has gone back: an idle service looks thousands of times a day. */
  function startTime(server: Scheduled, now: number): number | null {
    const { slug, occurrences } = server;
    const known = starts.get(slug);
    if (known?.server === server && now >= known.lookedAt) return known.at;
    const at = startOf(slug, settledStanding(server, now), occurrences);
    starts.set(slug, { server, lookedAt: now, at });
    return at;
  }

  function look(server: Scheduled, now: number): void {
    const { slug, pausedUntil } = server;
    const at = startTime(server, now);
    const paused = pausedUntil !== null && (pausedUntil === 0 || now < pausedUntil);
    const shown = afterPause(at, pausedUntil);
    const known = told.get(slug);
    // Another calendar is another server, or the same anew: who was told has forgotten it with the one before.
    if (known?.at !== shown || known.occurrences !== server.occurrences) {
      told.set(slug, { occurrences: server.occurrences, at: shown });
      onDue?.(slug, shown);
    }
    if (at === null || paused || running.has(slug) || now < at || isHeld()) return;
    const missed = now > at + lateMs;
    if (missed && now < notBefore) return;
    void run(slug, missed ? 'catch-up' : 'schedule');
  }

  for (;;) {
    throwIfCancelled(signal, 'schedule');
    const now = clock.now();
    // A clock that was ahead at the start and has been set right since must not hold anything up until the time that it showed.
    notBefore = Math.min(notBefore, now + startDelayMs);
    const all = servers();
    for (const server of all) look(server, now);
    for (const slug of told.keys()) if (!all.some((server) => server.slug === slug)) told.delete(slug);
    await clock.sleep(wakeMs, signal);
  }
}
