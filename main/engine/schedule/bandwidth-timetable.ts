import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import { weekdays } from '../../contract/schedule-settings.ts';
import { localClock } from '../retention/local-time.ts';

/** Bytes a second; absent: as fast as it goes. */
export interface Rates {
  readonly up?: number;
  readonly down?: number;
}

interface Slot {
  /** Minutes since Monday 00:00. */
  readonly from: number;
  readonly rates: Rates;
}

/** The limits over a week, each until the next; one slot only: always the same. */
export type BandwidthTimetable = readonly Slot[];

const dayMinutes = 24 * 60;
const powers: Readonly<Record<string, number>> = { B: 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40, P: 2 ** 50 };

/**
 * What rclone's --bwlimit takes: `10M`, `10M:100k` (upload:download), `off`, or entries `[WEEKDAY-]HH:MM,RATE` separated by spaces. A number without
 * a unit counts KiB. Fault config-invalid for anything else.
 */
export function parseBandwidth(text: string): BandwidthTimetable {
  const words = text.trim().split(/\s+/);
  const [only = ''] = words;
  if (words.length === 1 && !only.includes(',')) return [{ from: 0, rates: ratesOf(only, text) }];
  const slots = words.flatMap((word) => {
    const match = /^(?:([a-z]{3,9})-)?([01]?\d|2[0-3]):([0-5]\d),(.+)$/i.exec(word);
    if (match === null) throw invalid(text, word);
    const [, day, hour, minute, rate = ''] = match;
    const at = Number(hour) * 60 + Number(minute);
    const rates = ratesOf(rate, text);
    const days = day === undefined ? weekdays.map((_, index) => index) : [dayOf(day, text)];
    return days.map((index): Slot => ({ from: index * dayMinutes + at, rates }));
  });
  return slots.sort((a, b) => a.from - b.from);
}

/** The limits at a moment, by the clock of an IANA zone. Before the first entry of the week the last one still holds. */
export function ratesAt(timetable: BandwidthTimetable, time: number, zone: string): Rates {
  const local = localClock(zone)(time);
  const weekday = (new Date(Date.UTC(local.year, local.month - 1, local.day)).getUTCDay() + 6) % 7;
  const minute = weekday * dayMinutes + local.hour * 60 + local.minute;
  const slot = timetable.findLast(({ from }) => from <= minute) ?? timetable.at(-1);
  return slot?.rates ?? {};
}

/** The lower of both, each way. */
export function lower(a: Rates, b: Rates): Rates {
  const least = (one: number | undefined, other: number | undefined): number | undefined =>
    one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
  const [up, down] = [least(a.up, b.up), least(a.down, b.down)];
  return { ...(up === undefined ? {} : { up }), ...(down === undefined ? {} : { down }) };
}

function ratesOf(text: string, whole: string): Rates {
  const [up = '', down, ...rest] = text.split(':');
  if (rest.length > 0) throw invalid(whole, text);
  const [upRate, downRate] = [rateOf(up, whole), rateOf(down ?? up, whole)];
  return { ...(upRate === undefined ? {} : { up: upRate }), ...(downRate === undefined ? {} : { down: downRate }) };
}

function rateOf(text: string, whole: string): number | undefined {
  if (/^(off|0)$/i.test(text)) return undefined;
  const match = /^(\d+(?:\.\d+)?)([BKMGTP])?(?:i?B?)?$/i.exec(text);
  const rate = Number(match?.[1]) * (powers[(match?.[2] ?? 'K').toUpperCase()] ?? Number.NaN);
  if (Number.isFinite(rate) && rate >= 1) return Math.round(rate);
  throw invalid(whole, text);
}

function dayOf(text: string, whole: string): number {
  const index = weekdays.findIndex((day) => text.toLowerCase().startsWith(day));
  if (index < 0) throw invalid(whole, text);
  return index;
}

function invalid(whole: string, part: string): Fault {
  return new Fault('config-invalid', `“${part}” in the bandwidth “${whole}” is not understood`, {
    operation: 'read bandwidth',
    context: {
      ...saying('bandwidth-wrong', { part }),
      next: 'Write it as rclone does: 10M, 10M:1M, off, or a timetable such as 08:00,512K 19:00,10M 23:00,off.',
    },
  });
}
