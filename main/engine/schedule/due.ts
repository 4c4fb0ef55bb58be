import type { Occurrences } from './occurrences.ts';

/** What is known of a server's runs. Times are milliseconds since 1970. */
export interface Standing {
  /** Since when it is here. */
  readonly since: number;
  /** When its schedule was changed last; null or absent where it never was. */
  readonly changed?: number | null;
  /** When the last run that ended well began. */
  readonly lastSuccess: number | null;
  /** The runs since then that did not end well. */
  readonly failures: {
    readonly count: number;
    /** When the last of them ended. */
    readonly at: number;
    /** Whether waiting may help: weather, and nothing that a person must put right. */
    readonly mayPass: boolean;
  } | null;
}

const firstPauseMs = 10 * 60_000;
const longestPauseMs = 4 * 3_600_000;

/**
 * When the next run is due, before any jitter: the first occurrence after the last success. So however many were missed, one run
 * makes up for them. After a failure that may pass by itself it is tried again sooner than that: after 10 minutes, 20, 40 … up to 4 hours.
 */
export function nextDue(standing: Standing, occurrences: Occurrences): number | null {
  const { lastSuccess, since, changed, failures } = standing;
  const due = occurrences.after(lastSuccess ?? Math.max(since, changed ?? since));
  if (failures === null || due === null || due > failures.at) return due;
  const again = occurrences.after(failures.at);
  if (!failures.mayPass) return again;
  const retry = failures.at + Math.min(longestPauseMs, firstPauseMs * 2 ** (failures.count - 1));
  return again === null ? retry : Math.min(again, retry);
}

/**
 * From when on nothing has ended well for two intervals, of the schedule that there is now and for as long as it has been there; null where there is none.
 * Independent of what the scheduler does.
 */
export function overdueFrom({ since, lastSuccess, changed }: Omit<Standing, 'failures'>, occurrences: Occurrences): number | null {
  const last = lastSuccess ?? since;
  const first = occurrences.after(Math.max(last, changed ?? last));
  return first === null ? null : occurrences.after(first);
}

/**
 * How far in the future a stamp may lie and be believed all the same. A correction of the clock by minutes leaves such stamps, and what ran just
 * before it must not run again.
 */
export const believedAheadMs = 3_600_000;

const largestJitterMs = 10 * 60_000;

/**
 * How much later than its due time a server starts, so that many do not start at once: the same for one server each time, up to 10 minutes
 * or a tenth of its shortest interval near `now`.
 */
export function jitterOf(slug: string, occurrences: Occurrences, now: number): number {
  const first = occurrences.after(now);
  const second = first === null ? null : occurrences.after(first);
  if (first === null || second === null) return 0;
  const range = Math.min(largestJitterMs, (second - first) / 10);
  // FNV-1a: any spread will do, as long as it stays the same.
  let hash = 0x811c9dc5;
  for (const letter of slug) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return Math.floor(((hash >>> 0) / 2 ** 32) * range);
}
