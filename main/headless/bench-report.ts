import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { CallRecord } from '../engine/storage/layers/observe.ts';

export interface BenchReport {
  readonly onCall: (record: CallRecord) => void;
  /** Writes the report. Synchronous: the process is about to end. */
  readonly write: () => void;
}

/** Measures this process for the bench and writes `{maxStallMs, peakRssBytes, backendReads, backendBytes, backendWrites}` to `file`. */
export function benchReport(file: string): BenchReport {
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  let backendReads = 0;
  let backendBytes = 0;
  let backendWrites = 0;
  return {
    onCall: ({ verb, bytesDown }) => {
      if (verb === 'read') backendReads += 1;
      if (verb === 'writePart' || verb === 'complete') backendWrites += 1;
      backendBytes += bytesDown;
    },
    write: () => {
      delays.disable();
      const report = {
        maxStallMs: delays.max / 1e6,
        peakRssBytes: peakBytes(),
        backendReads,
        backendBytes,
        backendWrites,
      };
      writeFileSync(file, `${JSON.stringify(report)}\n`);
    },
  };
}

/** Of this process alone: what the system counts for getrusage goes through exec, so that a small child of a large parent has the parent's peak. */
function peakBytes(): number {
  const [, peak] = /^VmHWM:\s+(\d+) kB$/m.exec(statusText()) ?? [];
  // maxRSS is in kilobytes on every platform (libuv).
  return (peak === undefined ? process.resourceUsage().maxRSS : Number(peak)) * 1024;
}

function statusText(): string {
  try {
    return readFileSync('/proc/self/status', 'latin1');
  } catch {
    // No Linux: then getrusage has to do.
    return '';
  }
}
