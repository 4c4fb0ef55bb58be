import { Fault } from '../../contract/faults.ts';
import type { RetentionPolicy } from '../../contract/reports.ts';
import { decideRetention } from './decide.ts';
import type { RetentionCandidate, RetentionDecision, RetentionFrame } from './decide.ts';
import { momentOf, utcOf } from './local-time.ts';
import type { LocalTime } from './local-time.ts';

/** RFC 3339, with what ISO 8601 lets people leave out: seconds, the time of day, the offset. */
const isoTime = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*([Zz]|[+-]\d\d(?::?\d\d)?)?)?$/;

/**
 * What a policy would do to snapshots of these times: one ISO time a line, blank lines and lines that begin with `#` ignored.
 * A time without offset is wall time in the frame's zone, a date alone its midnight. The ids are `line N`, N from 1.
 * A line that is no time is fault config-invalid and named.
 */
export function simulateRetention(text: string, policy: RetentionPolicy, frame: RetentionFrame): RetentionDecision {
  const snapshots: RetentionCandidate[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const written = line.trim();
    if (written === '' || written.startsWith('#')) continue;
    const time = parseIsoTime(written, frame.zone);
    if (time === undefined) {
      throw new Fault('config-invalid', `line ${index + 1}: '${written.slice(0, 80)}' is no ISO time such as 2026-11-23T22:05:00Z`, {
        operation: 'simulate retention',
        context: { line: index + 1 },
      });
    }
    snapshots.push({ id: `line ${index + 1}`, time, complete: true });
  }
  return decideRetention(snapshots, policy, frame);
}

/** Milliseconds since 1970, or undefined for what is no time: 30 February and 24:00 are none. */
export function parseIsoTime(text: string, zone: string): number | undefined {
  const match = isoTime.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', offset] = match;
  const local = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
  };
  const wall = utcOf(local);
  if (!isSame(local, wall)) return undefined;
  const milliseconds = Number(fraction.padEnd(3, '0').slice(0, 3));
  if (offset === undefined) return momentOf(local, zone) + milliseconds;
  const offsetMinutes = parseOffset(offset);
  return offsetMinutes === undefined ? undefined : wall - offsetMinutes * 60_000 + milliseconds;
}

/** Fields out of their range run over into the next: what comes back must be what was written. */
function isSame(local: LocalTime, wall: number): boolean {
  const date = new Date(wall);
  return (
    date.getUTCMonth() + 1 === local.month &&
    date.getUTCDate() === local.day &&
    date.getUTCHours() === local.hour &&
    date.getUTCMinutes() === local.minute &&
    date.getUTCSeconds() === local.second
  );
}

function parseOffset(offset: string): number | undefined {
  if (offset === 'Z' || offset === 'z') return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(3).replace(':', ''));
  if (hours > 23 || minutes > 59) return undefined;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
