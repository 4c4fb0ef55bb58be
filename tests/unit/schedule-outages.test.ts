import { expect, test } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import type { Notice } from '../../main/contract/notices.ts';
import type { ServerStatus } from '../../main/contract/server-status.ts';
import { decideRetention } from '../../main/engine/retention/decide.ts';
import { jitterOf, overdueFrom } from '../../main/engine/schedule/due.ts';
import { occurrencesOf, type Occurrences } from '../../main/engine/schedule/occurrences.ts';
import { factsAfter } from '../../main/engine/service/facts.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { job, jobEvent, notifierWorld } from '../support/notifier-world.ts';
import { ScheduledWorld } from '../support/scheduled-world.ts';
import { seededNumbers } from '../support/seeded-random.ts';
import { memoryStore } from '../support/service-world.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const wake = 30_000;
const lookEvery = 5 * minute;

const servers: ScheduledWorld['servers'] = [
  { slug: 'survival', schedule: { kind: 'daily', at: ['02:30'] }, zone: 'Europe/Berlin' },
  { slug: 'creative', schedule: { kind: 'every', hours: 6, minute: 0 }, zone: 'America/New_York' },
  { slug: 'valheim', schedule: { kind: 'weekly', on: ['sun'], at: '02:15' }, zone: 'Australia/Lord_Howe' },
];

/** A run as it was, and the number of failures in a row with it; 0: it went well. */
interface Ended {
  readonly at: number;
  readonly failed: number;
  readonly mayPass: boolean;
}

test('a year of places that are down for hours or weeks: tried again by the rule, nothing doubled, overdue and recovered told, the last good snapshot kept', async () => {
  const start = Date.UTC(2026, 0, 1, 12);
  const world = new ScheduledWorld(start, start + 365 * day, servers);
  const next = seededNumbers(20_260_102);
  const store = memoryStore(start);
  const clock = fakeClock({ now: start });
  const told: Notice[] = [];
  const { notifier } = notifierWorld([{ kind: 'webhook', name: 'all' }], (_, notice) => Promise.resolve(void told.push(notice)), {
    ...{ store, clock },
  });
  const calendars = new Map(servers.map(({ slug, schedule, zone }) => [slug, occurrencesOf(schedule, zone)] as const));
  const calendarOf = (slug: string): Occurrences => calendars.get(slug) ?? { after: () => null };

  /** What the place of each server says now, and until when. */
  const places = new Map(servers.map(({ slug }) => [slug, { down: null as Fault['code'] | null, until: start + next() * 10 * day }]));
  const overdue = new Map(servers.map(({ slug }) => [slug, overdueFrom(store.facts(slug), calendarOf(slug))]));
  const statuses = servers.map(({ slug }) => ({ settings: { slug, name: slug }, pausedUntil: null, running: null, why: '', next: '' }));
  let lookAt = start;
  world.weather = () => {
    clock.jump(world.now - clock.now());
    for (const [slug, { down, until }] of places) {
      if (world.now < until) continue;
      const lasts = down !== null ? 1 + next() * 15 : next() < 0.3 ? next() * 40 : next() * 3;
      // Weather, or what waits for a person.
      places.set(slug, { down: down !== null ? null : next() < 0.7 ? 'unavailable' : 'quota-exceeded', until: world.now + lasts * day });
    }
    if (world.now < lookAt) return;
    lookAt = world.now + lookEvery;
    notifier.look(
      statuses as unknown as ServerStatus[],
      (slug) => overdue.get(slug) ?? null,
      () => null,
    );
  };

  const ended = new Map(servers.map(({ slug }) => [slug, [] as Ended[]]));
  const kept = new Map(servers.map(({ slug }) => [slug, [] as { id: string; time: number; complete: boolean }[]]));
  const lost: string[] = [];
  await world.live((slug) => {
    const now = world.now;
    const code = places.get(slug)?.down ?? null;
    const fault = code === null ? null : new Fault(code, 'the place is down');
    const one = job({
      ...{ id: `${slug}-${world.runs.length}`, server: slug, queuedAt: now, startedAt: now, endedAt: now },
      ...{ state: fault === null ? 'done' : 'failed', fault: fault?.toWire() ?? null },
    });
    store.changeFacts(slug, factsAfter(store.facts(slug), one, ['place']));
    const facts = store.facts(slug);
    if (facts.failures === null) world.failures.delete(slug);
    else world.failures.set(slug, facts.failures);
    overdue.set(slug, overdueFrom(facts, calendarOf(slug)));
    notifier.event(jobEvent(one));
    ended.get(slug)?.push({ at: now, failed: facts.failures?.count ?? 0, mayPass: facts.failures?.mayPass ?? false });

    // A run that fails leaves nothing, or what does not count. Old ones are removed all the same, as somebody does by hand to make room.
    const had = kept.get(slug) ?? [];
    const more = code === null || next() < 0.5 ? [{ id: one.id, time: now, complete: code === null }] : [];
    const all = [...had, ...more];
    const { remove } = decideRetention(all, { last: 1, daily: 3, weekly: 2 }, { zone: 'UTC', now });
    const gone = new Set(remove.map(({ id }) => id));
    const good = all.findLast(({ complete }) => complete);
    if (good !== undefined && gone.has(good.id)) lost.push(one.id);
    // What does not count is swept by the next run that ends well.
    const stays = all.filter(({ id, complete }) => !gone.has(id) && (complete || code !== null));
    if (code === null && stays.length === 0) lost.push(one.id);
    kept.set(slug, stays);
    return code === null;
  });
  await notifier.idle();
  expect(lost).toEqual([]);

  const wrong: string[] = [];
  let [overdueOutages, outages] = [0, 0];
  for (const { slug } of servers) {
    const occurrences = calendarOf(slug);
    const at = (kind: Notice['kind'], from: number, to: number): number[] =>
      told.flatMap((notice) => (notice.server === slug && notice.kind === kind && notice.at > from && notice.at <= to ? [notice.at] : []));
    let before: Ended = { at: start, failed: 0, mayPass: false };
    let success = start;
    for (const run of ended.get(slug) ?? []) {
      const due = occurrences.after(before.at) ?? Infinity;
      const pause = Math.min(4 * hour, 10 * minute * 2 ** (before.failed - 1));
      const wanted = before.failed > 0 && before.mayPass ? Math.min(due, before.at + pause) : due;
      const late = run.at - wanted - jitterOf(slug, occurrences, wanted - 1);
      if (late < 0 || late > wake) wrong.push(`${slug} ran ${late} ms late at ${new Date(run.at).toISOString()}`);
      if (run.failed > 0 && run.failed !== before.failed + 1) wrong.push(`${slug} counted ${run.failed} after ${before.failed}`);
      if (run.failed === 0) {
        const from = occurrences.after(occurrences.after(success) ?? Infinity) ?? Infinity;
        const times = at('overdue', success, run.at);
        // Told soon, then once a day, to the end.
        const expected = run.at > from + lookEvery ? 1 + Math.floor((run.at - from - lookEvery) / (day + lookEvery)) : 0;
        const apart = times.every((time, index) => time - (times[index - 1] ?? -Infinity) >= day && time > from);
        if (!apart || times.length < expected || (times[0] ?? from) > from + lookEvery + wake)
          wrong.push(`${slug} overdue ${times.join()}`);
        const back = at('recovered', success, run.at);
        if (back.join() !== (before.failed > 0 ? `${run.at}` : '')) wrong.push(`${slug} recovered ${back.join()}`);
        if (times.length > 0) overdueOutages++;
        outages += back.length;
        success = run.at;
      }
      before = run;
    }
  }
  expect(wrong).toEqual([]);
  expect(outages).toBeGreaterThan(50);
  expect(overdueOutages).toBeGreaterThan(30);
  expect([...ended.values()].map((runs) => runs.filter(({ failed }) => failed > 0).length > 50)).toEqual([true, true, true]);
});
