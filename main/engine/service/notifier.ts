import type { ServiceEvent } from '../../contract/events.ts';
import { asFault } from '../../contract/faults.ts';
import type { Job } from '../../contract/jobs.ts';
import type { Notice, NoticeTarget } from '../../contract/notices.ts';
import type { ServerStatus } from '../../contract/server-status.ts';
import type { Clock } from '../ports.ts';
import { secretsOfNotice } from './kept-secrets.ts';
import type { Keychain } from './keychain.ts';
import { tellingAfter, tellingOverdue, type Telling } from './notices.ts';
import type { StateStore } from './ports.ts';
import type { Secrets } from './settings-ports.ts';

export type PingEvent = 'start' | 'success' | 'fail';

export interface NotifierHost {
  readonly clock: Clock;
  readonly store: StateStore;
  readonly targets: () => readonly NoticeTarget[];
  readonly keychain: () => Promise<Keychain>;
  readonly deliver: (target: NoticeTarget, secrets: Secrets, notice: Notice, signal: AbortSignal) => Promise<void>;
  readonly ping: (secrets: Secrets, event: PingEvent, text: string, signal: AbortSignal) => Promise<void>;
  /** Told of every notice, whatever becomes of its delivery. */
  readonly onNotice: (notice: Notice) => void;
  /** A notice that did not arrive: it never fails anything. */
  readonly onUndelivered: (target: string, message: string) => void;
}

export interface Notifier {
  /** To be given every event of the service. */
  event(event: ServiceEvent): void;
  /**
   * Looks for servers that are overdue; apart from the scheduler, so that a schedule that stands still is noticed. Sends again what did not arrive. To be
   * called every minute or so.
   */
  look(statuses: readonly ServerStatus[], overdueSince: (slug: string) => number | null): void;
  /** What is about no server. What does not arrive is sent again an hour later, as long as it holds. */
  tell(notice: Notice, holds: () => boolean): void;
  /** Settles once everything begun so far has arrived, or has not. */
  idle(): Promise<void>;
}

/** A receiver that does not answer is tried three times. */
const pausesMs = [5_000, 60_000];
const patienceMs = 20_000;
/** Of the day that the same is not told again, all but an hour. */
const againSooner = 23 * 3_600_000;
const againMs = 3_600_000;

/** A notice about no server, which no state remembers, that one target did not get. */
interface Unsent {
  readonly notice: Notice;
  readonly target: string;
  readonly holds: () => boolean;
  readonly since: number;
}

export function createNotifier(host: NotifierHost): Notifier {
  const { clock, store } = host;
  const names = new Map<string, string>();
  const under = new Set<Promise<void>>();
  const unsent = new Set<Unsent>();

  function follow(work: Promise<void>): void {
    const all = work.finally(() => under.delete(all));
    under.add(all);
  }

  async function persist(target: NoticeTarget, send: (secrets: Secrets, signal: AbortSignal) => Promise<void>): Promise<boolean> {
    for (let tried = 0; ; tried += 1) {
      try {
        await withLimit(clock, async (signal) => await send(await secretsOfNotice(host.keychain, target), signal));
        return true;
      } catch (error) {
        const fault = asFault(error, 'notify');
        const pause = pausesMs[tried];
        if (fault.persistence !== 'temporary' || pause === undefined) {
          host.onUndelivered(target.name, fault.message);
          return false;
        }
        await clock.sleep(pause);
      }
    }
  }

  function send(notice: Notice, targets: readonly NoticeTarget[], onLost: (target: NoticeTarget) => void): void {
    for (const target of targets) {
      if (target.kind === 'ping' || !wants(target, notice.server)) continue;
      if (target.only !== undefined && !target.only.includes(notice.kind)) continue;
      follow(
        persist(target, (secrets, signal) => host.deliver(target, secrets, notice, signal)).then((arrived) => {
          if (!arrived) onLost(target);
        }),
      );
    }
  }

  function sendGeneral(notice: Notice, holds: () => boolean, targets: readonly NoticeTarget[]): void {
    send(notice, targets, ({ name }) => unsent.add({ notice, target: name, holds, since: clock.now() }));
  }

  function sendAgain(now: number): void {
    for (const one of unsent) {
      if (one.holds() && Math.abs(now - one.since) < againMs) continue;
      unsent.delete(one);
      const targets = host.targets().filter(({ name }) => name === one.target && one.holds());
      sendGeneral(one.notice, one.holds, targets);
    }
  }

  /** What did not arrive does not count as told for a day: the next time it comes up, from an hour on, it is sent again. */
  function untell(notice: Notice): void {
    const told = Object.entries(store.facts(notice.server).told).map(
      ([key, one]) => [key, one.at === notice.at ? { ...one, at: one.at - againSooner } : one] as const,
    );
    store.changeFacts(notice.server, { told: Object.fromEntries(told) });
  }

  function tellAll(slug: string, { notices, told }: Telling): void {
    if (told !== store.facts(slug).told) store.changeFacts(slug, { told });
    for (const notice of notices) {
      host.onNotice(notice);
      send(notice, host.targets(), () => untell(notice));
    }
  }

  function ping(job: Job): void {
    const event: PingEvent | null =
      job.state === 'done'
        ? 'success'
        : job.state === 'failed'
          ? 'fail'
          : job.state === 'running' && job.progress === null
            ? 'start'
            : null;
    if (job.kind !== 'backup' || event === null) return;
    for (const target of host.targets()) {
      if (target.kind !== 'ping' || !wants(target, job.server)) continue;
      follow(persist(target, (secrets, signal) => host.ping(secrets, event, job.summary, signal)).then(() => undefined));
    }
  }

  return {
    event(event) {
      if (event.event === 'server') names.set(event.data.settings.slug, event.data.settings.name);
      if (event.event !== 'job') return;
      const job = event.data;
      ping(job);
      if (job.endedAt === null) return;
      const name = names.get(job.server) ?? job.server;
      tellAll(job.server, tellingAfter(job, { slug: job.server, name, now: clock.now(), told: store.facts(job.server).told }));
    },
    look(statuses, overdueSince) {
      const now = clock.now();
      sendAgain(now);
      for (const { settings, state, why, next } of statuses) {
        names.set(settings.slug, settings.name);
        const since = overdueSince(settings.slug);
        const overdue = since === null || now <= since || state === 'paused' ? null : { since, why, next };
        tellAll(
          settings.slug,
          tellingOverdue(overdue, { slug: settings.slug, name: settings.name, now, told: store.facts(settings.slug).told }),
        );
      }
    },
    tell(notice, holds) {
      host.onNotice(notice);
      sendGeneral(notice, holds, host.targets());
    },
    async idle() {
      while (under.size > 0) await Promise.all(under);
    },
  };
}

function wants({ servers }: NoticeTarget, server: string): boolean {
  return servers === undefined || server === '' || servers.includes(server);
}

async function withLimit(clock: Clock, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const end = new AbortController();
  const timer = new AbortController();
  clock.sleep(patienceMs, timer.signal).then(
    () => end.abort(),
    () => undefined,
  );
  try {
    await work(end.signal);
  } finally {
    timer.abort();
  }
}
