import type { CallHandlers } from '../../../main/contract/calls.ts';
import type { ServiceEvent } from '../../../main/contract/events.ts';
import type { Job } from '../../../main/contract/jobs.ts';
import { Fault } from '../../../main/contract/faults.ts';

/** A Monday at 14:02 in every picture. */
export const stagedNow = Date.UTC(2026, 10, 23, 14, 2);

/** Seconds between the two times that the page is told of a running job: from those it finds itself how fast the job goes. */
export const toldApart = 8;

/** A running job as it is told the first time; `speed` in bytes a second. */
export function toldFirst(job: Job, speed: number): Job {
  const { progress } = job;
  return progress === null ? job : { ...job, progress: { ...progress, bytes: progress.bytes - toldApart * speed } };
}

/** A restore of Creative, half way. */
export const restoringJob: Job = {
  ...{ id: 'j-restore', kind: 'restore', server: 'creative', destination: 'tide-s3', state: 'running', reason: 'person' },
  ...{ queuedAt: stagedNow - 60_000, startedAt: stagedNow - 60_000, endedAt: null, summary: '', snapshot: null, unchanged: false },
  ...{ bytes: 0, storedBytes: 0, warnings: [], fault: null },
  progress: { phase: 'download', files: 4_420, bytes: 2.4e9, totalFiles: 9_318, totalBytes: 5.0e9, storedBytes: 1.8e9 },
};

export const restoredJob: Job = {
  ...restoringJob,
  ...{ state: 'done', startedAt: stagedNow - 348_000, endedAt: stagedNow, progress: null, bytes: 5e9, snapshot: 'snap-0000' },
  summary: '9318 files were brought back; what was there before is kept.',
};

type Handlers = Pick<CallHandlers, 'restore.look' | 'restore.start' | 'job.cancel' | 'undo.list' | 'undo.run' | 'undo.discard'>;

/** Room enough, nothing in the way, and something set aside by an earlier restore of Creative. All of it is half way for ever, a part is there at once. */
export function stagedRestore(emit: (event: ServiceEvent) => void): Handlers {
  const aside = {
    before: '/srv/minecraft/.creative.before',
    time: stagedNow - 3 * 86_400_000,
    bytes: 12.9e9,
    files: 21_406,
    partial: false,
  };
  return {
    'restore.look': async ({ target }) => ({
      ...{ target, exists: target === '/srv/minecraft/creative', empty: target !== '/srv/minecraft/creative' },
      ...{ freeBytes: 112e9, inUse: target.includes('busy') ? ['java (4711)'] : [], problem: '' },
    }),
    'restore.start': async ({ include }) => {
      // As the real service: the job is told of once the call is answered.
      setImmediate(() => emit({ event: 'job', data: include.length === 0 ? toldFirst(restoringJob, 40e6) : restoredJob }));
      return { job: restoringJob.id };
    },
    'job.cancel': async () => {
      const cancelled: Job = { ...restoringJob, state: 'cancelled', endedAt: stagedNow, progress: null, untouched: true };
      setImmediate(() => emit({ event: 'job', data: cancelled }));
      return {};
    },
    'undo.list': async ({ target }) => (target === '/srv/minecraft/creative' ? [aside] : []),
    'undo.run': async () => {
      throw new Fault('locked', 'java (4711) uses /srv/minecraft/creative', { operation: 'undo' });
    },
    'undo.discard': async () => [aside],
  };
}
