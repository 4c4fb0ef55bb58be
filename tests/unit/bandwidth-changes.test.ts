import { writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { liveSettings } from '../../main/adapters/config/live-settings.ts';
import { settingsFile } from '../../main/adapters/config/settings-file.ts';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { runBandwidth, type BandwidthRun } from '../../main/engine/service/bandwidth.ts';
import { noticeCalls, type NoticeCalls } from '../../main/engine/service/notice-calls.ts';
import type { SettingsHost } from '../../main/engine/service/settings-ports.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { bandwidth } from '../../main/engine/storage/layers/bandwidth.ts';
import { stack } from '../../main/engine/storage/stack.ts';
import { patterned, put } from '../conformance/suite-support.ts';
import { fakeClock, settle, type FakeClock } from '../support/fake-clock.ts';
import { tempFolder } from '../support/temp-folder.ts';

const anyway = new AbortController().signal;
const off = { limit: 'off', whilePlayers: 'off' };

interface World {
  readonly clock: FakeClock;
  readonly calls: NoticeCalls;
  readonly backend: Backend;
  readonly path: string;
}

/** A service's limits over its real settings, on a clock that stands still, with a transfer through them. */
async function world(first: typeof off, players: BandwidthRun['players'] = () => Promise.resolve(null)): Promise<World> {
  const folder = tempFolder();
  const file = settingsFile({ folder, stateDir: () => Promise.resolve(folder), clock: systemClock });
  await file.update((all) => ({ ...all, bandwidth: first }));
  const clock = fakeClock();
  const live = await liveSettings({ file, clock });
  const limiter = bandwidth({ clock });
  const stop = new AbortController();
  const looks = live.watch(
    stop.signal,
    () => undefined,
    (fault) => expect.fail(fault.message),
  );
  const limits = runBandwidth({
    ...{ clock, limiter, players, signal: stop.signal, settings: live, zone: 'UTC', running: () => ['survival'] },
  });
  await settle();
  onTestFinished(async () => {
    stop.abort();
    await Promise.all([looks, limits]);
  });
  const calls = noticeCalls({ settings: live } as unknown as SettingsHost, clock, {
    problemOf: () => '',
    forgetProblem: () => undefined,
  });
  return { clock, calls, backend: stack(memoryBackend(), limiter.layer), path: file.path };
}

/** A part that waits for a debt of days. Nothing but another limit ends it: the clock stands still. */
async function held({ backend, clock }: World): Promise<{ readonly goes: Promise<unknown> }> {
  // The first second fills the bucket.
  await clock.advance(1_000);
  await put(backend, 'first', patterned(1_000_000));
  const goes = put(backend, 'second', patterned(10));
  await settle();
  expect(Math.max(...clock.sleepers())).toBeGreaterThan(clock.now() + 86_400_000);
  return { goes };
}

test('a limit that a call lifts is off at once for what waits for it', async () => {
  const here = await world({ ...off, limit: '1B' });
  const { goes } = await held(here);
  await here.calls['bandwidth.set'](off, anyway);
  expect(await goes).toMatchObject({ size: 10 });
});

test('a limit that a call sets holds the next part', async () => {
  const here = await world(off);
  await put(here.backend, 'before', patterned(1_000_000));
  await here.calls['bandwidth.set']({ ...off, limit: '1B' }, anyway);
  await settle();
  const { goes } = await held(here);
  await here.calls['bandwidth.set'](off, anyway);
  await goes;
});

test('so does an edit of the file, when it is seen', async () => {
  const here = await world({ ...off, limit: '1B' });
  const { goes } = await held(here);
  writeFileSync(here.path, JSON.stringify({ version: 1, bandwidth: off }));
  // Until the file is looked at, which is on the real disk.
  const wait = here.clock.advance(3_000);
  expect(await goes).toMatchObject({ size: 10 });
  await wait;
});

test('a console that does not answer for its players holds up no change', async () => {
  const asked = Promise.withResolvers<void>();
  const players: BandwidthRun['players'] = (_slug, signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('cut')), { once: true });
      asked.resolve();
    });
  const here = await world({ limit: '2B', whilePlayers: '1B' }, players);
  const { goes } = await held(here);
  await here.calls['bandwidth.set']({ limit: 'off', whilePlayers: '1M' }, anyway);
  await asked.promise;
  expect(await goes).toMatchObject({ size: 10 });
});
