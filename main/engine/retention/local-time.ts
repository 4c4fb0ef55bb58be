import { Fault } from '../../contract/faults.ts';

/** What a clock on the wall of a zone shows. */
export interface LocalTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** 0 to 23. */
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const dayMs = 86_400_000;

/** Making one costs more than using it a hundred times. Only known zones get in, so their number is bounded. */
const formats = new Map<string, Intl.DateTimeFormat>();

/** Reads moments (milliseconds since 1970) as wall time in an IANA zone. An unknown zone is fault config-invalid. */
export function localClock(zone: string): (time: number) => LocalTime {
  const format = formats.get(zone) ?? formatFor(zone);
  formats.set(zone, format);
  return (time) => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(time)) if (type !== 'literal') parts[type] = Number(value);
    const { year = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN, second = NaN } = parts;
    return { year, month, day, hour, minute, second };
  };
}

function formatFor(zone: string): Intl.DateTimeFormat {
  try {
    // The calendar and the digits are named: an environment's own (Buddhist years, Arabic digits) would make other buckets.
    return new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    throw new Fault('config-invalid', `'${zone}' is no time zone: use an IANA name such as Europe/Berlin or UTC`, {
      operation: 'read time zone',
      context: { zone },
      cause: error,
    });
  }
}

/** ISO 8601 week: it belongs to the year that its Thursday lies in. */
export function isoWeek({ year, month, day }: Pick<LocalTime, 'year' | 'month' | 'day'>): { readonly year: number; readonly week: number } {
  const date = utcOf({ year, month, day, hour: 0, minute: 0, second: 0 });
  const weekday = (new Date(date).getUTCDay() + 6) % 7;
  const thursday = date + (3 - weekday) * dayMs;
  const weekYear = new Date(thursday).getUTCFullYear();
  const firstOfJanuary = utcOf({ year: weekYear, month: 1, day: 1, hour: 0, minute: 0, second: 0 });
  return { year: weekYear, week: 1 + Math.floor((thursday - firstOfJanuary) / (7 * dayMs)) };
}

/**
 * The moment at which a zone's wall clock shows `local`. A time that comes twice (clocks go back) is its first coming; one that
 * never comes (clocks go forward) is moved on by the gap.
 */
export function momentOf(local: LocalTime, zone: string): number {
  const clock = localClock(zone);
  const wall = utcOf(local);
  const offsetAt = (time: number): number => utcOf(clock(time)) - time;
  // The offsets a day before and after enclose any change near by; zones never change twice within two days.
  const before = wall - offsetAt(wall - dayMs);
  const after = wall - offsetAt(wall + dayMs);
  const shown = [before, after].filter((time) => utcOf(clock(time)) === wall);
  return shown.length > 0 ? Math.min(...shown) : before;
}

/** As if `local` were UTC. Date.UTC takes the years 0 to 99 for 1900 to 1999, so the year is set by itself. */
export function utcOf(local: LocalTime): number {
  const date = new Date(0);
  date.setUTCFullYear(local.year, local.month - 1, local.day);
  date.setUTCHours(local.hour, local.minute, local.second);
  return date.getTime();
}
