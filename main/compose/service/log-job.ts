import { jobLines, type JobLogLine } from '../../adapters/logs/job-lines.ts';
import type { Log } from '../../adapters/logs/log-file.ts';
import type { CallHandlers, CallReply } from '../../contract/calls.ts';
import type { Job } from '../../contract/jobs.ts';
import type { JobNote } from '../../engine/service/ports.ts';

export interface JobLog {
  /** A job as an event told of it: how it began, each phase that it comes to, and what came of it. */
  readonly job: (job: Job) => void;
  /** What a job says of itself on its way. */
  readonly note: (note: JobNote) => void;
  readonly call: CallHandlers['job.log'];
}

export interface JobLogParts {
  readonly log: Log;
  /** Of the log. */
  readonly path: string;
  /** Hides what has become known as secret since the line was written. */
  readonly redact: (text: string) => string;
  /** A job has a new line. */
  readonly told: (job: string) => void;
}

const longestLine = 2_000;

/** The lines of the log that belong to a job, on their way in and out. */
export function jobLog({ log, path, redact, told }: JobLogParts): JobLog {
  /** Those that were written, by job: they come again with each percent. */
  const phases = new Map<string, Set<string>>();

  function write(level: 'info' | 'warn' | 'error', event: string, { id, server }: Job, fields: Readonly<Record<string, unknown>>): void {
    log.write(level, event, { job: id, server, ...fields });
    told(id);
  }

  function phase(job: Job, { phase: name, files, bytes, totalFiles, totalBytes }: NonNullable<Job['progress']>): void {
    const known = phases.get(job.id) ?? new Set();
    if (known.has(name)) return;
    phases.set(job.id, known.add(name));
    write('info', `${job.kind} ${name}`, job, { files, bytes, ...(totalFiles === null ? {} : { totalFiles }), totalBytes });
  }

  return {
    job(job) {
      const { kind, destination, state, reason, summary, snapshot, fault, warnings, bytes, storedBytes, progress } = job;
      if (progress !== null) return phase(job, progress);
      if (job.endedAt !== null) phases.delete(job.id);
      return write(state === 'failed' ? 'error' : 'info', `${kind} ${state}`, job, {
        ...{ reason, summary },
        ...(destination === null ? {} : { destination }),
        ...(snapshot === null ? {} : { snapshot, bytes, storedBytes }),
        ...(fault === null ? {} : { fault }),
        ...(warnings.length === 0 ? {} : { warnings: warnings.slice(0, 20) }),
      });
    },
    note: ({ job, level, event, fields }) => write(level, event, job, fields),
    async call({ job, before = Number.POSITIVE_INFINITY, limit }) {
      const { lines, whole } = await jobLines(path, job, isFirst);
      const older = lines.filter(({ at }) => at < before);
      let from = Math.max(0, older.length - limit);
      // The next page is asked for by time, so that lines of one moment stay together.
      while (from > 0 && older[from - 1]?.at === older[from]?.at) from -= 1;
      return { lines: older.slice(from).map((line) => shown(line, redact)), more: from > 0, cut: !whole };
    },
  };
}

/** Each job is told of once while it waits, also where it begins at once. */
const isFirst = ({ event }: JobLogLine): boolean => event.endsWith(' waiting');

function shown({ at, level, event, fields }: JobLogLine, redact: (text: string) => string): CallReply<'job.log'>['lines'][number] {
  const parts = Object.entries(fields)
    .filter(([name, value]) => name !== 'server' && value !== '' && value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`);
  const text = redact([event, ...parts].join(' '));
  return { at, level, text: text.length > longestLine ? `${text.slice(0, longestLine)}…` : text };
}
