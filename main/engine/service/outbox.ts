import type { Notice, NoticeTarget } from '../../contract/notices.ts';
import type { Clock } from '../ports.ts';
import { stillHolds, type News } from './notices.ts';
import type { StateStore, Undelivered } from './ports.ts';

export interface OutboxHost {
  readonly clock: Clock;
  readonly store: StateStore;
  readonly targets: () => readonly NoticeTarget[];
  /** Whether the settings name this server: of one that was removed nothing is kept. */
  readonly isKept: (slug: string) => boolean;
  /** Settles to whether it has arrived; never rejects. */
  readonly deliver: (target: NoticeTarget, notice: Notice) => Promise<boolean>;
}

/** Notices on their way, to each target by itself: one that is gone for good brings nobody else the same again. */
export interface Outbox {
  send(news: News): void;
  /** What is about no server, and is sent again only as long as it holds. */
  sendGeneral(notice: Notice, holds: () => boolean): void;
  /** Sends what did not arrive, to whom it did not arrive at. An empty slug: what is about no server. */
  sendAgain(slug: string): void;
  /** Settles once everything begun so far has arrived, or has not. */
  idle(): Promise<void>;
}

const hourMs = 3_600_000;
/** What did not arrive is sent again after these, a day in all; then it is given up, and what comes up anew begins anew. */
const pausesMs = [1, 2, 4, 8, 9].map((hours) => hours * hourMs);

export function outbox({ clock, store, targets, isKept, deliver }: OutboxHost): Outbox {
  /** What is about no server is remembered by no state: what of it still holds is told at the next start. */
  let general: readonly Undelivered[] = [];
  const holds = new Map<string, () => boolean>();
  let generals = 0;
  const under = new Map<string, Promise<void>>();

  const lost = (slug: string): readonly Undelivered[] => (slug === '' ? general : store.facts(slug).undelivered);

  function keep(slug: string, undelivered: readonly Undelivered[]): void {
    if (slug === '') general = undelivered;
    else store.changeFacts(slug, { undelivered });
  }

  async function sendTo(target: NoticeTarget, one: Undelivered): Promise<void> {
    const slug = one.notice.server;
    const others = (): readonly Undelivered[] => lost(slug).filter((other) => !isSame(other, one));
    // Kept before it is sent: a process that ends meanwhile has not lost it.
    keep(slug, [...others(), { ...one, at: clock.now() }]);
    const arrived = await deliver(target, one.notice);
    if (slug !== '' && !isKept(slug)) return;
    // What is newer has taken its place.
    if (!lost(slug).some((other) => isSame(other, one) && other.notice.at === one.notice.at)) return;
    const isOver = arrived || one.tries >= pausesMs.length;
    keep(slug, isOver ? others() : [...others(), { ...one, tries: one.tries + 1, at: clock.now() }]);
  }

  function begin(target: NoticeTarget, one: Undelivered): void {
    const key = JSON.stringify([one.notice.server, one.matter, one.target, one.notice.at]);
    if (under.has(key)) return;
    const work = sendTo(target, one).finally(() => under.delete(key));
    under.set(key, work);
  }

  function sendAll({ matter, ...notice }: News): void {
    for (const target of targets()) {
      if (wants(target, notice)) begin(target, { matter, notice, target: target.name, tries: 0, at: clock.now() });
    }
  }

  function isStillSo({ matter, notice }: Undelivered): boolean {
    return notice.server === '' ? holds.get(matter)?.() === true : stillHolds(matter, notice, store.facts(notice.server).told);
  }

  return {
    send: sendAll,
    sendGeneral(notice, stands) {
      generals += 1;
      holds.set(`general/${generals}`, stands);
      sendAll({ ...notice, matter: `general/${generals}` });
    },
    sendAgain(slug) {
      const all = lost(slug);
      const open = all.filter(isStillSo);
      if (open.length < all.length) keep(slug, open);
      for (const one of open) {
        // A clock that was set back must not hold it up for long.
        if (Math.abs(clock.now() - one.at) < (pausesMs[Math.max(0, one.tries - 1)] ?? 0)) continue;
        const target = targets().find((other) => other.name === one.target && wants(other, one.notice));
        if (target !== undefined) begin(target, one);
        else
          keep(
            slug,
            lost(slug).filter((other) => !isSame(other, one)),
          );
      }
      if (slug === '') for (const matter of holds.keys()) if (!general.some((one) => one.matter === matter)) holds.delete(matter);
    },
    async idle() {
      while (under.size > 0) await Promise.all(under.values());
    },
  };
}

const isSame = (a: Undelivered, b: Undelivered): boolean => a.matter === b.matter && a.target === b.target;

function wants({ kind, servers, only }: NoticeTarget, notice: Notice): boolean {
  if (kind === 'ping') return false;
  if (servers !== undefined && notice.server !== '' && !servers.includes(notice.server)) return false;
  return only === undefined || only.includes(notice.kind);
}
