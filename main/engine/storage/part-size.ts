import { Fault } from '../../contract/faults.ts';
import type { BackendLimits } from './backend.ts';

export const defaultPartSize = 16 * 1024 * 1024;
/** A hint may fall short: a whole that is a little more must not come in parts of a few bytes. */
const smallestPart = 64 * 1024;

/**
 * How large the parts of an upload of about `sizeHint` bytes shall be: `wanted` (default 16 MiB), larger where there would be too many of
 * them, smaller where the whole is, always within the provider's limits.
 */
export function choosePartSize(limits: BackendLimits, sizeHint: number | undefined, wanted = defaultPartSize): number {
  const down = (bytes: number): number => Math.floor(bytes / limits.partMultiple) * limits.partMultiple;
  const up = (bytes: number): number => Math.ceil(bytes / limits.partMultiple) * limits.partMultiple;
  const fewEnough = sizeHint === undefined ? 0 : Math.ceil(sizeHint / limits.maxParts);
  const enough = sizeHint === undefined ? wanted : Math.min(wanted, Math.max(smallestPart, sizeHint));
  const size = Math.max(up(Math.max(enough, fewEnough)), up(limits.minPart), limits.partMultiple);
  const largest = down(limits.maxPart);
  if (size <= largest) return size;
  if (fewEnough <= largest) return largest;
  throw new Fault('unsupported', `${sizeHint} bytes are more than one object can hold in this kind of backup place`, {
    operation: 'upload',
    context: { sizeHint: sizeHint ?? 0, maxPart: limits.maxPart, maxParts: limits.maxParts },
  });
}

/**
 * How large the parts of an archive's volumes shall be. Whole parts wait in memory while they are sent: large ones only where the provider asks
 * for them.
 */
export function volumePartSize(limits: BackendLimits, volumeSize: number): number {
  const wanted = limits.minPart === 1 ? 2 ** 20 : defaultPartSize;
  // A volume ends only with the entry, or the piece of one, that takes it past its size.
  return choosePartSize(limits, Math.max(wanted, 2 * volumeSize), wanted);
}
