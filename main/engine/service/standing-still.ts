import type { Progress } from '../../contract/reports.ts';
import type { Clock } from '../ports.ts';
import { restUntil } from '../storage/cancel.ts';

const stillMs = 30 * 60_000;

/**
 * Calls `still` once nothing has moved for half an hour to an hour, or at the signal. Settles to who is to be told of each progress: it is told again and again
 * by what hangs, too, and counts only where it is another.
 */
export function whenStill(clock: Clock, signal: AbortSignal, still: () => void): (progress: Progress) => void {
  let hasMoved = true;
  let last: Progress | null = null;
  // In rounds, and not by the time that a clock shows, as clocks are set.
  const watch = async (): Promise<void> => {
    while (hasMoved && !signal.aborted) {
      hasMoved = false;
      await restUntil(clock, stillMs, signal);
    }
    still();
  };
  void watch();
  return (progress) => {
    const { phase, files, bytes, storedBytes } = progress;
    hasMoved ||= last?.phase !== phase || last.files !== files || last.bytes !== bytes || last.storedBytes !== storedBytes;
    last = progress;
  };
}
