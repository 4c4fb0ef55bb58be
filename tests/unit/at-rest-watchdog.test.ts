import { afterEach, expect, test } from 'vitest';
import { minecraftQuiesce } from '../../main/adapters/quiesce/rcon-quiesce.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import type { Warning } from '../../main/contract/reports.ts';
import { atRest } from '../../main/engine/service/at-rest.ts';
import type { JobRun } from '../../main/engine/service/job-queue.ts';
import type { Quiesce, ServiceHost } from '../../main/engine/service/ports.ts';
import { fakeClock, settle } from '../support/fake-clock.ts';
import { startRconServer, type RconServer } from '../support/rcon-server.ts';
import { memoryStore, server } from '../support/service-world.ts';

const hour = 3_600_000;

/** A backup that is still at work, of a server that was brought to rest for it; `stop` cancels it. */
async function longBackup(console?: Quiesce) {
  const clock = fakeClock();
  const store = memoryStore(clock.now());
  const told: string[] = [];
  const noted: string[] = [];
  const warnings: Warning[] = [];
  const work = Promise.withResolvers<string>();
  const begun = Promise.withResolvers<void>();
  const quiesce: ServiceHost['quiesce'] = () =>
    Promise.resolve(
      console ?? {
        pause: () => Promise.resolve(void told.push('pause')),
        resume: () => Promise.resolve(void told.push('resume')),
      },
    );
  const host: Pick<ServiceHost, 'clock' | 'store' | 'quiesce'> = { clock, store, quiesce };
  const stop = new AbortController();
  const note: JobRun['note'] = (event) => void noted.push(event);
  const run: JobRun = { id: 'a', signal: stop.signal, onProgress: () => undefined, found: () => undefined, note };
  const paused = server({ folder: '/srv', quiesce: { kind: 'systemd', unit: 'game', user: false } });
  const ended = atRest(host as ServiceHost, paused, run, warnings, () => {
    begun.resolve();
    return work.promise;
  });
  await begun.promise;
  return { clock, store, told, noted, warnings, work, ended, stop };
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

const minute = 60_000;
const opened: RconServer[] = [];
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

/** A game that answers the first so many `save-on` with an error, and what brings it to rest. */
async function forgetfulGame(errors: number) {
  const game = await startRconServer('correct horse');
  opened.push(game);
  const saves = Promise.withResolvers<void>();
  let asked = 0;
  game.reply = (command) => {
    if (command !== 'save-on') return undefined;
    if (asked++ < errors) return 'An unexpected error occurred trying to execute that command';
    saves.resolve();
    return undefined;
  };
  const rcon = { host: '127.0.0.1', port: game.port, timeoutSeconds: 20 };
  const quiesce = minecraftQuiesce({ kind: 'minecraft', rcon, warnPlayersSeconds: 0 }, { clock: systemClock, password: 'correct horse' });
  return { game, quiesce, saves: saves.promise };
}

test.each(['cancelled', 'longer than two hours'])(
  'a game that answers with an error is told again each minute, while the backup that is %s still hangs',
  async (how) => {
    const { game, quiesce, saves } = await forgetfulGame(2);
    const { clock, store, noted, warnings, work, ended, stop } = await longBackup(quiesce);
    if (how === 'cancelled') stop.abort();
    else await clock.advance(2 * hour);
    for (let tries = 0; tries < 2; tries++) {
      while (!clock.sleepers().includes(clock.now() + minute)) await new Promise((go) => setImmediate(go));
      expect([game.saving, warnings.map(({ code }) => code)]).toEqual([false, expect.arrayContaining(['quiesce-resume'])]);
      await clock.advance(minute);
    }
    await saves;
    expect(game.saving).toBe(true);
    // Once in the log, not each minute.
    expect(noted).toEqual(['at rest', 'not told to go on']);
    work.resolve('stored');
    expect(await ended).toBe('stored');
    expect([store.resting(), game.done.filter((command) => command === 'save-on').length]).toEqual([[], 3]);
    expect(warnings.at(-1)).toEqual({ code: 'quiesce', message: 'Survival went on only at a later try' });
  },
);
