import type { Occurrences } from '../../engine/schedule/occurrences.ts';
import { parseCount } from '../units.ts';

export interface PauseOptions {
  readonly hours?: string;
  readonly untilTomorrow?: boolean;
}

/** The end of a pause, milliseconds since 1970; 0 where a person ends it. `midnights`: of the server's zone. */
export function untilOf(now: number, { hours, untilTomorrow }: PauseOptions, midnights: () => Occurrences): number {
  if (hours !== undefined) return now + parseCount(hours, '--hours', { min: 1, max: 8760 }) * 3_600_000;
  if (untilTomorrow !== true) return 0;
  return midnights().after(now) ?? 0;
}
