import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStateFile } from '../../main/adapters/state/state-file.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';
import type { Job } from '../../main/contract/jobs.ts';
import { jobQueue } from '../../main/engine/service/job-queue.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('what a person asks for goes before what waits and came by itself, and never into what runs', async () => {
  const folder = tempFolder();
  const problems: string[] = [];
  const onProblem = (message: string): void => void problems.push(message);
  const paths = { path: join(folder, 'state.json'), restingPath: join(folder, 'at-rest.json') };
  const store = await openStateFile({ ...paths, clock: systemClock, onProblem });
  const queue = jobQueue({ clock: systemClock, random: systemRandom, store, atOnce: 4, onJob: () => undefined });
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const add = (name: string, kind: Job['kind'], reason: Job['reason'], server = 'survival'): Promise<Job> =>
    queue.add({
      ...{ kind, server, destination: 'nas', reason },
      async work() {
        order.push(name);
        if (name === 'first') begun.resolve();
        if (name === 'first') await gate.promise;
        return {};
      },
    }).ended;
  const all = [add('first', 'verify', 'follow-up')];
  await begun.promise;
  all.push(add('drill', 'drill', 'follow-up'), add('restore', 'restore', 'person'), add('later', 'backup', 'schedule'));
  all.push(add('backup', 'backup', 'person'));
  await add('other', 'backup', 'schedule', 'creative');
  expect(order).toEqual(['first', 'other']);
  gate.resolve();
  expect((await Promise.all(all)).map(({ state }) => state)).toEqual(Array(5).fill('done'));
  expect(order).toEqual(['first', 'other', 'restore', 'backup', 'drill', 'later']);
  await queue.close();
  await store.flush();
  expect(problems).toEqual([]);
});
