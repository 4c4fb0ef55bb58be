import { faultTexts, nextStep } from '../../contract/fault-texts.ts';
import { isDamage } from '../../contract/faults.ts';
import type { Job } from '../../contract/jobs.ts';
import type { Notice, NoticeKind, NoticeText } from '../../contract/notices.ts';
import { restingStep } from './at-rest.ts';
import type { ServerFacts } from './ports.ts';

const dayMs = 86_400_000;
/** The same again is told once a day, and a place that fills up once a week; in between it is only counted. */
const foldMs: Readonly<Partial<Record<NoticeKind, number>>> = { 'quota-near': 7 * dayMs };

type Told = ServerFacts['told'];

/** A notice and what it is about: a key of what was told, or the topic that has gone well again. */
export interface News extends Notice {
  readonly matter: string;
}

/** What is to be told now, and what is known to have been told from then on. */
export interface Telling {
  readonly notices: readonly News[];
  readonly told: Told;
}

export interface About {
  readonly slug: string;
  readonly name: string;
  readonly now: number;
  readonly told: Told;
}

/** What a job that has ended gives people to know. */
export function tellingAfter(job: Job, about: About): Telling {
  const after = tellingOutcome(job, about);
  if (job.kind !== 'backup' || job.endedAt === null) return after;
  // However it ended: its server stands still now.
  const resume = job.warnings.find(({ code }) => code === 'quiesce-resume');
  return resume === undefined && job.state !== 'done' ? after : notGoingOn(resume?.message, about, after);
}

/** That a server is still at rest; `why` null: it is not, or not any more. Told once a day, however often it is looked at. */
export function tellingStuck(why: string | null, about: About): Telling {
  const nothing: Telling = { notices: [], told: about.told };
  if (why === null) return about.told[stuckKey] === undefined ? nothing : notGoingOn(undefined, about, nothing);
  return toldToday(stuckKey, about) ? nothing : notGoingOn(why, about, nothing);
}

const stuckKey = 'quiesce/failed';
const overdueKey = 'backup/overdue';

/** For what is looked at each minute: that it is so still is no news, and nothing that came up again. */
function toldToday(key: string, { told, now }: About): boolean {
  const before = told[key];
  return before !== undefined && isFresh(before, now, dayMs);
}

function notGoingOn(why: string | undefined, about: About, after: Telling): Telling {
  return standing('failed', stuckKey, about, after, why, {
    what: 'at-rest',
    title: `${about.name} was not told to go on`,
    next: restingStep,
  });
}

function tellingOutcome(job: Job, about: About): Telling {
  const isOver = job.state !== 'cancelled' && job.state !== 'waiting' && job.state !== 'running';
  if (!isOver || job.skipped === true || (job.partial === true && job.state === 'done')) return { notices: [], told: about.told };
  // Each backup place by itself: one that is whole says nothing of another.
  const topic = job.destination === null ? job.kind : `${job.kind}:${job.destination}`;
  const after = job.state === 'done' ? wentWell(topic, job, about) : wentWrong(topic, job, about);
  return job.kind === 'backup' && job.state === 'done' ? withWarningsOf(job, about, after) : after;
}

/** Whether what was told is still so: the last word on its matter, and neither taken back nor come up again since. */
export function stillHolds(matter: string, { kind, at }: Notice, told: Told): boolean {
  return kind === 'recovered' ? !Object.keys(told).some((key) => key.startsWith(`${matter}/`)) : told[matter]?.at === at;
}

/** What nobody would learn from any job: that none ends well any more. `since`: from when on it counts as overdue. */
export function tellingOverdue(
  overdue: { readonly since: number; readonly why: string; readonly next: string } | null,
  about: About,
): Telling {
  if (overdue === null || toldToday(overdueKey, about)) return { notices: [], told: about.told };
  return folded('overdue', overdueKey, about, {
    title: `${about.name} is not being backed up`,
    text: overdue.why,
    next: overdue.next,
  });
}

/** Keys of what was told are `<topic>/<what>`; the topic is what going well takes back. */
function wentWrong(topic: string, job: Job, about: About): Telling {
  const fault = job.fault;
  const kind: NoticeKind = fault?.code === 'sign-in-needed' ? 'sign-in-needed' : job.kind === 'drill' ? 'drill-failed' : 'failed';
  return folded(kind, `${topic}/${fault?.code ?? 'unexpected'}`, about, {
    ...{ what: job.kind, ...(fault === null ? {} : { fault: fault.code }) },
    title: `${about.name}: ${failedAt(job.kind, fault)}`,
    text: fault === null ? 'The program ended while it ran.' : fault.message,
    next: fault === null ? 'It is done again with the next run.' : nextStep(fault),
  });
}

function wentWell(topic: string, job: Job, about: About): Telling {
  const before = Object.keys(about.told).filter((key) => key.startsWith(`${topic}/`));
  if (before.length === 0) return { notices: [], told: about.told };
  const told = Object.fromEntries(Object.entries(about.told).filter(([key]) => !before.includes(key)));
  const notice: News = {
    matter: topic,
    kind: 'recovered',
    server: about.slug,
    name: about.name,
    what: job.kind,
    title: `${about.name}: ${successes[job.kind]}`,
    text: job.summary,
    next: '',
    at: about.now,
    repeats: 0,
  };
  return { notices: [notice], told };
}

/** Warnings of a backup that ended well which somebody must do something about. */
function withWarningsOf(job: Job, about: About, after: Telling): Telling {
  const prune = job.warnings.find(({ code }) => code === 'prune');
  // Each backup place by itself: that one fills up says nothing of another.
  const near = new Map(
    job.warnings.flatMap(({ code, destination, message }) => (code === 'quota-near' ? [[spaceKey(destination), message] as const] : [])),
  );
  const known = Object.keys(after.told).filter((key) => key === spaceKey() || key.startsWith(spaceKey('')));
  const first = [...new Set([...known, ...near.keys()])].reduce(
    (told, key) =>
      standing('quota-near', key, about, told, near.get(key), {
        title: `${about.name}: the backup place is nearly full`,
        next: faultTexts['quota-exceeded'].next,
      }),
    after,
  );
  return standing('failed', 'prune/failed', about, first, prune?.message, {
    what: 'prune',
    title: `${about.name}: ${failures.prune}`,
    next: 'See what it says; new snapshots are made all the same.',
  });
}

const spaceKey = (destination?: string): string => `space/near${destination === undefined ? '' : `:${destination}`}`;

/** What holds as long as it is said (`text`), and is forgotten without a word once it is not. */
function standing(
  kind: NoticeKind,
  key: string,
  about: About,
  after: Telling,
  text: string | undefined,
  words: Pick<Notice, 'title' | 'next' | 'what'>,
): Telling {
  if (text === undefined)
    return { notices: after.notices, told: Object.fromEntries(Object.entries(after.told).filter(([one]) => one !== key)) };
  const more = folded(kind, key, { ...about, told: after.told }, { ...words, text });
  return { notices: [...after.notices, ...more.notices], told: more.told };
}

/** A clock that was set back must not silence it for long. */
const isFresh = ({ at }: Told[string], now: number, forMs: number): boolean => Math.abs(now - at) < forMs;

function folded(kind: NoticeKind, key: string, about: About, words: NoticeText & Pick<Notice, 'what' | 'fault'>): Telling {
  const before = about.told[key];
  if (before !== undefined && isFresh(before, about.now, foldMs[kind] ?? dayMs))
    return { notices: [], told: { ...about.told, [key]: { at: before.at, times: before.times + 1 } } };
  const repeats = before?.times ?? 0;
  return {
    notices: [{ matter: key, kind, server: about.slug, name: about.name, ...words, at: about.now, repeats }],
    told: { ...about.told, [key]: { at: about.now, times: 0 } },
  };
}

const failures: Readonly<Record<Job['kind'], string>> = {
  backup: 'the backup failed',
  restore: 'bringing it back failed',
  verify: 'a stored snapshot is not as it should be',
  prune: 'old snapshots could not be removed',
  drill: 'the test restore failed',
};

/** A verification that was cut off, or could not reach the place, has found nothing wrong. */
function failedAt(kind: Job['kind'], fault: Job['fault']): string {
  return kind === 'verify' && !isDamage(fault?.code) ? 'the stored snapshots could not be checked' : failures[kind];
}

const successes: Readonly<Record<Job['kind'], string>> = {
  backup: 'backups work again',
  restore: 'bringing it back worked',
  verify: 'the stored snapshots are whole',
  prune: 'old snapshots are removed again',
  drill: 'the test restore worked again',
};
