import type { FaultCode } from '../../contract/faults.ts';
import type { Job } from '../../contract/jobs.ts';
import type { ServerSettings } from '../../contract/server-settings.ts';
import { believedAheadMs, type Standing } from '../schedule/due.ts';
import type { Occurrences } from '../schedule/occurrences.ts';
import type { ServerFacts, StateStore } from './ports.ts';

const dayMs = 86_400_000;
const longestSleepMs = 30 * dayMs;
const intervals = { weekly: 7 * dayMs, monthly: 30 * dayMs } as const;
/** What has failed is not tried again with every run of a busy schedule. */
const leastApartMs = dayMs - dayMs / 4;

type Check = ServerFacts['checks'][string];
const never: Check = { ok: null, tried: Number.NEGATIVE_INFINITY };

/** Whether something that is done every so often is to be done again; `last` null: it never was. */
export function isDue(often: 'weekly' | 'monthly' | 'never', last: number | null, now: number): boolean {
  if (often === 'never') return false;
  // A quarter of a day early, so that it does not move on by a run each time. A stamp in the future was made by a clock that has been set back since.
  return last === null || last > now || now >= last + intervals[often] - dayMs / 4;
}

/**
 * Whether the clock was behind when it was looked at before, and not merely asleep: a computer without a battery shows another year until the network tells.
 * What it took for the future then was none.
 */
export function hasLeapt(before: number | null, now: number): boolean {
  return before !== null && now > before + longestSleepMs;
}

/**
 * What the time alone changes of a server's stamps; null where it changes nothing. One far in the future is doubted. When its time comes the doubt was right,
 * and the stamp is put where it was first seen, or else the run at that time would count as made already. `before`: when this was asked last, milliseconds
 * since 1970; null: never in this process.
 */
export function doubtsNow(facts: ServerFacts, now: number, before: number | null): Partial<ServerFacts> | null {
  const { since, lastSuccess, places, doubted } = facts;
  const stamp = lastSuccess ?? since;
  const known = doubted?.stamp === stamp && doubted.seenAt <= now + believedAheadMs ? doubted : null;
  if (stamp > now + believedAheadMs) return known === null ? { doubted: { stamp, seenAt: now } } : null;
  if (doubted === null) return null;
  if (known === null || hasLeapt(before, now)) return { doubted: null };
  const { seenAt } = known;
  if (lastSuccess === null) return { since: seenAt, doubted: null };
  const made = Object.entries(places).map(([name, at]) => [name, at >= stamp ? seenAt : at] as const);
  return { lastSuccess: seenAt, places: Object.fromEntries(made), doubted: null };
}

/** What is to be remembered of the schedule, given as text; null where that has not changed. Which one there was before the first look nobody knows. */
export function scheduleNow({ schedule }: ServerFacts, text: string, now: number): Pick<ServerFacts, 'schedule'> | null {
  return schedule?.text === text ? null : { schedule: { text, since: schedule === null ? null : now } };
}

/** A pause that was asked for while the clock was far ahead lasts for as long as it was meant to, from when that is seen. Null where nothing changes. */
export function pauseNow({ pausedUntil, pausedAt }: ServerFacts, now: number): Pick<ServerFacts, 'pausedUntil' | 'pausedAt'> | null {
  if (pausedUntil === null || pausedAt === null || pausedAt <= now + believedAheadMs) return null;
  return { pausedUntil: now + pausedUntil - pausedAt, pausedAt: now };
}

/** What may be relied on: a stamp that is doubted counts as made when that was first seen, or else nothing would be due, or overdue, until it has come. */
export function believed({ since, lastSuccess, failures, doubted, schedule }: ServerFacts, now: number): Standing {
  const stamp = lastSuccess ?? since;
  const changed = schedule?.since ?? null;
  // Dated by a clock that was ahead, a change would put off by as much what nobody would be told of.
  const scheduled = { changed: changed !== null && changed <= now + believedAheadMs ? changed : null, failures };
  if (stamp <= now + believedAheadMs) return { since, lastSuccess, ...scheduled };
  const seenAt = doubted?.stamp === stamp ? Math.min(doubted.seenAt, now) : now;
  return { since: Math.min(since, seenAt), lastSuccess: lastSuccess === null ? null : seenAt, ...scheduled };
}

/** What is to be looked at now, in these places: a full verification of each destination by itself, and a drill of the one whose turn it is. */
export function dueChecks(
  { destinations, verify, drill }: ServerSettings,
  { checks }: ServerFacts,
  now: number,
  among: readonly string[] = destinations,
): { readonly verify: readonly string[]; readonly drill: string | null } {
  const of = (kind: 'verify' | 'drill', destination: string): Check => checks[`${kind}/${destination}`] ?? never;
  const rested = ({ tried }: Check): boolean => tried > now || now >= tried + leastApartMs;
  const drills = destinations.map((destination) => ({ destination, check: of('drill', destination) }));
  const proven = Math.max(...drills.map(({ check }) => check.ok ?? Number.NEGATIVE_INFINITY));
  const isDrillDue = isDue(drill, Number.isFinite(proven) ? proven : null, now) && drills.every(({ check }) => rested(check));
  // Each in its turn: the one that was tried the longest ago.
  const [next] = drills.filter(({ destination }) => among.includes(destination)).sort((a, b) => a.check.tried - b.check.tried);
  return {
    verify: among.filter((destination) => isDue(verify, of('verify', destination).ok, now) && rested(of('verify', destination))),
    drill: isDrillDue ? (next?.destination ?? null) : null,
  };
}

/** Whether a job says how its server is; one that was cancelled, did nothing, or has looked at a part only, does not. */
export function isTelling({ endedAt, state, partial, skipped }: Job): boolean {
  return endedAt !== null && state !== 'cancelled' && !(partial === true && state === 'done') && skipped !== true;
}

/**
 * The job that says how a server is: of the newest backup, and the newest verification and drill in each of its destinations, one that failed, else
 * the newest of all. So one place that is whole does not hide another that is not.
 */
export function tellingJob(jobs: readonly Job[], { slug, destinations }: ServerSettings): Job | null {
  const newest = new Map<string, Job>();
  for (const job of jobs) {
    if (job.server !== slug || !isTelling(job)) continue;
    if (job.destination !== null && !destinations.includes(job.destination)) continue;
    const key = `${job.kind}/${job.destination ?? ''}`;
    if (!newest.has(key)) newest.set(key, job);
  }
  const all = [...newest.values()];
  const counts = (job: Job): boolean => job.kind === 'backup' || job.kind === 'verify' || job.kind === 'drill';
  return all.find((job) => counts(job) && job.state !== 'done') ?? all[0] ?? null;
}

/** Whether a job failed because the sign-in with its destination had ended, and the account has been signed in with again since. */
export function isSignedInSince(job: Job | null, signedInAt: (destination: string) => number | null): boolean {
  if (job?.fault?.code !== 'sign-in-needed' || job.endedAt === null) return false;
  const destination = job.destination ?? job.fault.context['destination'];
  return typeof destination === 'string' && (signedInAt(destination) ?? 0) >= job.endedAt;
}

/** The same of a job that failed because the keychain was locked. */
export function isOpenedSince(job: Job | null, openedAt: number | null): boolean {
  if (job === null || job.endedAt === null || job.fault?.context['keychain'] === undefined) return false;
  return openedAt !== null && openedAt >= job.endedAt;
}

/** What a person has put right since a job failed for the want of it. */
export type Mended = 'sign-in' | 'keychain';

export function mendedSince(
  job: Job | null,
  signedInAt: (destination: string) => number | null,
  keychainOpenedAt: number | null,
): Mended | null {
  if (isSignedInSince(job, signedInAt)) return 'sign-in';
  return isOpenedSince(job, keychainOpenedAt) ? 'keychain' : null;
}

/** What waiting may mend; all else waits for a person. */
const passing: ReadonlySet<FaultCode> = new Set(['rate-limited', 'unavailable', 'timeout', 'source-changed', 'locked', 'unexpected']);

/** What is known of a server with these destinations once a job has ended. */
export function factsAfter(facts: ServerFacts, job: Job, destinations: readonly string[]): ServerFacts {
  const began = job.startedAt ?? job.queuedAt;
  if (job.endedAt === null || job.skipped === true) return facts;
  if (job.state === 'cancelled') {
    // Whoever cancels a run of the schedule does not want it again in half a minute: the next one comes at its time.
    const isRefused = job.kind === 'backup' && job.reason !== 'person' && job.fault?.context['by'] === 'person';
    return isRefused ? { ...facts, failures: { count: facts.failures?.count ?? 0, at: job.endedAt, mayPass: false } } : facts;
  }
  if (job.kind === 'backup') {
    const places = placesAfter(facts, job, destinations);
    if (job.state !== 'done') {
      // Whatever has ended the process may be over: tried again, but not at once and for ever. One place that may come round is reason enough.
      const faults = [...(job.places ?? []).map(({ fault }) => fault), job.fault].filter((fault) => fault !== null);
      const mayPass = faults.length === 0 || faults.some(({ code }) => passing.has(code));
      return { ...facts, places, failures: { count: (facts.failures?.count ?? 0) + 1, at: job.endedAt, mayPass } };
    }
    return {
      ...facts,
      places,
      // A retry that made up for one place does not make the others newer.
      lastSuccess: Math.min(began, ...Object.values(places)),
      unchangedSince: job.unchanged ? (facts.unchangedSince ?? began) : began,
      failures: null,
      bytes: job.bytes,
      storedBytes: job.unchanged ? facts.storedBytes : job.storedBytes,
    };
  }
  if ((job.kind !== 'verify' && job.kind !== 'drill') || job.destination === null) return facts;
  const key = `${job.kind}/${job.destination}`;
  const check = { ok: job.state === 'done' ? job.endedAt : (facts.checks[key]?.ok ?? null), tried: job.endedAt };
  const checks = { ...facts.checks, [key]: check };
  if (job.state !== 'done') return { ...facts, checks };
  if (job.kind === 'drill') return { ...facts, checks, lastProven: job.endedAt };
  const all = destinations.map((destination) => checks[`verify/${destination}`]?.ok ?? null);
  const oldest = all.includes(null) ? facts.lastVerified : Math.min(...all.filter((ok) => ok !== null));
  return { ...facts, checks, lastVerified: oldest };
}

/** Those of these places where a backup has ended well. */
export function wellIn({ state, places }: Job, destinations: readonly string[]): readonly string[] {
  if (places === undefined) return state === 'done' ? destinations : [];
  return destinations.filter((name) => places.some((place) => place.name === name && place.fault === null));
}

function placesAfter(facts: ServerFacts, job: Job, destinations: readonly string[]): ServerFacts['places'] {
  const good = wellIn(job, destinations);
  const began = job.startedAt ?? job.queuedAt;
  return Object.fromEntries(
    destinations.flatMap((name) => {
      const at = good.includes(name) ? began : (facts.places[name] ?? facts.lastSuccess);
      return at === null ? [] : [[name, at]];
    }),
  );
}

/**
 * Where a run of the schedule goes to: the places that have nothing of the last time when one was due. So a retry repeats only what failed. Null: nothing
 * is due any more, as another run has ended well since this one was asked for.
 */
export function placesDue(
  { destinations }: Pick<ServerSettings, 'destinations'>,
  facts: ServerFacts,
  occurrences: Occurrences,
  now: number,
): readonly string[] | null {
  const { places, lastSuccess } = facts;
  const due = destinations.filter((name) => {
    const at = places[name] ?? lastSuccess;
    if (at === null || at > now + believedAheadMs) return true;
    return (occurrences.after(at) ?? Number.POSITIVE_INFINITY) <= now;
  });
  if (due.length > 0) return due;
  // A place that was taken out of the settings may be why it is due all the same.
  const standing = believed(facts, now);
  const next = occurrences.after(standing.lastSuccess ?? standing.since);
  return next !== null && next <= now ? destinations : null;
}

/** Of every server that goes to a destination which means another store from now on. */
export function forgetProofs(store: StateStore, servers: readonly ServerSettings[], destination: string): void {
  for (const { slug, destinations } of servers) {
    if (destinations.includes(destination)) store.changeFacts(slug, factsAfterMove(store.facts(slug), destination));
  }
}

/** What is still known of a server once one of its destinations means another store: nothing there has been read back yet. */
export function factsAfterMove(facts: ServerFacts, destination: string): ServerFacts {
  const checks = Object.fromEntries(Object.entries(facts.checks).filter(([key]) => key.slice(key.indexOf('/') + 1) !== destination));
  const drills = Object.entries(checks).flatMap(([key, { ok }]) => (key.startsWith('drill/') && ok !== null ? [ok] : []));
  const places = Object.fromEntries(Object.entries(facts.places).filter(([name]) => name !== destination));
  return { ...facts, places, checks, lastVerified: null, lastProven: drills.length === 0 ? null : Math.max(...drills) };
}
