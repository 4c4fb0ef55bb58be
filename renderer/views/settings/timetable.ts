/** Limits in rclone's syntax (main/engine/schedule/bandwidth-timetable.ts) as far as a form can show them: upload only, the same every day. */
export interface TimetableRow {
  /** `HH:MM`. */
  readonly from: string;
  /** Megabytes (of 2^20 bytes) a second; 0: as fast as it goes. */
  readonly rate: number;
}

export type Limits =
  | { readonly mode: 'off' }
  | { readonly mode: 'fixed'; readonly rate: number }
  | { readonly mode: 'timetable'; readonly rows: readonly TimetableRow[] }
  /** What the form cannot show: weekdays, or another limit for downloads. */
  | { readonly mode: 'text'; readonly text: string };

export function readLimits(text: string): Limits {
  const words = text.trim().split(/\s+/);
  const [only = ''] = words;
  if (words.length === 1 && !only.includes(',')) {
    const rate = readRate(only);
    if (rate === null) return { mode: 'text', text };
    return rate === 0 ? { mode: 'off' } : { mode: 'fixed', rate };
  }
  const rows = words.map((word): TimetableRow | null => {
    const match = /^([01]?\d|2[0-3]):([0-5]\d),(.+)$/.exec(word);
    const rate = match === null ? null : readRate(match[3] ?? '');
    return match === null || rate === null ? null : { from: `${(match[1] ?? '').padStart(2, '0')}:${match[2] ?? ''}`, rate };
  });
  return rows.every((row) => row !== null) ? { mode: 'timetable', rows } : { mode: 'text', text };
}

export function writeLimits(limits: Limits): string {
  switch (limits.mode) {
    case 'off':
      return 'off';
    case 'fixed':
      return writeRate(limits.rate);
    case 'timetable':
      return limits.rows.length === 0 ? 'off' : limits.rows.map(({ from, rate }) => `${from},${writeRate(rate)}`).join(' ');
    case 'text':
      return limits.text.trim() === '' ? 'off' : limits.text.trim();
  }
}

/** Null: not a rate that the form can show. */
export function readRate(text: string): number | null {
  if (text === 'off') return 0;
  const match = /^(\d+(?:\.\d+)?)([BKMG]?)$/i.exec(text);
  if (match === null) return null;
  const power = { B: 1 / 2 ** 20, '': 1 / 2 ** 10, K: 1 / 2 ** 10, M: 1, G: 2 ** 10 }[(match[2] ?? '').toUpperCase()] ?? 1;
  return Number(match[1]) * power;
}

export function writeRate(rate: number): string {
  if (!(rate > 0)) return 'off';
  return rate < 1 ? `${String(Math.max(1, Math.round(rate * 1024)))}K` : `${String(Math.round(rate * 100) / 100)}M`;
}

/** Megabytes a second as a person types them, with a point or a comma; nothing: 0. */
export function typedRate(text: string): number {
  return Number(text.trim().replace(',', '.'));
}

export function isRate(text: string): boolean {
  return /^\d*([.,]\d+)?$/.test(text.trim());
}
