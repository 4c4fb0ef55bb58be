import type { Job } from '../../../main/contract/jobs.ts';
import { call } from '../../client/call.ts';

/** As many lines of the log as the service gives at once. */
const most = 500;

/** A job with its log as one text, for somebody who helps: in the words of the service, whatever language the page speaks. */
export async function jobReport(job: Job): Promise<string> {
  const { lines, more, cut } = await call('job.log', { job: job.id, limit: most });
  const gone = more || cut ? ['(earlier lines are left out or not kept any more)'] : [];
  const log = lines.map(({ at, level, text }) => `${new Date(at).toISOString()} ${level} ${text}`);
  return ['## Job', '', JSON.stringify(job, null, 2), '', '## Log', '', ...gone, ...log, ''].join('\n');
}
