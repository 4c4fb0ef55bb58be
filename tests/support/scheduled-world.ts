import { expect } from 'vitest';
import type { ScheduleSettings } from '../../main/contract/schedule-settings.ts';
import type { Clock } from '../../main/engine/ports.ts';
import type { Standing } from '../../main/engine/schedule/due.ts';
import { occurrencesOf, type Occurrences } from '../../main/engine/schedule/occurrences.ts';
import { runScheduler, type RunReason, type Scheduled } from '../../main/engine/schedule/scheduler.ts';
import { codeOf } from '../conformance/suite-support.ts';

const neverDue: Occurrences = { after: () => null };

export interface ScheduledRun {
  readonly slug: string;
  readonly at: number;
  readonly reason: RunReason;
}

/** A computer whose time passes only while the scheduler sleeps. `weather` may let more pass, or set the clock. */
export class ScheduledWorld {
  now: number;
  readonly runs: ScheduledRun[] = [];
  readonly stop = new AbortController();
  readonly successes = new Map<string, number>();
  readonly failures = new Map<string, NonNullable<Standing['failures']>>();
  readonly servers: { readonly slug: string; readonly schedule: ScheduleSettings; readonly zone: string }[];
  readonly since: number;
  pausedUntil: number | null = null;
  /** Called at each wake, before time is read. */
  weather: () => void = () => undefined;
  end: number;
  /** How long it was asked to sleep. */
  readonly sleeps = new Set<number>();
  onDue: (slug: string, at: number | null) => void = () => undefined;
  /** Forgotten at each run, which is when things change. */
  #shown: readonly Scheduled[] | null = null;
  readonly #occurrences: ReadonlyMap<string, Occurrences>;

  constructor(start: number, end: number, servers: ScheduledWorld['servers']) {
    this.now = start;
    this.since = start;
    this.end = end;
    this.servers = servers;
    this.#occurrences = new Map(servers.map(({ slug, schedule, zone }) => [slug, occurrencesOf(schedule, zone)]));
  }

  readonly clock: Clock = {
    now: () => this.now,
    sleep: (ms) => {
      this.sleeps.add(ms);
      this.now += ms;
      this.weather();
      if (this.now > this.end) this.stop.abort();
      return Promise.resolve();
    },
  };

  /** The same array while nothing has changed: ten years are ten million looks. */
  scheduled(): readonly Scheduled[] {
    if (this.#shown !== null) return this.#shown;
    const servers = this.servers.map(({ slug }) => ({
      slug,
      occurrences: this.#occurrences.get(slug) ?? neverDue,
      standing: { since: this.since, lastSuccess: this.successes.get(slug) ?? null, failures: this.failures.get(slug) ?? null },
      pausedUntil: this.pausedUntil,
    }));
    this.#shown = servers;
    return servers;
  }

  /** As when anything of a server has changed. */
  forget(): void {
    this.#shown = null;
  }

  /** Until `end`. `start` says whether the run ended well. */
  async live(start: (slug: string, reason: RunReason) => Promise<boolean> | boolean = () => true): Promise<void> {
    const ended = await codeOf(
      runScheduler({
        clock: this.clock,
        signal: this.stop.signal,
        servers: () => this.scheduled(),
        onDue: (slug, at) => this.onDue(slug, at),
        start: async (slug, reason) => {
          const run = { slug, at: this.now, reason };
          this.runs.push(run);
          if (await start(slug, reason)) this.successes.set(slug, run.at);
          this.#shown = null;
        },
      }),
    );
    expect(ended).toBe('cancelled');
  }
}
