import { Fault } from '../contract/faults.ts';

const powers = { '': 0, K: 1, M: 2, G: 3, T: 4 } as const;
const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `4096`, `64K`, `8M`, `1.5G`, `1GiB`: bytes, in powers of 1024. Anything else is fault config-invalid naming `what`. */
export function parseSize(text: string, what: string, range: { readonly min: number; readonly max: number }): number {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  if (match === null) throw invalid(`${what} is ${text}, which is no size; write bytes, or a number with K, M, G or T, such as 8M`);
  const unit = (match[2] ?? '').toUpperCase() as keyof typeof powers;
  const bytes = Math.round(Number(match[1]) * 1024 ** powers[unit]);
  if (bytes < range.min) throw invalid(`${what} is ${text}; the least is ${formatSize(range.min)}`);
  if (bytes > range.max) throw invalid(`${what} is ${text}; the most is ${formatSize(range.max)}`);
  return bytes;
}

/** Bytes per second: a size, with or without `/s`. */
export function parseRate(text: string, what: string): number {
  return parseSize(text.replace(/\/s$/i, ''), what, { min: 1024, max: 1024 ** 4 });
}

/** Decimal digits only, within the range; anything else is fault config-invalid naming `what`. */
export function parseCount(text: string, what: string, range: { readonly min: number; readonly max: number }): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= range.min && value <= range.max)) {
    throw invalid(`${what} is ${text}; it must be a whole number from ${range.min} to ${range.max}`);
  }
  return value;
}

/** `812 B`, `1.5 KiB`, `3.0 GiB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let value = bytes;
  let power = 0;
  // 1023.95 would print as 1024.0: move on to the next unit first.
  while (value >= 1023.95 && power < names.length - 1) {
    value /= 1024;
    power += 1;
  }
  return `${value.toFixed(1)} ${names[power] ?? ''}`;
}

/** `0.8 s`, `42 s`, `3 min 05 s`, `2 h 07 min`. */
export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** `1 file`, `12,345 files`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}

function invalid(message: string): Fault {
  return new Fault('config-invalid', message, { operation: 'read the arguments' });
}
