import type { Job } from '../../main/contract/jobs.ts';
import { t } from './language.svelte.ts';

/** What came of a job that ended well, by what it has to tell. */
export function jobResult({ kind, unchanged, snapshot, files, kept, skipped }: Job): string {
  switch (kind) {
    case 'backup':
      if (skipped === true) return t('job.says.skipped');
      return t(unchanged ? 'job.says.unchanged' : 'job.says.backup');
    case 'verify':
      return t(snapshot === null ? 'job.says.verifyAll' : 'job.says.verify');
    case 'drill':
      return files === undefined ? t('job.says.drillSome') : t('job.says.drill', { files });
    case 'restore': {
      const came = files === undefined ? t('job.says.restoreSome') : t('job.says.restore', { files });
      return kept === true ? `${came} ${t('job.says.kept')}` : came;
    }
    case 'prune':
      return t('job.says.prune');
  }
}
