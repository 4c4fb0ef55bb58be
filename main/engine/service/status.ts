import { nextStep } from '../../contract/fault-texts.ts';
import type { Job } from '../../contract/jobs.ts';
import type { ServerSettings } from '../../contract/server-settings.ts';
import type { ServerState, ServerStatus } from '../../contract/server-status.ts';
import { overdueFrom, type Standing } from '../schedule/due.ts';
import type { Occurrences } from '../schedule/occurrences.ts';
import { restingStep } from './at-rest.ts';
import type { Mended } from './facts.ts';
import type { ServerFacts } from './ports.ts';

export interface StatusInput {
  readonly settings: ServerSettings;
  readonly facts: ServerFacts;
  /** What of them may be relied on. */
  readonly standing: Standing;
  readonly occurrences: Occurrences;
  /** Waiting and running jobs of this server, oldest first. */
  readonly active: readonly Job[];
  /** The last one that has ended, of any kind but those cancelled. */
  readonly last: Job | null;
  readonly nextRun: number | null;
  readonly now: number;
  /** What the last one failed for is put right since: the account is signed in with again, the keychain is open. */
  readonly mended: Mended | null;
  /** Why nothing is started by itself now; null when nothing is against it. */
  readonly held: string | null;
  /** Why it is still at rest although no job works on it; null where it is not. */
  readonly stuck: string | null;
}

/** What is shown of a server, worked out from what is known and nothing else. */
export function statusOf(input: StatusInput): ServerStatus {
  const { settings, facts, active, last, nextRun } = input;
  const [state, why, next] = judge(input);
  return {
    settings,
    state,
    why,
    next,
    lastSuccess: facts.lastSuccess,
    unchangedSince: facts.unchangedSince,
    lastProven: facts.lastProven,
    lastVerified: facts.lastVerified,
    nextRun,
    pausedUntil: isPaused(facts, input.now) ? facts.pausedUntil : null,
    running: active.find((job) => job.state === 'running') ?? null,
    waiting: active.filter((job) => job.state === 'waiting'),
    last,
    bytes: facts.bytes,
    storedBytes: facts.storedBytes,
  };
}

export function isPaused({ pausedUntil }: ServerFacts, now: number): boolean {
  return pausedUntil !== null && (pausedUntil === 0 || now < pausedUntil);
}

type Judgement = readonly [state: ServerState, why: string, next: string];

/** The most pressing first: what a person must do, what has gone wrong, what goes on. */
function judge({ settings, facts, standing, occurrences, active, last, mended, now, held, stuck }: StatusInput): Judgement {
  const overdue = overdueFrom(standing, occurrences);
  const isOverdue = overdue !== null && now > overdue;
  const since = facts.lastSuccess === null ? 'No backup has ended well yet' : 'No backup has ended well for two intervals';
  const running = active.find(({ state }) => state === 'running');
  if (running !== undefined) {
    const runs = `${running.kind === 'backup' ? 'one' : `a ${running.kind}`} is running`;
    if (isLate(running, occurrences, now)) {
      const why = 'The backup has run past the time of the next one, which comes once it has ended.';
      return ['late', isOverdue ? `${since}; ${runs}. ${why}` : why, runningStep];
    }
    return isOverdue ? ['running', `${since}; ${runs}.`, runningStep] : ['running', '', ''];
  }
  if (stuck !== null) return ['failed', stuck, restingStep];
  const fault = mended === null ? (last?.fault ?? null) : null;
  if (fault?.code === 'sign-in-needed') return ['sign-in-needed', fault.message, nextStep(fault)];
  if (fault?.context['keychain'] !== undefined) return ['paused', fault.message, nextStep(fault)];
  if (held !== null && settings.schedule.kind !== 'manual') return ['paused', held, 'It goes on by itself once that has changed.'];
  if (isPaused(facts, now)) return ['paused', 'It was paused.', 'Resume it when you like.'];
  if (isOverdue) {
    return ['overdue', fault === null ? `${since}.` : `${since}: ${fault.message}`, fault === null ? overdueStep : nextStep(fault)];
  }
  if (settings.schedule.kind !== 'manual' && occurrences.after(now) === null)
    return ['failed', 'The time of its schedule never comes.', neverStep];
  if (last?.state === 'failed' && fault !== null) return ['failed', fault.message, nextStep(fault)];
  if (last?.state === 'interrupted') return ['failed', 'The last run was cut off.', 'It is taken up by the next one.'];
  if (mended !== null) return ['late', mendedWhy[mended], 'Start it now, or wait for its time.'];
  if (active.some(({ kind }) => kind === 'backup')) return ['late', 'A backup waits for another job to end.', ''];
  return [facts.lastSuccess === null ? 'new' : 'ok', '', ''];
}

/** A run is there already when the next one would be due. */
function isLate({ kind, startedAt }: Job, occurrences: Occurrences, now: number): boolean {
  const next = kind === 'backup' && startedAt !== null ? occurrences.after(startedAt) : null;
  return next !== null && next <= now;
}

const mendedWhy = {
  'sign-in': 'The account is signed in again; what was stopped for it has yet to run.',
  keychain: 'The keychain is open again; what waited for it has yet to run.',
} as const;

const overdueStep = 'Check that this computer is on at the times of the schedule, and start a backup by hand.';
const neverStep = 'Give it a time that comes, or none: holdfast server edit NAME --daily 04:00 (or --manual).';
const runningStep = 'See how far it has come; where it stands still, cancel it and start a backup.';
