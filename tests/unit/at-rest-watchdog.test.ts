import { expect, test } from 'vitest';
import type { Warning } from '../../main/contract/reports.ts';
import { atRest } from '../../main/engine/service/at-rest.ts';
import type { JobRun } from '../../main/engine/service/job-queue.ts';
import type { ServiceHost } from '../../main/engine/service/ports.ts';
import { fakeClock, settle } from '../support/fake-clock.ts';
import { memoryStore, server } from '../support/service-world.ts';

const hour = 3_600_000;

/** A backup that is still at work, of a server that was brought to rest for it; `stop` cancels it. */
async function longBackup() {
  const clock = fakeClock();
  const store = memoryStore(clock.now());
  const told: string[] = [];
  const warnings: Warning[] = [];
  const work = Promise.withResolvers<string>();
  const begun = Promise.withResolvers<void>();
  const quiesce: ServiceHost['quiesce'] = () =>
    Promise.resolve({
      pause: () => Promise.resolve(void told.push('pause')),
      resume: () => Promise.resolve(void told.push('resume')),
    });
  const host: Pick<ServiceHost, 'clock' | 'store' | 'quiesce'> = { clock, store, quiesce };
  const stop = new AbortController();
  const run: JobRun = { id: 'a', signal: stop.signal, onProgress: () => undefined, found: () => undefined, note: () => undefined };
  const paused = server({ folder: '/srv', quiesce: { kind: 'systemd', unit: 'game', user: false } });
  const ended = atRest(host as ServiceHost, paused, run, warnings, () => {
    begun.resolve();
    return work.promise;
  });
  await begun.promise;
  return { clock, store, told, warnings, work, ended, stop };
}

test('a server is kept at rest for two hours at most; the backup goes on, and says so', async () => {
  const { clock, store, told, warnings, work, ended } = await longBackup();
  await clock.advance(2 * hour - 1);
  expect([told, warnings, store.resting().length]).toEqual([['pause'], [], 1]);
  await clock.advance(1);
  await settle();
  expect([told, warnings.map(({ code }) => code)]).toEqual([['pause', 'resume'], ['quiesce']]);
  work.resolve('stored');
  expect(await ended).toBe('stored');
  // Somebody may have stopped it on purpose since: it is not started twice.
  expect([told, store.resting()]).toEqual([['pause', 'resume'], []]);
});

test('one that ends in time is let go on then, and never again', async () => {
  const { clock, told, warnings, work, ended } = await longBackup();
  await clock.advance(hour);
  work.resolve('stored');
  await ended;
  await clock.advance(3 * hour);
  await settle();
  expect([told, warnings]).toEqual([['pause', 'resume'], []]);
});

test('a cancelled one lets it go on at once, while the backup still clears up behind itself', async () => {
  const { store, told, work, ended, stop } = await longBackup();
  stop.abort();
  await settle();
  expect([told, store.resting().length]).toEqual([['pause', 'resume'], 1]);
  work.reject(new Error('cancelled'));
  await expect(ended).rejects.toThrow('cancelled');
  expect([told, store.resting()]).toEqual([['pause', 'resume'], []]);
});
