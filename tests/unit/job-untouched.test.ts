import { expect, test } from 'vitest';
import { Fault } from '../../main/contract/faults.ts';
import type { Job } from '../../main/contract/jobs.ts';
import { jobQueue, type JobOrder } from '../../main/engine/service/job-queue.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { memoryStore } from '../support/service-world.ts';

type Phase = NonNullable<Job['progress']>['phase'];

/** How a job ends that came as far as this and then fails. */
async function failing(kind: Job['kind'], ...phases: readonly Phase[]): Promise<Job> {
  const queue = jobQueue({
    ...{ clock: fakeClock(), store: memoryStore(0), atOnce: 1, onJob: () => undefined },
    random: { bytes: (count) => new Uint8Array(count) },
  });
  const order: JobOrder = {
    ...{ kind, server: 'survival', destination: 'nas', reason: 'person' },
    async work({ onProgress }) {
      for (const phase of phases) onProgress({ phase, files: 0, bytes: 0, totalFiles: null, totalBytes: null, storedBytes: 0 });
      throw new Fault('corrupt', 'that did not go well', { operation: kind });
    },
  };
  return await queue.add(order).ended;
}

test('a restore that ended before its swap says that nothing was touched; one that ended in it does not', async () => {
  expect(await failing('restore')).toMatchObject({ state: 'failed', untouched: true });
  expect(await failing('restore', 'download')).toMatchObject({ state: 'failed', untouched: true });
  expect((await failing('restore', 'download', 'swap')).untouched).toBeUndefined();
  expect((await failing('backup', 'scan')).untouched).toBeUndefined();
});
