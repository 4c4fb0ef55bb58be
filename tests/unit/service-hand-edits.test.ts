import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { liveSettings } from '../../main/adapters/config/live-settings.ts';
import { settingsFile, type SettingsFile } from '../../main/adapters/config/settings-file.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { composeNotices } from '../../main/compose/service/compose-notices.ts';
import type { Fault } from '../../main/contract/faults.ts';
import type { Notice } from '../../main/contract/notices.ts';
import { onFreshSettings } from '../../main/compose/service/on-fresh-settings.ts';
import type { CallHandlers } from '../../main/contract/calls.ts';
import type { ServerSettings } from '../../main/contract/server-settings.ts';
import { emptySettings, settingsSchema } from '../../main/contract/settings.ts';
import { fakeClock, settle } from '../support/fake-clock.ts';
import { memorySettings } from '../support/memory-settings.ts';
import { memoryStore, server, serviceWorld, type ServiceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

const minute = 60_000;
const nightly: Pick<ServerSettings, 'schedule'> = { schedule: { kind: 'daily', at: ['23:00'] } };

interface World extends ServiceWorld {
  /** As after an edit of the file, or an import. */
  setServers(servers: readonly ServerSettings[]): void;
  readonly removed: () => number;
}

function world(...first: readonly ServerSettings[]): World {
  let servers = first;
  const inner = serviceWorld({ folder: '/nowhere', host: { servers: () => servers }, store: memoryStore(Date.UTC(2026, 10, 23)) });
  return {
    ...inner,
    setServers(now) {
      servers = now;
      inner.service.settingsChanged();
    },
    removed: () => inner.events.filter(({ event }) => event === 'server-removed').length,
  };
}

test.each([
  ['a look of the schedule later', minute],
  ['before the schedule has looked', 0],
])('a server that the file names no more is told as removed; put back %s, its next run is known again', async (_, passes) => {
  const survival = server({ folder: '/srv', ...nightly });
  const here = world(survival, server({ folder: '/srv', name: 'Lobby', slug: 'lobby' }));
  const stop = new AbortController();
  const running = here.service.run(stop.signal);
  await here.clock.untilSomebodySleeps();
  const before = here.service.status('survival').nextRun;
  expect(before).not.toBeNull();

  here.setServers([server({ folder: '/srv', name: 'Lobby', slug: 'lobby' })]);
  expect(here.events.at(-2)).toEqual({ event: 'server-removed', data: { slug: 'survival' } });
  await here.clock.advance(passes);
  here.setServers([survival]);
  expect(here.removed()).toBe(2);
  await here.clock.advance(minute);
  expect(here.service.status('survival').nextRun).toBe(before);
  stop.abort();
  await running;
});

test('its jobs are stopped, and nothing is remembered of them; its history stays', async () => {
  const survival = server({
    folder: '/srv',
    hooks: { before: [{ argv: ['wait'], timeoutSeconds: 5 }], afterSuccess: [], afterFailure: [], always: [] },
  });
  const here = world(survival);
  const begun = Promise.withResolvers<void>();
  Object.assign(here.host, {
    runHook: (_command: unknown, _environment: unknown, signal: AbortSignal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
        begun.resolve();
      }),
  });
  here.store.changeFacts('survival', { lastSuccess: 5, pausedUntil: 0 });
  const ended = here.ended('backup');
  await here.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, new AbortController().signal);
  await begun.promise;
  here.setServers([]);
  expect(await ended).toMatchObject({ state: 'cancelled' });
  await settle();
  expect(here.store.jobs()).toMatchObject([{ state: 'cancelled' }]);
  expect(here.store.facts('survival')).toMatchObject({ lastSuccess: 5, pausedUntil: 0, failures: null });
});

test('an edit by hand counts also when a call has changed something else before it was seen', async () => {
  const folder = tempFolder();
  const file = settingsFile({ folder, stateDir: () => Promise.resolve(folder), clock: systemClock });
  const destinations = { here: { settings: { provider: 'folder' as const, path: '/nas' } } };
  await file.update((all) => ({ ...all, destinations, servers: [server({ folder: '/srv' })] }));
  const clock = fakeClock();
  const live = await liveSettings({ file, clock });
  const stop = new AbortController();
  const seen = Promise.withResolvers<number>();
  const looks = live.watch(
    stop.signal,
    () => seen.resolve(live.current().servers.length),
    (fault) => expect.fail(fault.message),
  );
  await clock.untilSomebodySleeps();

  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...settingsSchema.parse(await file.read()), servers: [] }));
  await live.update((all) => ({ ...all, pauseOn: { battery: true, metered: false } }));
  await clock.advance(3_000);
  expect(await seen.promise).toBe(0);
  stop.abort();
  await looks;
});

test('a file is read again when nothing but its permissions has changed: before, it may not have been readable', async () => {
  const folder = tempFolder();
  const file = settingsFile({ folder, stateDir: () => Promise.resolve(folder), clock: systemClock });
  await file.update((all) => ({ ...all, pauseOn: { battery: true, metered: false } }));
  const text = readFileSync(file.path);
  const clock = fakeClock();
  const live = await liveSettings({ file, clock });
  const stop = new AbortController();
  let told = 0;
  const looks = live.watch(
    stop.signal,
    () => undefined,
    () => (told += 1),
  );
  await clock.untilSomebodySleeps();
  const { atime, mtime } = statSync(file.path);
  // What cannot be read stands for one that may not be: root may read all.
  writeFileSync(file.path, Buffer.alloc(text.length, 'x'));
  utimesSync(file.path, atime, mtime);
  await live.refresh();
  expect([told, live.problem() === '']).toEqual([1, false]);
  writeFileSync(file.path, text);
  utimesSync(file.path, atime, mtime);
  await live.refresh();
  expect([told, live.problem()]).toEqual([1, '']);
  stop.abort();
  await looks;
});

/** A settings file as it stands, and a service that began with something else before. */
async function told(text: string, lastUsed: object): Promise<{ readonly fault: Fault; readonly servers: number }> {
  const folder = tempFolder();
  const file = settingsFile({ folder, stateDir: () => Promise.resolve(folder), clock: systemClock });
  writeFileSync(file.path, text);
  const kept = join(folder, 'settings.json');
  writeFileSync(kept, JSON.stringify({ version: 1, ...lastUsed }));
  const live = await liveSettings({ file, clock: fakeClock(), lastUsed: kept });
  const stop = new AbortController();
  const fault = await new Promise<Fault>((settled) => void live.watch(stop.signal, () => undefined, settled).catch(() => undefined));
  stop.abort();
  return { fault, servers: live.current().servers.length };
}

test('what a person is told to do is what helps: a newer file is not to be corrected', async () => {
  const { fault } = await told(JSON.stringify({ version: 2 }), {});
  const notices: Notice[] = [];
  const notifier = composeNotices({
    ...{
      clock: fakeClock(),
      store: memoryStore(0),
      log: { write: () => undefined },
      keychain: () => Promise.reject(new Error('not asked')),
    },
    ...{ settings: memorySettings({}).host.settings, deliver: () => Promise.resolve() },
    emit: (event) => {
      if (event.event === 'notice') notices.push(event.data);
    },
  });
  notifier.settingsProblem(fault);
  expect(notices).toMatchObject([
    {
      text: expect.stringContaining('newer Holdfast') as string,
      next: expect.stringMatching(/^Use the newer version.*Until then/) as string,
    },
  ]);
});

test('what was in use holds on where this version finds more wrong with it than the one that used it', async () => {
  const { fault, servers } = await told('{', { servers: [server({ folder: 'rel/x' })] });
  expect([fault.message, servers]).toEqual([expect.stringContaining('line 1'), 1]);
});

test('a call goes by what the file says when it is made, and who watches is told', async () => {
  const folder = tempFolder();
  const file = settingsFile({ folder, stateDir: () => Promise.resolve(folder), clock: systemClock });
  const clock = fakeClock();
  const live = await liveSettings({ file, clock });
  const stop = new AbortController();
  let changes = 0;
  const looks = live.watch(
    stop.signal,
    () => (changes += 1),
    ({ message }) => expect.fail(message),
  );
  await clock.untilSomebodySleeps();
  const calls = onFreshSettings(live, {
    'servers.list': () => Promise.resolve(live.current().servers.map(({ slug }) => slug)),
  } as unknown as CallHandlers);

  // As another process does, with the watch still asleep.
  const destinations = { here: { settings: { provider: 'folder' as const, path: '/nas' } } };
  await file.update((all) => ({ ...all, destinations, servers: [server({ folder: '/srv' })] }));
  expect(await calls['servers.list']({}, stop.signal)).toEqual(['survival']);
  expect(changes).toBe(1);
  stop.abort();
  await looks;
});

test('what a look has read does not take the place of what a call wrote meanwhile', async () => {
  const path = join(tempFolder(), 'config.json');
  const [reading, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let content = emptySettings;
  const file: SettingsFile = {
    path,
    async read() {
      const read = content;
      if (existsSync(path)) {
        reading.resolve();
        await goOn.promise;
      }
      return read;
    },
    update: (change) => Promise.resolve((content = change(content))),
    alone: (work) => work(content),
  };
  const live = await liveSettings({ file, clock: fakeClock() });
  writeFileSync(path, 'changed');
  const look = live.refresh();
  await reading.promise;
  const update = live.update((all) => ({ ...all, servers: [server({ folder: '/srv' })] }));
  await settle();
  goOn.resolve();
  await Promise.all([look, update]);
  expect(live.current().servers).toHaveLength(1);
});
