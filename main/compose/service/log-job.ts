import type { Log } from '../../adapters/logs/log-file.ts';
import type { Job } from '../../contract/jobs.ts';

/** A job's line in the log: how it began, and what came of it. */
export function logJob(log: Log, job: Job): void {
  const { id, kind, server, destination, state, reason, summary, snapshot, fault, warnings, bytes, storedBytes } = job;
  log.write(state === 'failed' ? 'error' : 'info', `${kind} ${state}`, {
    ...{ job: id, server, reason, summary },
    ...(destination === null ? {} : { destination }),
    ...(snapshot === null ? {} : { snapshot, bytes, storedBytes }),
    ...(fault === null ? {} : { fault }),
    ...(warnings.length === 0 ? {} : { warnings: warnings.slice(0, 20) }),
  });
}
