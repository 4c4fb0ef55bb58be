import type { GrowthStep, UsageForecast } from '../../contract/look-reports.ts';

/** So many bytes that came at a time (milliseconds since 1970) and are still there. */
export interface Arrival {
  readonly time: number;
  readonly bytes: number;
}

const dayMs = 86_400_000;
/** “Lately”: as far back as the rate looks. */
const windowDays = 30;
/** Up to so long a history is told by days, a longer one by months. */
const daysToldApart = 31;

/**
 * Bytes a day over the last 30 days, or over all there is when that is less. Null below a day: the first snapshot is the whole folder, and says
 * nothing of what comes in a day. Only what is still there counts: a rate before removals.
 */
export function rateOf(arrivals: readonly Arrival[], now: number): number | null {
  const first = arrivals.reduce((least, { time }) => Math.min(least, time), Infinity);
  const since = Math.max(first, now - windowDays * dayMs);
  if (!(now - since >= dayMs)) return null;
  const came = arrivals.reduce((sum, { time, bytes }) => (time > since && time <= now ? sum + bytes : sum), 0);
  return (came * dayMs) / (now - since);
}

export function growthOf(arrivals: readonly Arrival[]): readonly GrowthStep[] {
  const times = arrivals.map(({ time }) => time);
  const span = Math.max(...times) - Math.min(...times);
  const length = span <= daysToldApart * dayMs ? '2026-11-23'.length : '2026-11'.length;
  const added = new Map<string, number>();
  for (const { time, bytes } of arrivals) {
    const period = new Date(time).toISOString().slice(0, length);
    added.set(period, (added.get(period) ?? 0) + bytes);
  }
  let storedBytes = 0;
  return [...added]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([period, addedBytes]) => {
      storedBytes += addedBytes;
      return { period, addedBytes, storedBytes };
    });
}

export function forecastOf(storedBytes: number, bytesPerDay: number | null): UsageForecast | null {
  if (bytesPerDay === null) return null;
  const after = (days: number): number => Math.round(storedBytes + days * bytesPerDay);
  return { bytesPerDay: Math.round(bytesPerDay), in30Days: after(30), in90Days: after(90) };
}

/** When so many bytes are there, in milliseconds since 1970; `now` when they are already. Null: not at this rate, or beyond what a date can say. */
export function reachedAt(cap: number, storedBytes: number, bytesPerDay: number | null, now: number): number | null {
  if (storedBytes >= cap) return now;
  if (bytesPerDay === null || bytesPerDay <= 0) return null;
  const at = now + ((cap - storedBytes) / bytesPerDay) * dayMs;
  return at < Date.UTC(10_000, 0) ? at : null;
}
