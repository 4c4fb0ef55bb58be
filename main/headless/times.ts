import { Fault } from '../contract/faults.ts';
import { localClock, utcOf } from '../engine/retention/local-time.ts';
import { parseIsoTime } from '../engine/retention/simulate.ts';

const clocks = new Map<string, ReturnType<typeof localClock>>();

/**
 * Milliseconds since 1970 of an ISO time. One without an offset, and a date alone (its midnight), are meant in `zone`. What is no time
 * is fault config-invalid naming `what`.
 */
export function parseTime(text: string, zone: string, what: string): number {
  const time = parseIsoTime(text.trim(), zone);
  if (time !== undefined) return time;
  throw new Fault('config-invalid', `${what} is ${text}, which is no time; write it like 2026-11-24T03:30:00Z`, {
    operation: 'read the arguments',
  });
}

/** `2026-11-24 03:30:00` in `zone`; what is no time comes back as it is. */
export function formatTime(iso: string, zone: string): string {
  const at = Date.parse(iso);
  if (Number.isNaN(at)) return iso;
  let clock = clocks.get(zone);
  if (clock === undefined) {
    clock = localClock(zone);
    clocks.set(zone, clock);
  }
  return new Date(utcOf(clock(at))).toISOString().slice(0, 19).replace('T', ' ');
}
