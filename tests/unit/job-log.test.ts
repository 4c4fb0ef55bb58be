import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { logFile, type Log } from '../../main/adapters/logs/log-file.ts';
import { redactor, type Redactor } from '../../main/adapters/logs/redactor.ts';
import { jobLog, type JobLog } from '../../main/compose/service/log-job.ts';
import type { CallReply } from '../../main/contract/calls.ts';
import type { Job } from '../../main/contract/jobs.ts';
import { serviceWorld } from '../support/service-world.ts';
import { fakeClock, type FakeClock } from '../support/fake-clock.ts';
import { tempFolder } from '../support/temp-folder.ts';

const start = Date.UTC(2026, 10, 27);
const never = new AbortController().signal;

interface Made {
  readonly clock: FakeClock;
  readonly log: Log;
  readonly hide: Redactor;
  readonly jobs: JobLog;
  readonly told: string[];
  readonly read: (job: string, more?: { before?: number; limit?: number }) => Promise<CallReply<'job.log'>>;
}

/** A log whose files are rotated after `limit` bytes, with two kept. */
function made(limit = 2 ** 20): Made {
  const path = join(tempFolder(), 'log', 'holdfast.log');
  const clock = fakeClock({ now: start });
  const hide = redactor();
  const log = logFile({ path, clock, redactor: hide, limit, kept: 2 });
  const told: string[] = [];
  const jobs = jobLog({ log, path, redact: hide.text, told: (job) => told.push(job) });
  return { clock, log, hide, jobs, told, read: (job, more = {}) => jobs.call({ job, limit: 200, ...more }, never) };
}

function job(id: string, more: Partial<Job> = {}): Job {
  return {
    ...{ id, kind: 'backup', server: 'survival', destination: null, state: 'waiting', reason: 'person', queuedAt: start, startedAt: null },
    ...{
      endedAt: null,
      progress: null,
      summary: '',
      snapshot: null,
      unchanged: false,
      bytes: 0,
      storedBytes: 0,
      warnings: [],
      fault: null,
    },
    ...more,
  };
}

const at = (phase: 'scan' | 'upload', bytes: number): Job['progress'] => ({
  ...{ phase, files: 1, bytes, totalFiles: null, totalBytes: null, storedBytes: 0 },
});

test('a job’s own lines come back in their order, each phase once, and those of others do not', async () => {
  const { jobs, log, told, read, clock } = made();
  for (const id of ['aa', 'bb']) jobs.job(job(id));
  jobs.job(job('aa', { state: 'running' }));
  for (let percent = 0; percent < 3; percent += 1) jobs.job(job('aa', { state: 'running', progress: at('scan', percent) }));
  jobs.job(job('aa', { state: 'running', progress: at('upload', 3) }));
  await clock.advance(1000);
  jobs.note({ job: job('aa'), level: 'warn', event: 'hook', fields: { command: '/bin/x y' } });
  log.write('info', 'of nobody', { text: '"job":"aa"' });
  jobs.job(job('aa', { state: 'done', endedAt: start, summary: 'Snapshot x was written.', snapshot: 'x', bytes: 7 }));
  expect(await read('aa')).toEqual({
    lines: [
      { at: start, level: 'info', text: 'backup waiting reason=person' },
      { at: start, level: 'info', text: 'backup running reason=person' },
      { at: start, level: 'info', text: 'backup scan files=1 bytes=0' },
      { at: start, level: 'info', text: 'backup upload files=1 bytes=3' },
      { at: start + 1000, level: 'warn', text: 'hook command="/bin/x y"' },
      {
        at: start + 1000,
        level: 'info',
        text: 'backup done reason=person summary="Snapshot x was written." snapshot=x bytes=7 storedBytes=0',
      },
    ],
    more: false,
    cut: false,
  });
  expect(told).toEqual(['aa', 'bb', 'aa', 'aa', 'aa', 'aa', 'aa']);
});

test('what has become known as secret since it was written is hidden, and what was known never reached the file', async () => {
  const { jobs, hide, read } = made();
  hide.register('known before');
  jobs.note({ job: job('aa'), level: 'error', event: 'said', fields: { text: 'known before, known "later"', password: 'of no register' } });
  hide.register('known "later"');
  expect((await read('aa')).lines.map(({ text }) => text)).toEqual(['said text="[hidden], [hidden]" password=[hidden]']);
});

test('it is read page by page from its end, without a line lost or told twice', async () => {
  const { jobs, clock, read } = made();
  jobs.job(job('aa'));
  for (let index = 0; index < 30; index += 1) {
    // Three of each moment.
    if (index % 3 === 0) await clock.advance(1000);
    jobs.note({ job: job('aa'), level: 'info', event: `step-${index}`, fields: {} });
  }
  const texts: string[] = [];
  let page = await read('aa', { limit: 7 });
  let pages = 1;
  for (; page.more; pages += 1) {
    texts.unshift(...page.lines.map(({ text }) => text));
    page = await read('aa', { limit: 7, before: page.lines[0]?.at ?? 0 });
  }
  texts.unshift(...page.lines.map(({ text }) => text));
  expect(texts).toEqual(['backup waiting reason=person', ...Array.from({ length: 30 }, (_, index) => `step-${index}`)]);
  expect(pages).toBeGreaterThan(2);
});

test('a job over several files is read whole; one whose beginning was rotated away says so, and so does one that is gone', async () => {
  const { jobs, read } = made(400);
  const step = (id: string, index: number): void => jobs.note({ job: job(id), level: 'info', event: `step-${index}`, fields: {} });
  jobs.job(job('old'));
  jobs.job(job('aa'));
  step('aa', 0);
  step('aa', 1);
  step('aa', 2);
  step('aa', 3);
  const whole = await read('aa');
  expect([whole.cut, whole.lines.map(({ text }) => text)]).toEqual([
    false,
    ['backup waiting reason=person', 'step-0', 'step-1', 'step-2', 'step-3'],
  ]);
  for (let index = 4; index < 12; index += 1) step('aa', index);
  const later = await read('aa');
  expect([later.cut, later.lines.at(-1)?.text]).toEqual([true, 'step-11']);
  expect(later.lines.length).toBeLessThan(12);
  expect(await read('old')).toEqual({ lines: [], more: false, cut: true });
});

test('half a line, as a crash or a full disk leaves it, and a log that is not there, do no harm', async () => {
  const folder = tempFolder();
  const path = join(folder, 'holdfast.log');
  const jobs = jobLog({ log: { write: () => undefined }, path, redact: (text) => text, told: () => undefined });
  expect(await jobs.call({ job: 'aa', limit: 5 }, never)).toEqual({ lines: [], more: false, cut: true });
  const line = JSON.stringify({ time: new Date(start).toISOString(), level: 'info', event: 'backup waiting', job: 'aa' });
  writeFileSync(path, `{"time":"2026-11-27T00:00:00.000Z","level":"info","job":"aa"\n${line}\n${line.slice(0, -4)}`);
  expect((await jobs.call({ job: 'aa', limit: 5 }, never)).lines).toHaveLength(1);
});

test('a backup tells its steps: what it ran, what it stored where, and what it looked at', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'world.dat'), 'blocks');
  const steps: string[] = [];
  const world = serviceWorld({
    folder,
    servers: [
      {
        hooks: { before: [{ argv: ['save-all', 'secret'], timeoutSeconds: 5 }], afterSuccess: [], afterFailure: [], always: [] },
        quiesce: { kind: 'minecraft', rcon: { host: '127.0.0.1', port: 1, timeoutSeconds: 1 }, warnPlayersSeconds: 0 },
        keep: { last: 1 },
      },
    ],
    host: {
      onJobNote: ({ job: { server }, event, fields }) =>
        steps.push(`${server}: ${event} ${JSON.stringify(fields['command'] ?? fields['destination'] ?? '')}`),
    },
  });
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, never);
  expect((await ended).state).toBe('done');
  expect(steps.map((step) => step.replaceAll('"', '').trimEnd())).toEqual([
    ...['survival: hook save-all', 'survival: at rest', 'survival: goes on'],
    ...['survival: stored here', 'survival: looked at quickly here', 'survival: cleaned up here'],
  ]);
});
