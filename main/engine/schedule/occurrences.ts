import { Cron, type CronOptions } from 'croner';
import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import { weekdays, type ScheduleSettings } from '../../contract/schedule-settings.ts';
import { localClock, momentOf, utcOf } from '../retention/local-time.ts';

/** No zone has ever moved its clocks by more at once (Apia's lost day is a change of date, and no time of that day exists). */
const largestShiftMs = 3 * 3_600_000;

/** The moments, milliseconds since 1970, at which a schedule wants a run. */
export interface Occurrences {
  /** The first one later than `time`; null when there is none, as for the 30th of February. */
  after(time: number): number | null;
}

const never: Occurrences = { after: () => null };

/**
 * What a schedule means in an IANA zone. A wall time that comes twice when clocks go back runs at its first coming; one that never comes
 * when clocks go forward runs later by the gap: each exactly once. What runs every hour, whatever the hour, runs each real hour: what comes twice runs
 * twice.
 * Fault config-invalid for a zone or an expression that is none.
 */
export function occurrencesOf(schedule: ScheduleSettings, zone: string): Occurrences {
  localClock(zone);
  switch (schedule.kind) {
    case 'manual':
      return never;
    case 'every':
      return schedule.hours === 1
        ? everyRealHour(`${schedule.minute} * * * *`, zone)
        : byWallTime([`${schedule.minute} */${schedule.hours} * * *`], zone);
    case 'daily':
      return byWallTime(
        schedule.at.map((at) => `${minuteAndHour(at)} * * *`),
        zone,
      );
    case 'weekly':
      return byWallTime([`${minuteAndHour(schedule.at)} * * ${schedule.on.map((day) => (weekdays.indexOf(day) + 1) % 7).join(',')}`], zone);
    case 'cron':
      return fromCron(schedule.expression, zone);
  }
}

/** `count` of them, the first one later than `time`; fewer where there are no more. */
export function nextOccurrences(occurrences: Occurrences, time: number, count: number): readonly number[] {
  const found: number[] = [];
  for (let at = occurrences.after(time); at !== null && found.length < count; at = occurrences.after(at)) found.push(at);
  return found;
}

function fromCron(expression: string, zone: string): Occurrences {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5) throw noCron(expression, 'it has five fields: minute, hour, day of the month, month, day of the week');
  return isEveryHour(fields[1] ?? '') ? everyRealHour(fields.join(' '), zone) : byWallTime([fields.join(' ')], zone);
}

/** However it is written. */
function isEveryHour(hours: string): boolean {
  return /^(\*|0-23)(\/1)?$/.test(hours);
}

/** Whenever the zone's clock shows it; a time that never comes runs later by the gap, which is another moment where the gap is no whole hour. */
function everyRealHour(pattern: string, zone: string): Occurrences {
  const cron = calculator(pattern, { timezone: zone });
  const moved = byWallTime([pattern], zone);
  return {
    after(time) {
      const found = [cron.nextRun(new Date(time))?.getTime() ?? null, moved.after(time)].filter((at) => at !== null);
      return found.length === 0 ? null : Math.min(...found);
    },
  };
}

/**
 * The calculation runs on wall time taken for UTC, in which there are no gaps and no hours that come twice; each result is then put
 * where the zone's clock shows it.
 */
function byWallTime(patterns: readonly string[], zone: string): Occurrences {
  const crons = patterns.map((pattern) => calculator(pattern, { utcOffset: 0 }));
  const clock = localClock(zone);

  function firstOf(cron: Cron, time: number): number | null {
    const wall = utcOf(clock(time));
    let best: number | null = null;
    let limit = Number.POSITIVE_INFINITY;
    // From a while before: a time moved on by a gap is later than its own wall time says, and may come behind one that is not moved.
    for (let at = cron.nextRun(new Date(wall - largestShiftMs)); at !== null && at.getTime() <= limit; at = cron.nextRun(at)) {
      const moment = momentOf(clockOfUtc(at.getTime()), zone);
      if (moment <= time || (best !== null && moment >= best)) continue;
      best = moment;
      limit = at.getTime() + largestShiftMs;
    }
    return best;
  }

  return {
    after(time) {
      const found = crons.map((cron) => firstOf(cron, time)).filter((at) => at !== null);
      return found.length === 0 ? null : Math.min(...found);
    },
  };
}

const clockOfUtc = localClock('UTC');

function minuteAndHour(at: string): string {
  const [hour = '0', minute = '0'] = at.split(':');
  return `${Number(minute)} ${Number(hour)}`;
}

function calculator(pattern: string, options: CronOptions): Cron {
  try {
    return new Cron(pattern, options);
  } catch (error) {
    throw noCron(pattern, error instanceof Error ? error.message : String(error));
  }
}

function noCron(expression: string, why: string): Fault {
  return new Fault('config-invalid', `'${expression}' is no cron expression: ${why}`, {
    operation: 'read schedule',
    context: saying('cron-wrong', { expression }),
  });
}
