import { Fault } from '../../contract/faults.ts';
import type { ByteRange } from '../../engine/storage/backend.ts';

/**
 * The length of a body that answers a range, from its Content-Range. A server may answer with less than was asked for, and cuts what reaches
 * past the end (RFC 9110 §15.3.7): that is fault range-invalid. Anything but the range asked for is what `foreign` makes of it.
 */
export function rangedLength(header: string | undefined, key: string, { offset, length }: ByteRange, foreign: () => Fault): number {
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header ?? '') ?? [];
  if (first === undefined) throw foreign();
  if (Number(size) < offset + length) {
    const context = { key, size: Number(size), end: offset + length };
    throw new Fault('range-invalid', `${key} has ${size} bytes, none at ${offset + length - 1}`, { operation: 'read', context });
  }
  if (Number(first) !== offset || Number(last) !== offset + length - 1) throw foreign();
  return length;
}

/** The header that asks for a range; none for the whole. */
export function rangeHeader(range: ByteRange | undefined): { readonly range?: string } {
  return range === undefined ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
}

/** A server that sends the whole where a stretch was asked for. */
export function sentWhole(key: string): Fault {
  return new Fault('unsupported', `the server sent all of ${key} where a range was asked for`, { operation: 'read', context: { key } });
}
