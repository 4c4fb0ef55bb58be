import type { RetentionPolicy } from '../../contract/reports.ts';
import { policyCounts, ruleNames, unlimited } from './policy.ts';

const units = { hourly: 'hour', daily: 'day', weekly: 'week', monthly: 'month', yearly: 'year' } as const;

/** A policy as one sentence for people. Rules count only hours, days … that have a snapshot, and the sentence says so. */
export function describePolicy(policy: RetentionPolicy): string {
  const counts = policyCounts(policy);
  if (ruleNames.every((rule) => counts[rule] === 0)) return 'Keeps every snapshot, because no rule is set.';
  if (counts.last === unlimited) return 'Keeps every snapshot.';
  const spans = ruleNames.flatMap((rule) => {
    const count = counts[rule];
    if (rule === 'last' || count === 0) return [];
    const unit = units[rule];
    return [`of each ${unit} ${count === unlimited ? 'without end' : `for ${count} ${unit}${count === 1 ? '' : 's'}`}`];
  });
  const parts: string[] = [];
  if (counts.last > 0) parts.push(counts.last === 1 ? 'the last snapshot' : `the last ${counts.last} snapshots`);
  if (spans.length > 0) parts.push(`the newest ${listed(spans)} (counting only those that have a snapshot)`);
  return `Keeps ${parts.join(', and ')}.`;
}

function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}
