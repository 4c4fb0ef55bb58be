import { tableOf, type Row } from './table.ts';

/** A section of docs/benchmarks.md: its table, and the goals that were missed. */
export function sectionOf(title: string, rows: readonly Row[]): string {
  const missed = rows.filter(({ met }) => met === false).map(({ what, result, goal }) => `${what} (${result}, goal ${goal})`);
  return `${title}\n\n${tableOf(rows)}\n\n${missed.length === 0 ? 'All goals are met.' : `Missed: ${missed.join('; ')}.`}\n`;
}
