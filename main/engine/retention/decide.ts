import { Fault } from '../../contract/faults.ts';
import type { RetentionPolicy } from '../../contract/reports.ts';
import { isoWeek, localClock } from './local-time.ts';
import type { LocalTime } from './local-time.ts';
import { policyCounts, ruleNames, unlimited } from './policy.ts';
import type { RuleName } from './policy.ts';

export interface RetentionCandidate {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Its manifest is there. */
  readonly complete: boolean;
  readonly damaged?: boolean;
  readonly pinned?: boolean;
}

export interface Kept {
  readonly id: string;
  readonly time: number;
  /** Never empty; restic's words, and our own for what restic does not know. */
  readonly reasons: readonly string[];
}

export interface RetentionDecision {
  /** Newest first, as the other two. */
  readonly keep: readonly Kept[];
  readonly remove: readonly { readonly id: string; readonly time: number }[];
  /** Incomplete or damaged: the policy says nothing about them. */
  readonly ignored: readonly { readonly id: string; readonly time: number }[];
}

export interface RetentionFrame {
  /** IANA time zone in which hours, days, weeks, months and years are counted. */
  readonly zone: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Which snapshots stay, with the meaning of `restic forget --keep-last, -hourly, -daily, -weekly, -monthly, -yearly`
 * (restic 0.19, internal/data/snapshot_policy.go): from the newest to the oldest, each rule with counts left takes the first
 * snapshot of every new bucket, and the oldest snapshot of all whatever its bucket. What differs is stated in
 * docs/decisions/0030-retention-as-in-restic.md. A bad count, zone or time is fault config-invalid.
 */
export function decideRetention(
  snapshots: readonly RetentionCandidate[],
  policy: RetentionPolicy,
  frame: RetentionFrame,
): RetentionDecision {
  const counts = policyCounts(policy);
  const nothingAsked = ruleNames.every((rule) => counts[rule] === 0);
  const sorted = snapshots.map(checked).sort(newestFirst);
  const whole = sorted.filter(isWhole);
  const counted = whole.filter((snapshot) => snapshot.time <= frame.now);
  const ruled = applyRules(counted, counts, localClock(frame.zone));

  const keep: Kept[] = [];
  const remove: { id: string; time: number }[] = [];
  for (const snapshot of whole) {
    const { id, time } = snapshot;
    const reasons: string[] = [];
    if (snapshot.pinned === true) reasons.push('pinned');
    if (time > frame.now) reasons.push('dated in the future');
    if (nothingAsked) reasons.push('no policy');
    reasons.push(...(ruled.get(snapshot) ?? []));
    // Every rule takes the newest, so this is only a net; but what it would catch is the loss of the last way back.
    if (reasons.length === 0 && snapshot === counted[0]) reasons.push('last complete snapshot');
    if (reasons.length > 0) keep.push({ id, time, reasons });
    else remove.push({ id, time });
  }
  const ignored = sorted.filter((snapshot) => !isWhole(snapshot)).map(({ id, time }) => ({ id, time }));
  return { keep, remove, ignored };
}

/** The rules' reasons for each snapshot they keep; `newestFirst` holds only what counts. */
function applyRules(
  snapshots: readonly RetentionCandidate[],
  counts: Readonly<Record<RuleName, number>>,
  clock: (time: number) => LocalTime,
): ReadonlyMap<RetentionCandidate, readonly string[]> {
  const rules = ruleNames.map((name) => ({ name, left: counts[name], bucket: '' }));
  const kept = new Map<RetentionCandidate, readonly string[]>();
  for (const [index, snapshot] of snapshots.entries()) {
    if (rules.every(({ left }) => left === 0)) break;
    const local = clock(snapshot.time);
    const oldest = index === snapshots.length - 1;
    const reasons: string[] = [];
    for (const rule of rules) {
      if (rule.left === 0) continue;
      const bucket = rule.name === 'last' ? `${index}` : bucketOf(rule.name, local);
      const fresh = bucket !== rule.bucket;
      if (!fresh && !oldest) continue;
      rule.bucket = bucket;
      if (rule.left !== unlimited) rule.left -= 1;
      reasons.push(fresh ? `${rule.name} snapshot` : `oldest ${rule.name} snapshot`);
    }
    if (reasons.length > 0) kept.set(snapshot, reasons);
  }
  return kept;
}

/** As in restic, a bucket is what the wall clock shows: the hour that comes twice when clocks go back is one. */
function bucketOf(rule: Exclude<RuleName, 'last'>, local: LocalTime): string {
  const { year, month, day, hour } = local;
  switch (rule) {
    case 'hourly':
      return `${year}-${month}-${day}-${hour}`;
    case 'daily':
      return `${year}-${month}-${day}`;
    case 'weekly': {
      const iso = isoWeek(local);
      return `${iso.year}-${iso.week}`;
    }
    case 'monthly':
      return `${year}-${month}`;
    case 'yearly':
      return `${year}`;
  }
}

/** Of two snapshots of one moment the greater id counts as the newer: the order of input decides nothing. */
function newestFirst(a: RetentionCandidate, b: RetentionCandidate): number {
  if (a.time !== b.time) return b.time - a.time;
  if (a.id === b.id) return 0;
  return a.id < b.id ? 1 : -1;
}

function isWhole(snapshot: RetentionCandidate): boolean {
  return snapshot.complete && snapshot.damaged !== true;
}

function checked(snapshot: RetentionCandidate): RetentionCandidate {
  // The range of Date; a time beyond it has no wall clock.
  if (Math.abs(snapshot.time) <= 8.64e15) return snapshot;
  throw new Fault('config-invalid', `snapshot ${snapshot.id} has no usable time`, {
    operation: 'decide retention',
    context: { snapshot: snapshot.id, time: String(snapshot.time) },
  });
}
