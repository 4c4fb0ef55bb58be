import type { Job } from '../../contract/jobs.ts';
import { nextStep } from '../../contract/fault-texts.ts';
import type { Connection } from '../../compose/service/connect.ts';
import { exitCodeOf, exitCodeOfReport } from '../exit-codes.ts';
import type { CliHost } from '../host.ts';
import { note, printJson, printLine, printWarnings } from '../output.ts';
import { printable } from '../printable.ts';
import { progressLine } from '../progress.ts';
import type { JsonOption } from './options.ts';
import { withService } from './with-service.ts';

/** Starts a job, shows how it goes on, and settles to the exit code that its end means. Ctrl-C stops the job, too. */
export async function ran(
  host: CliHost,
  options: JsonOption,
  start: (service: Connection) => Promise<{ job: string }>,
  after?: (host: CliHost, service: Connection, job: Job) => Promise<void>,
): Promise<number> {
  return await withService(host, async (service) => {
    const progress = progressLine(host);
    const seen: Job[] = [];
    let id: string | null = null;
    const { promise: ended, resolve: settle, reject: lose } = Promise.withResolvers<Job>();
    ended.catch(() => undefined);
    const take = (job: Job): void => {
      if (job.id !== id) return;
      if (job.progress !== null) progress.onProgress(job.progress);
      if (job.endedAt !== null) settle(job);
    };
    // Listening before it starts: it may end sooner than we have heard its name.
    const leave = await service.subscribe((event) => {
      if (event.event !== 'job') return;
      seen.push(event.data);
      take(event.data);
    }, lose);
    try {
      id = (await start(service)).job;
      for (const job of seen) take(job);
      const cancel = (): void => void service.call('job.cancel', { job: id ?? '' }, new AbortController().signal).catch(() => undefined);
      host.signal.addEventListener('abort', cancel, { once: true });
      const job = await ended;
      host.signal.removeEventListener('abort', cancel);
      await progress.finish();
      const code = await shown(host, options, job);
      if (options.json !== true) await after?.(host, service, job);
      return code;
    } finally {
      await progress.finish();
      leave();
    }
  });
}

async function shown(host: CliHost, options: JsonOption, job: Job): Promise<number> {
  await printWarnings(host, job.warnings);
  if (options.json === true) await printJson(host, job);
  if (job.fault === null) {
    if (options.json !== true) await printLine(host, printable(job.summary));
    return exitCodeOfReport(job);
  }
  if (options.json === true) return exitCodeOf(job.fault.code);
  await note(host, `holdfast: ${printable(job.fault.message)}`);
  await note(host, `Next: ${printable(nextStep(job.fault))}`);
  return exitCodeOf(job.fault.code);
}
