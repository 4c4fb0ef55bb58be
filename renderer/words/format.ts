import { words } from './language.svelte.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
/** A figure stays beside its unit, and a day beside its month. */
const noBreak = '\u00a0';
const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const locale = words.language === 'de' ? 'de-DE' : 'en-GB';
  const id = locale + JSON.stringify(options);
  let format = formats.get(id);
  if (format === undefined) {
    format = new Intl.DateTimeFormat(locale, options);
    formats.set(id, format);
  }
  return format;
}

const relatives = new Map<string, Intl.RelativeTimeFormat>();

function relativeFormat(): Intl.RelativeTimeFormat {
  const format = relatives.get(words.language) ?? new Intl.RelativeTimeFormat(words.language, { numeric: 'auto' });
  relatives.set(words.language, format);
  return format;
}

/** “14:30”, in a zone by its IANA name; in the browser's own without. */
export function clock(time: number, timeZone?: string): string {
  return dateFormat({ hour: '2-digit', minute: '2-digit', hour12: false, timeZone }).format(time);
}

/** “14:30:05”. */
export function timeOfDay(time: number): string {
  return dateFormat({ hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }).format(time);
}

/** “Fri 20 Nov”, with the year where it is another. */
export function date(time: number, now: number, timeZone?: string): string {
  const [then, today] = [startOfDay(time, timeZone), startOfDay(now, timeZone)].map((start) => new Date(start).getUTCFullYear());
  return dateFormat({ weekday: 'short', day: 'numeric', month: 'short', ...(then === today ? {} : { year: 'numeric' }), timeZone })
    .format(time)
    .replace(/^(\w+),/, words.language === 'de' ? '$1,' : '$1')
    .replace(/(\d\.?) /, `$1${noBreak}`);
}

/** A past time: “2 hours ago” under a day, the date beyond it. */
export function ago(time: number, now: number): string {
  const passed = now - time;
  if (passed >= day || passed < -minute) return date(time, now);
  const relative = relativeFormat();
  if (passed < minute) return relative.format(0, 'minute');
  if (passed < 60 * minute) return relative.format(-Math.floor(passed / minute), 'minute');
  return relative.format(-Math.floor(passed / (60 * minute)), 'hour');
}

/** “today 16:00”, “tomorrow 03:30”, “Fri 20 Nov, 08:00”. */
export function moment(time: number, now: number, timeZone?: string): string {
  const days = (startOfDay(time, timeZone) - startOfDay(now, timeZone)) / day;
  if (Math.abs(days) > 1) return `${date(time, now, timeZone)}, ${clock(time, timeZone)}`;
  const word = relativeFormat().format(days, 'day');
  return `${word} ${clock(time, timeZone)}`;
}

/** “Nov”. */
export function monthName(time: number): string {
  return dateFormat({ month: 'short' }).format(time);
}

/** Everything, for a tooltip. */
export function exactly(time: number): string {
  return dateFormat({ dateStyle: 'full', timeStyle: 'medium' }).format(time);
}

/** Of the day that a zone's calendar shows, as if that zone were UTC: there every day is as long as any other. */
function startOfDay(time: number, timeZone: string | undefined): number {
  const parts = dateFormat({ year: 'numeric', month: 'numeric', day: 'numeric', timeZone }).formatToParts(time);
  const [year = 0, month = 0, dayOfMonth = 0] = (['year', 'month', 'day'] as const).map((type) =>
    Number(parts.find((part) => part.type === type)?.value),
  );
  return Date.UTC(year, month - 1, dayOfMonth);
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** In powers of 1000, one decimal under 100: “5.0 GB”, “214 MB”. */
export function size(bytes: number): string {
  let power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  let value = bytes / 1000 ** power;
  // What rounds up to a thousand is one of the next.
  if (power > 0 && value >= 999.5 && power < units.length - 1) value = bytes / 1000 ** ++power;
  const digits = power === 0 || value >= 99.95 ? 0 : 1;
  return `${number(value, digits)}${noBreak}${units[power] ?? ''}`;
}

const numbers = new Map<string, Intl.NumberFormat>();

export function number(value: number, digits = 0): string {
  const locale = words.language === 'de' ? 'de-DE' : 'en-GB';
  const id = `${locale} ${digits}`;
  let format = numbers.get(id);
  if (format === undefined) {
    // Made anew for each figure, a list of them would be felt.
    format = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    numbers.set(id, format);
  }
  return format.format(value);
}

/** 0 to 1 as “62 %”. */
export function percent(part: number): string {
  return `${number(Math.floor(part * 100))} %`;
}

/** Seconds as “3 min”, “1 h 20 min”, “40 s”. */
export function duration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  const hourly = { style: 'unit', unitDisplay: words.language === 'de' ? 'short' : 'short' } as const;
  const unit = (value: number, name: 'second' | 'minute' | 'hour'): string =>
    new Intl.NumberFormat(words.language, { ...hourly, unit: name }).format(value);
  if (whole < 60) return unit(whole, 'second');
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return unit(minutes, 'minute');
  return minutes % 60 === 0 ? unit(minutes / 60, 'hour') : `${unit(Math.floor(minutes / 60), 'hour')} ${unit(minutes % 60, 'minute')}`;
}

/** “A”, “A and B”, “A, B and C”. */
export function list(items: readonly string[]): string {
  return new Intl.ListFormat(words.language === 'de' ? 'de' : 'en-GB', { type: 'conjunction' }).format(items);
}
