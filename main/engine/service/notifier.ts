import type { ServiceEvent } from '../../contract/events.ts';
import { asFault, Fault } from '../../contract/faults.ts';
import type { Job } from '../../contract/jobs.ts';
import type { Notice, NoticeTarget } from '../../contract/notices.ts';
import type { ServerStatus } from '../../contract/server-status.ts';
import type { Clock } from '../ports.ts';
import { endsWithin } from '../storage/cancel.ts';
import { withNoticeSecrets } from './kept-secrets.ts';
import type { Keychain } from './keychain.ts';
import { tellingAfter, tellingOverdue, tellingStuck, type About, type Telling } from './notices.ts';
import { outbox } from './outbox.ts';
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
  /** Whether the settings name this server. */
  readonly isKept: (slug: string) => boolean;
  /** A target that nothing arrives at any more, told once until something does: it never fails anything. */
  readonly onUndelivered: (target: string, message: string) => void;
}

export interface Notifier {
  /** To be given every event of the service. */
  event(event: ServiceEvent): void;
  /**
   * Looks for servers that are overdue or still at rest; apart from the scheduler, so that a schedule that stands still is noticed. Sends again what
   * did not arrive. To be called every minute or so.
   */
  look(statuses: readonly ServerStatus[], overdueSince: (slug: string) => number | null, stuck: (slug: string) => string | null): void;
  /** Why the last notice did not arrive at this target; empty where it did. */
  problemOf(target: string): string;
  /** It was changed, or has taken a test: what was wrong with it before does not count. */
  forgetProblem(target: string): void;
  /** What is about no server. What does not arrive is sent again, as long as it holds. */
  tell(notice: Notice, holds: () => boolean): void;
  /** Settles once everything begun so far has arrived, or has not. */
  idle(): Promise<void>;
}

/** A receiver that does not answer is tried three times. */
const pausesMs = [5_000, 60_000];
const patienceMs = 20_000;
const abortMs = 1_000;

export function createNotifier(host: NotifierHost): Notifier {
  const { clock, store } = host;
  const names = new Map<string, string>();
  const under = new Set<Promise<void>>();
  const problems = new Map<string, string>();
  /** The last ping on its way to each target, and what was the last to be sent of each server. */
  const pings = new Map<string, Promise<void>>();
  const latest = new Map<string, string>();

  function follow(work: Promise<void>): void {
    const all = work.finally(() => under.delete(all));
    under.add(all);
  }

  /** `isPast`: nobody needs it any more, so that it is not tried again. */
  async function persist(
    target: NoticeTarget,
    send: (secrets: Secrets, signal: AbortSignal) => Promise<void>,
    isPast = (): boolean => false,
  ): Promise<boolean> {
    for (let tried = 0; ; tried += 1) {
      if (tried > 0 && isPast()) return false;
      try {
        await withLimit(clock, (signal) => withNoticeSecrets(host.keychain, target, (secrets) => send(secrets, signal)));
        problems.delete(target.name);
        return true;
      } catch (error) {
        const fault = asFault(error, 'notify');
        const pause = pausesMs[tried];
        if (fault.persistence !== 'temporary' || pause === undefined) {
          if (!problems.has(target.name)) host.onUndelivered(target.name, fault.message);
          problems.set(target.name, fault.message);
          return false;
        }
        await clock.sleep(pause);
      }
    }
  }

  const out = outbox({
    ...{ clock, store, targets: host.targets, isKept: host.isKept },
    deliver: (target, notice) => persist(target, (secrets, signal) => host.deliver(target, secrets, notice, signal)),
  });

  function tellAll(slug: string, { notices, told }: Telling): void {
    if (told !== store.facts(slug).told) store.changeFacts(slug, { told });
    for (const { matter, ...notice } of notices) {
      host.onNotice(notice);
      out.send({ ...notice, matter });
    }
  }

  function ping(job: Job): void {
    const event = pingOf(job);
    if (event === null) return;
    const text = job.state === 'cancelled' ? 'The backup was cancelled.' : job.summary;
    for (const target of host.targets()) {
      if (target.kind !== 'ping' || !wants(target, job.server)) continue;
      const key = `${target.name}/${job.server}`;
      latest.set(key, job.id + event);
      // A start that arrived after its end would say that it still runs.
      const isPast = (): boolean => event === 'start' && latest.get(key) !== job.id + event;
      const before = pings.get(target.name) ?? Promise.resolve();
      const work = before.then(async () => {
        await persist(target, (secrets, signal) => host.ping(secrets, event, text, signal), isPast);
      });
      pings.set(target.name, work);
      follow(work);
    }
  }

  return {
    event(event) {
      if (event.event === 'server') names.set(event.data.settings.slug, event.data.settings.name);
      if (event.event !== 'job') return;
      const job = event.data;
      ping(job);
      if (job.endedAt === null || !host.isKept(job.server)) return;
      const name = names.get(job.server) ?? job.server;
      tellAll(job.server, tellingAfter(job, { slug: job.server, name, now: clock.now(), told: store.facts(job.server).told }));
    },
    look(statuses, overdueSince, stuck) {
      const now = clock.now();
      out.sendAgain('');
      for (const { settings, pausedUntil, running, why, next } of statuses) {
        names.set(settings.slug, settings.name);
        out.sendAgain(settings.slug);
        const since = overdueSince(settings.slug);
        // While a job works on it nobody can say.
        const rests = running !== null ? null : stuck(settings.slug);
        // What is at rest says so instead, paused or not. Somebody paused it: they know. A locked keychain or a battery is nobody's decision.
        const overdue = since === null || now <= since || pausedUntil !== null || rests !== null ? null : { since, why, next };
        const about = (): About => ({ slug: settings.slug, name: settings.name, now, told: store.facts(settings.slug).told });
        tellAll(settings.slug, tellingOverdue(overdue, about()));
        if (running === null) tellAll(settings.slug, tellingStuck(rests, about()));
      }
    },
    tell(notice, holds) {
      host.onNotice(notice);
      out.sendGeneral(notice, holds);
    },
    async idle() {
      await out.idle();
      while (under.size > 0) await Promise.all(under);
    },
    problemOf: (target) => problems.get(target) ?? '',
    forgetProblem: (target) => void problems.delete(target),
  };
}

function wants({ servers }: NoticeTarget, server: string): boolean {
  return servers === undefined || server === '' || servers.includes(server);
}

/**
 * A start always gets an end, or its receiver raises the alarm for a backup that it takes to be running still. Where the service stops, none is
 * sent: its next start makes up for the run, with another start, and if there is none, the silence is what the receiver is there for.
 */
function pingOf({ kind, state, progress, startedAt, fault }: Job): PingEvent | null {
  if (kind !== 'backup') return null;
  if (state === 'running') return progress === null ? 'start' : null;
  if (state === 'cancelled') return startedAt !== null && fault?.context['by'] === 'person' ? 'fail' : null;
  if (state === 'done') return 'success';
  return state === 'waiting' ? null : 'fail';
}

/** What is told to stop mostly says by itself why it did not come to its end; what does not listen is given up. */
async function withLimit(clock: Clock, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const end = new AbortController();
  const working = work(end.signal);
  if (await endsWithin(clock, patienceMs, working)) return;
  end.abort();
  if (await endsWithin(clock, abortMs, working)) return;
  throw new Fault('timeout', `neither the keychain nor the receiver answered within ${patienceMs / 1000} seconds`, { operation: 'notify' });
}
