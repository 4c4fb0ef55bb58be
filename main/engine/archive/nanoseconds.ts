/** Nanoseconds since 1970 as whole seconds and the rest, 0 to 999,999,999, as a timespec has them; before 1970 too. */
export function splitNanoseconds(ns: bigint): { readonly seconds: bigint; readonly rest: bigint } {
  const seconds = ns / 1_000_000_000n;
  const rest = ns - seconds * 1_000_000_000n;
  return rest < 0n ? { seconds: seconds - 1n, rest: rest + 1_000_000_000n } : { seconds, rest };
}

/** `2026-11-23T22:05:00.123456789Z` */
export function isoNanoseconds(ns: bigint): string {
  const { seconds, rest } = splitNanoseconds(ns);
  const date = new Date(Number(seconds) * 1000);
  const text = Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().slice(0, 19);
  return `${text}.${String(rest).padStart(9, '0')}Z`;
}
