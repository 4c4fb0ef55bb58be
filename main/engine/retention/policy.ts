import { Fault } from '../../contract/faults.ts';
import type { RetentionPolicy } from '../../contract/reports.ts';

/** Keeps all of a rule: restic's `unlimited`. */
export const unlimited = -1;

/** The rules in restic's order, which is also the order of a snapshot's reasons. */
export const ruleNames = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const satisfies readonly (keyof RetentionPolicy)[];

export type RuleName = (typeof ruleNames)[number];

/**
 * The count of every rule: 0 keeps none, -1 all. Any other negative, broken or non-number is fault config-invalid: a policy
 * that is misread deletes what somebody wanted to keep.
 */
export function policyCounts(policy: RetentionPolicy): Readonly<Record<RuleName, number>> {
  return {
    last: countOf('last', policy.last),
    hourly: countOf('hourly', policy.hourly),
    daily: countOf('daily', policy.daily),
    weekly: countOf('weekly', policy.weekly),
    monthly: countOf('monthly', policy.monthly),
    yearly: countOf('yearly', policy.yearly),
  };
}

function countOf(rule: RuleName, count: number | undefined, shown = String(count)): number {
  if (count === undefined) return 0;
  if (Number.isSafeInteger(count) && count >= unlimited) return count;
  throw new Fault('config-invalid', `keep ${rule}: ${shown} is no count: a whole number, 0 for none, or -1 (unlimited) for all`, {
    operation: 'read retention policy',
    context: { rule, count: shown },
  });
}

/** No rule keeps anything, so there is no wish to remove anything either. */
export function isEmptyPolicy(policy: RetentionPolicy): boolean {
  const counts = policyCounts(policy);
  return ruleNames.every((rule) => counts[rule] === 0);
}

/** A count as a person types it, after `--keep-daily`: digits, `-1` or `unlimited`, as in restic. Else fault config-invalid. */
export function parseCount(rule: RuleName, text: string): number {
  if (text === 'unlimited') return unlimited;
  return countOf(rule, /^(-1|[0-9]+)$/.test(text) ? Number(text) : Number.NaN, text === '' ? 'nothing' : text);
}
