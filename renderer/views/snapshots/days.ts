/** One day of the calendar. */
export interface Day {
  /** Its midnight, milliseconds since 1970. */
  readonly at: number;
  readonly ahead: boolean;
  readonly today: boolean;
  /** Backups that ended well, also those that found nothing changed and those whose snapshot is cleaned up by now. */
  readonly ran: number;
  readonly snapshots: number;
  readonly failed: number;
  /** Of its newest snapshot; null where there is none, or nobody knows. */
  readonly bytes: number | null;
  /** 0 to 4: how many backups, against the day that has most. */
  readonly level: number;
}

export interface DayInput {
  readonly now: number;
  readonly weeks: number;
  /** Milliseconds since 1970, newest first. */
  readonly snapshots: readonly { readonly at: number; readonly bytes: number | null }[];
  readonly runs: readonly number[];
  readonly failures: readonly number[];
}

/** Whole weeks from Monday to Sunday, the last of them this one; days as the clock of whoever looks has them. */
export function calendar({ now, weeks, snapshots, runs, failures }: DayInput): readonly Day[] {
  const today = midnight(now);
  const counts = new Map<number, { ran: number; snapshots: number; failed: number; bytes: number | null }>();
  const of = (at: number) => {
    const key = midnight(at);
    const found = counts.get(key) ?? { ran: 0, snapshots: 0, failed: 0, bytes: null };
    counts.set(key, found);
    return found;
  };
  for (const { at, bytes } of snapshots) {
    const day = of(at);
    if (day.snapshots === 0) day.bytes = bytes;
    day.snapshots += 1;
  }
  for (const at of runs) of(at).ran += 1;
  for (const at of failures) of(at).failed += 1;
  // What another computer backed up is in no history here.
  for (const day of counts.values()) day.ran = Math.max(day.ran, day.snapshots);
  const most = Math.max(1, ...[...counts.values()].map((day) => day.ran));
  const date = new Date(today);
  date.setDate(date.getDate() - ((date.getDay() + 6) % 7) - (weeks - 1) * 7);
  return Array.from({ length: weeks * 7 }, () => {
    const at = date.getTime();
    // Not by adding hours: twice a year a day has 23 or 25.
    date.setDate(date.getDate() + 1);
    const { ran, snapshots: count, failed, bytes } = counts.get(at) ?? { ran: 0, snapshots: 0, failed: 0, bytes: null };
    return { at, ahead: at > today, today: at === today, ran, snapshots: count, failed, bytes, level: Math.ceil((ran / most) * 4) };
  });
}

/** The weeks above which a month's name stands: those in which one begins, and the first unless the next is too near. */
export function monthStarts(days: readonly Day[]): readonly { readonly week: number; readonly at: number }[] {
  const starts: { week: number; at: number }[] = [];
  for (let week = 0; week * 7 < days.length; week += 1) {
    const first = days.slice(week * 7, week * 7 + 7).find(({ at }) => new Date(at).getDate() === 1);
    if (first !== undefined) starts.push({ week, at: first.at });
  }
  const [start] = days;
  if (start !== undefined && (starts[0]?.week ?? 9) > 2) starts.unshift({ week: 0, at: start.at });
  return starts;
}

export function midnight(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}
