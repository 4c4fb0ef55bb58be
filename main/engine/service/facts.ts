import type { FaultCode } from '../../contract/faults.ts';
import type { Job } from '../../contract/jobs.ts';
import type { ServerFacts } from './ports.ts';

const dayMs = 86_400_000;
const intervals = { weekly: 7 * dayMs, monthly: 30 * dayMs } as const;

/** Whether something that is done every so often is to be done again; `last` null: it never was. */
export function isDue(often: 'weekly' | 'monthly' | 'never', last: number | null, now: number): boolean {
  if (often === 'never') return false;
  // A quarter of a day early, so that it does not move on by a run each time.
  return last === null || now >= last + intervals[often] - dayMs / 4;
}

/** What waiting may mend; all else waits for a person. */
const passing: ReadonlySet<FaultCode> = new Set(['rate-limited', 'unavailable', 'timeout', 'source-changed', 'locked', 'unexpected']);

/** What is known of a server once a job has ended. */
export function factsAfter(facts: ServerFacts, job: Job): ServerFacts {
  const began = job.startedAt ?? job.queuedAt;
  if (job.state === 'cancelled' || job.endedAt === null) return facts;
  if (job.kind === 'backup') {
    if (job.state !== 'done') {
      const mayPass = job.fault !== null && passing.has(job.fault.code);
      return { ...facts, failures: { count: (facts.failures?.count ?? 0) + 1, at: job.endedAt, mayPass } };
    }
    return {
      ...facts,
      lastSuccess: began,
      unchangedSince: job.unchanged ? (facts.unchangedSince ?? began) : began,
      failures: null,
      bytes: job.bytes,
      storedBytes: job.unchanged ? facts.storedBytes : job.storedBytes,
    };
  }
  if (job.state !== 'done') return facts;
  if (job.kind === 'verify') return { ...facts, lastVerified: job.endedAt };
  if (job.kind === 'drill') return { ...facts, lastProven: job.endedAt };
  return facts;
}
