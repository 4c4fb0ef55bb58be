import { expect, test } from 'vitest';
import { jitterOf } from '../../main/engine/schedule/due.ts';
import { occurrencesOf } from '../../main/engine/schedule/occurrences.ts';
import { decideRetention } from '../../main/engine/retention/decide.ts';
import { ScheduledWorld } from '../support/scheduled-world.ts';
import { seededNumbers } from '../support/seeded-random.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const servers: ScheduledWorld['servers'] = [
  { slug: 'survival', schedule: { kind: 'daily', at: ['02:30'] }, zone: 'Europe/Berlin' },
  { slug: 'creative', schedule: { kind: 'every', hours: 12, minute: 0 }, zone: 'America/New_York' },
  { slug: 'valheim', schedule: { kind: 'weekly', on: ['sun'], at: '02:15' }, zone: 'Australia/Lord_Howe' },
  { slug: 'photos', schedule: { kind: 'cron', expression: '30 1 1,15 * *' }, zone: 'America/Havana' },
  { slug: 'documents', schedule: { kind: 'daily', at: ['00:00'] }, zone: 'Asia/Kathmandu' },
];

/** When the computer slept and when its clock was put right, over ten years. */
interface Absence {
  readonly from: number;
  readonly to: number;
}

test('ten years of five servers, with sleeps, clock corrections and DST: nothing missed, nothing twice, the last good snapshot always kept', async () => {
  const start = Date.UTC(2026, 0, 1, 12);
  const end = Date.UTC(2036, 0, 1, 12);
  const world = new ScheduledWorld(start, end, servers);
  const next = seededNumbers(20_260_101);
  const absences: Absence[] = [];
  let nextEvent = start + 2 * day;
  world.weather = () => {
    if (world.now < nextEvent) return;
    const luck = next();
    // A night's sleep, a long journey, or an NTP correction by up to 20 minutes: forward is like a sleep, backward repeats wall time.
    const shift = luck < 0.6 ? next() * 14 * hour : luck < 0.7 ? next() * 20 * day : (next() - 0.5) * 40 * minute;
    if (shift > 0) absences.push({ from: world.now, to: world.now + shift });
    world.now += shift;
    nextEvent = world.now + (1 + next() * 12) * day;
  };
  const kept = new Map(servers.map(({ slug }) => [slug, [] as { id: string; time: number; complete: boolean }[]]));
  const lost: string[] = [];
  await world.live((slug) => {
    const all = [...(kept.get(slug) ?? []), { id: `${slug}-${world.now}`, time: world.now, complete: true }];
    const { keep } = decideRetention(all, { last: 2, daily: 3, weekly: 2, monthly: 2 }, { zone: 'UTC', now: world.now });
    const stays = new Set(keep.map(({ id }) => id));
    if (!stays.has(all.at(-1)?.id ?? '')) lost.push(slug);
    kept.set(
      slug,
      all.filter(({ id }) => stays.has(id)),
    );
    return true;
  });

  const missed: string[] = [];
  const doubled: string[] = [];
  for (const { slug, schedule, zone } of servers) {
    const occurrences = occurrencesOf(schedule, zone);
    const runs = world.runs.filter((run) => run.slug === slug).map((run) => run.at);
    let due = 0;
    let answering = 0;
    // Each run answers at least one occurrence later than the run before it, so none is doubled …
    for (const [index, at] of runs.entries()) {
      const wanted = occurrences.after(runs[index - 1] ?? start);
      if (wanted === null || wanted > at) doubled.push(`${slug} ${new Date(at).toISOString()}`);
    }
    // … and each occurrence is followed by a run, at once or, when the computer slept at that time, soon after it woke.
    for (let at = occurrences.after(start); at !== null && at < end - day; at = occurrences.after(at)) {
      due++;
      const slack = jitterOf(slug, occurrences, at - 1) + 31_000;
      const asleepUntil = absences.reduce((until, { from, to }) => (from <= until && to > until ? to : until), at + slack);
      while ((runs[answering] ?? end) < at) answering++;
      const answer = runs[answering];
      if (answer === undefined || answer > asleepUntil + slack) missed.push(`${slug} ${new Date(at).toISOString()}`);
    }
    expect(due).toBeGreaterThan(200);
  }
  expect({ missed, doubled, lost }).toEqual({ missed: [], doubled: [], lost: [] });
  expect(absences.length).toBeGreaterThan(300);
}, 120_000);
