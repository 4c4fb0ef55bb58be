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

/** A stretch in which the clock only went forward: it ends where the clock was set back, and the next one begins there. */
interface Stretch {
  readonly from: number;
  to: number;
  /** How many runs of all servers there had been before. */
  readonly runsBefore: number;
  /** When the computer slept, or its clock was set ahead, which looks the same. */
  readonly absences: { readonly from: number; readonly to: number }[];
}

test('ten years of the scheduler with five servers, with sleeps, clocks set right and wrong, and DST: nothing missed, nothing twice, the last good snapshot always kept', async () => {
  const start = Date.UTC(2026, 0, 1, 12);
  const end = Date.UTC(2036, 0, 1, 12);
  const world = new ScheduledWorld(start, end, servers);
  const next = seededNumbers(20_260_101);
  const stretches: Stretch[] = [{ from: start, to: end, runsBefore: 0, absences: [] }];
  let nextEvent = start + 2 * day;
  // By how much the clock is wrong, and when, in true time, that changes.
  let wrong = 0;
  let nextSlip = start + 30 * day;
  let hasSlipped = false;
  const shift = (by: number): void => {
    const stretch = stretches.at(-1);
    if (by > 0) stretch?.absences.push({ from: world.now, to: world.now + by });
    else {
      if (stretch !== undefined) stretch.to = world.now;
      stretches.push({ from: world.now + by, to: end, runsBefore: world.runs.length, absences: [] });
    }
    world.now += by;
  };
  world.weather = () => {
    if (world.now - wrong >= nextSlip) {
      // An empty battery or a wrong hand: the clock is wrong by days, ahead or behind, and is put right days later; now and then only after a second slip.
      // The first time it is for weeks in what was before the scheduler began.
      const isFirst = !hasSlipped;
      hasSlipped = true;
      const now = isFirst ? -60 * day : wrong === 0 || next() < 0.2 ? (next() - 0.4) * 60 * day : 0;
      nextSlip = world.now - wrong + (now === 0 ? 40 + next() * 60 : isFirst ? 25 : 0.1 + next() * 10) * day;
      shift(now - wrong);
      wrong = now;
      nextEvent = world.now + next() * 12 * day;
    }
    if (world.now < nextEvent) return;
    const luck = next();
    // A night's sleep, a long journey, or an NTP correction by up to 20 minutes: forward is like a sleep, backward repeats wall time.
    shift(luck < 0.6 ? next() * 14 * hour : luck < 0.7 ? next() * 20 * day : (next() - 0.5) * 40 * minute);
    nextEvent = world.now + (1 + next() * 12) * day;
  };
  const kept = new Map(servers.map(({ slug }) => [slug, [] as { id: string; time: number; complete: boolean }[]]));
  const lost: string[] = [];
  await world.live((slug) => {
    // Where the clock is wrong by so much, an id takes the provider's time.
    const time = world.now - wrong;
    const all = [...(kept.get(slug) ?? []), { id: `${slug}-${world.runs.length}`, time, complete: true }];
    const { keep } = decideRetention(all, { last: 2, daily: 3, weekly: 2, monthly: 2 }, { zone: 'UTC', now: time });
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
    let due = 0;
    // What the server rests on: its last success, or, where the clock was set back far behind that, the time at which it was.
    let rest = start;
    // When the last run was made, by the clock of that time.
    let made = start;
    for (const [index, { from, to, runsBefore, absences }] of stretches.entries()) {
      if (rest > from + hour) rest = from;
      const runs = world.runs.slice(runsBefore, stretches[index + 1]?.runsBefore).flatMap((run) => (run.slug === slug ? [run.at] : []));
      // Each occurrence is followed by a run, at once or, when the computer slept at that time, soon after it woke; after a set-back, in the next stretch …
      let answering = 0;
      for (let at = occurrences.after(rest); at !== null && at < to; at = occurrences.after(at)) {
        due++;
        const slack = jitterOf(slug, occurrences, at - 1) + 31_000;
        const awake = absences.reduce((until, gap) => (gap.from <= until && gap.to > until ? gap.to : until), Math.max(at, from) + slack);
        while ((runs[answering] ?? to) < at) answering++;
        // Set ahead again over what was set back: the run that was made before counts once more, and with it what it had answered.
        const isAnswered = at <= made && awake > Math.max(made, at + slack);
        if (!isAnswered && awake + slack < to && (runs[answering] ?? to) > awake + slack)
          missed.push(`${slug} ${new Date(at).toISOString()}`);
      }
      // … and each run answers at least one occurrence later than what the server rested on, so none is doubled.
      for (const at of runs) {
        const wanted = occurrences.after(rest);
        if (wanted === null || wanted > at) doubled.push(`${slug} ${new Date(at).toISOString()}`);
        rest = at;
      }
      made = runs.at(-1) ?? made;
    }
    expect(due).toBeGreaterThan(200);
  }
  expect({ missed, doubled, lost }).toEqual({ missed: [], doubled: [], lost: [] });
  expect(stretches.flatMap(({ absences }) => absences).length).toBeGreaterThan(300);
  const setBack = stretches.slice(1).filter(({ from }, index) => (stretches[index]?.to ?? 0) - from > day);
  expect(setBack.length).toBeGreaterThan(30);
  expect(Math.min(...stretches.map(({ from }) => from))).toBeLessThan(start - 7 * day);
  expect(Math.max(...world.sleeps)).toBeLessThanOrEqual(30_000);
});
