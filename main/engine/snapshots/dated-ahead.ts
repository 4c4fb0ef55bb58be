import { largestClockOffsetMs } from '../storage/check-destination.ts';
import { snapshotTime } from './names.ts';

/** A snapshot bears a later time than when it was written, by more than clocks may differ. `writtenAt`: by the provider's, in milliseconds since 1970. */
export function isDatedAhead(id: string, writtenAt: number): boolean {
  return snapshotTime(id) > writtenAt + largestClockOffsetMs;
}
