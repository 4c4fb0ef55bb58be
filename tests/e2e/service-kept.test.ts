import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Job } from '../../main/contract/jobs.ts';
import type { ServerStatus } from '../../main/contract/server-status.ts';
import { eventAfter, ServiceHome, type RunningService } from '../support/service-process.ts';

const home = new ServiceHome();
let service: RunningService;
beforeAll(async () => {
  writeFileSync(join(home.folder, 'level.dat'), 'blocks');
  await home.setUp();
  service = await home.start();
});
afterAll(() => service.stop());

const backup = async (): Promise<Job> => (await home.json(['server', 'backup', 'survival', '--force'])) as Job;

test('the stream tells when the next run is, once a schedule is set', async () => {
  const nextRun = await eventAfter(
    service,
    () => home.json(['server', 'edit', 'survival', '--daily', '04:00', '--zone', 'UTC']),
    ({ event, data }) => (event === 'server' && data.settings.slug === 'survival' ? data.nextRun : null),
  );
  const wanted = new Date();
  wanted.setUTCHours(4, 0, 0, 0);
  if (wanted.getTime() <= Date.now()) wanted.setUTCDate(wanted.getUTCDate() + 1);
  // And up to ten minutes of its own.
  expect(nextRun - wanted.getTime()).toBeGreaterThanOrEqual(0);
  expect(nextRun - wanted.getTime()).toBeLessThanOrEqual(600_000);
  await home.json(['server', 'edit', 'survival', '--manual']);
});

test('each hook is told in its environment which job it is, of which server and folder, and how it ended', async () => {
  const out = (when: string): string => join(home.base, `hook-${when}`);
  const hook = (when: string): string => JSON.stringify(['sh', '-c', `env | grep ^HOLDFAST_ | sort > '${out(when)}'`]);
  const told = (when: string): Readonly<Record<string, string>> =>
    Object.fromEntries(
      readFileSync(out(when), 'utf8')
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  const options = ['before', 'after-success', 'after-failure', 'always'].flatMap((when) => [`--hook-${when}`, hook(when)]);
  await home.json(['server', 'edit', 'survival', ...options]);
  const { id } = await backup();
  const all = { HOLDFAST_JOB: id, HOLDFAST_SERVER: 'survival', HOLDFAST_SERVER_NAME: 'Survival', HOLDFAST_FOLDER: home.folder };
  expect(told('before')).toEqual({ ...all, HOLDFAST_RESULT: '' });
  expect(told('after-success')).toEqual({ ...all, HOLDFAST_RESULT: 'success' });
  expect(told('always')).toEqual({ ...all, HOLDFAST_RESULT: 'success' });
  expect(existsSync(out('after-failure'))).toBe(false);

  await home.json(['server', 'edit', 'survival', '--hook-before', '/bin/false', ...options.slice(2)]);
  expect((await home.run(['server', 'backup', 'survival'])).code).not.toBe(0);
  const [failed] = (await home.json(['server', 'jobs'])) as Job[];
  expect(told('after-failure')).toEqual({ ...all, HOLDFAST_JOB: failed?.id, HOLDFAST_RESULT: 'failure' });
  await home.json(['server', 'edit', 'survival', '--no-hooks']);
});

test('a state and a log that are deleted while the service runs are there again with the next job, with all that was known', async () => {
  const known = async (): Promise<readonly [ServerStatus | undefined, readonly string[]]> => {
    const [status] = (await home.json(['server', 'list'])) as ServerStatus[];
    return [status, ((await home.json(['server', 'jobs'])) as Job[]).map(({ id }) => id)];
  };
  const first = await backup();
  const [before, jobs] = await known();
  rmSync(join(home.own(), 'state.json'));
  rmSync(join(home.own(), 'log'), { recursive: true });
  const second = await backup();
  const [after, more] = await known();
  expect([more, after?.lastSuccess]).toEqual([[second.id, ...jobs], second.startedAt]);
  expect(before?.lastSuccess).toBe(first.startedAt);
  expect(await service.stop()).toMatchObject({ code: 0 });
  const kept = JSON.parse(readFileSync(join(home.own(), 'state.json'), 'utf8')) as { readonly jobs: readonly Job[] };
  expect(kept.jobs.map(({ id }) => id)).toEqual(more);
  expect(readFileSync(join(home.own(), 'log', 'holdfast.log'), 'utf8')).toContain(second.id);
  service = await home.start();
  expect((await known())[1]).toEqual(more);
});
