const hour = 3_600_000;
const day = 24 * hour;
const week = 7 * day;
/** What the service is asked at most. */
const most = 10_000;

/**
 * When a schedule would have run in the half year before now, from its coming runs: what is kept in half a year from now is what would be kept today of half
 * a year that has passed. The longest of week, day and hour that the runs fill is laid down again and again, which keeps their pattern.
 */
export function runsBefore(coming: readonly number[], now: number, span: number): readonly number[] {
  const first = coming[0];
  const second = coming[1];
  const last = coming.at(-1);
  if (first === undefined || second === undefined || last === undefined) return [];
  const gap = second - first;
  const period = [week, day, hour].find((length) => last - first >= length && gap <= length) ?? (last - first) / (coming.length - 1);
  const pattern = coming.filter((time) => time < first + period - 1).map((time) => time - first);
  const newest = first - Math.ceil((first - now) / period) * period;
  const times: number[] = [];
  for (let start = newest; start > now - span - period && times.length < most; start -= period) {
    for (const offset of pattern.toReversed()) {
      const time = start + offset;
      if (time <= now && time > now - span && times.length < most) times.push(time);
    }
  }
  return times;
}
