/** `HH:MM` of a time of the day as people type it: 8:00, 8.00, 800 or 0800. Null: it is none. */
export function readTime(typed: string): string | null {
  const [, hours = '', minutes = ''] = /^([01]?\d|2[0-3])[:.]?([0-5]\d)$/.exec(typed.trim()) ?? [];
  return hours === '' ? null : `${hours.padStart(2, '0')}:${minutes}`;
}

/** It is a time as the contract has it. */
export function isTime(text: string): boolean {
  return readTime(text) === text;
}
