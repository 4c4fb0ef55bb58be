import type { CallHandlers } from '../../../main/contract/calls.ts';
import type { Job } from '../../../main/contract/jobs.ts';
import { stagedNow } from './staged-restore.ts';

/** What the log says of every job: one that was long ago has lost its beginning. */
export function stagedLog(find: (id: string) => Job): Pick<CallHandlers, 'job.log'> {
  return {
    'job.log': async ({ job, before }) => {
      const { startedAt, endedAt } = find(job);
      const began = startedAt ?? stagedNow;
      const stored =
        endedAt === null
          ? []
          : [
              {
                at: endedAt,
                level: 'info' as const,
                text: 'stored destination=tide-s3 snapshot=k3v9qa bytes=5000000000 storedBytes=3500000000',
              },
            ];
      return {
        lines: [
          ...(before === undefined ? [] : [{ at: began - 1000, level: 'info' as const, text: 'backup waiting reason=schedule' }]),
          { at: began, level: 'info', text: 'backup running reason=schedule' },
          { at: began + 40, level: 'info', text: 'at rest how=minecraft' },
          { at: began + 60, level: 'info', text: 'backup scan files=0 bytes=0' },
          { at: began + 4_100, level: 'info', text: 'backup pack files=1 bytes=4096 totalFiles=9318 totalBytes=5000000000' },
          { at: began + 9_000, level: 'info', text: 'goes on' },
          { at: began + 12_000, level: 'warn', text: 'hook command=/usr/local/bin/tell-players result=failure' },
          ...stored,
        ],
        more: before === undefined,
        cut: !job.endsWith('-0') && !job.startsWith('j-'),
      };
    },
  };
}
