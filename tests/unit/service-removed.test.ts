import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { openStateFile } from '../../main/adapters/state/state-file.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { Job } from '../../main/contract/jobs.ts';
import { rconPasswordOf } from '../../main/contract/secret-names.ts';
import type { ServerSettings } from '../../main/contract/server-settings.ts';
import { settingsSchema, type Settings } from '../../main/contract/settings.ts';
import { serverCalls, type ServerCalls } from '../../main/engine/service/server-calls.ts';
import type { SettingsHost } from '../../main/engine/service/settings-ports.ts';
import { fakeClock, settle } from '../support/fake-clock.ts';
import { server, serviceWorld, type ServiceWorld, type ServiceWorldOptions } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

let folder = '';
beforeEach(() => {
  folder = tempFolder();
  writeFileSync(join(folder, 'world.dat'), 'blocks');
});

const anyway = new AbortController().signal;
const unit = (name: string): Pick<ServerSettings, 'quiesce'> => ({ quiesce: { kind: 'systemd', unit: name, user: false } });
const rcon = (port: number): Pick<ServerSettings, 'quiesce'> => ({
  quiesce: { kind: 'minecraft', rcon: { host: '127.0.0.1', port, timeoutSeconds: 1 }, warnPlayersSeconds: 0 },
});
const backup = { slug: 'survival', force: true, takeOver: false };

interface World extends ServiceWorld {
  readonly calls: ServerCalls;
  /** In order: what each adapter was told, with what it was opened for, and what the keychain was told. */
  readonly log: string[];
  /** What the console says to being told to go on. */
  resume: () => Promise<void>;
  pause: (signal: AbortSignal) => Promise<void>;
}

/** The service with settings that the calls change, as on a computer. */
function world(first: readonly Partial<ServerSettings>[], options: Partial<ServiceWorldOptions> = {}): World {
  const log: string[] = [];
  const destinations = { here: { settings: { provider: 'folder', path: '/backups' } } };
  let settings: Settings = settingsSchema.parse({ version: 1, destinations, servers: first.map((more) => server({ folder, ...more })) });
  const made: Pick<World, 'resume' | 'pause'> = { resume: () => Promise.resolve(), pause: () => Promise.resolve() };
  const inner = serviceWorld({
    folder,
    ...options,
    host: {
      servers: () => settings.servers,
      quiesce: ({ quiesce }) => {
        const of = quiesce.kind === 'systemd' ? quiesce.unit : quiesce.kind === 'minecraft' ? String(quiesce.rcon.port) : quiesce.kind;
        return Promise.resolve({
          async pause(signal) {
            log.push(`pause ${of}`);
            await made.pause(signal);
          },
          async resume() {
            await made.resume();
            log.push(`resume ${of}`);
          },
        });
      },
      forgetSecrets: (slug) => Promise.resolve(void log.push(`forget ${slug}`)),
    },
  });
  const set = (secrets: Readonly<Record<string, string | null>>): Promise<void> => {
    for (const [name, value] of Object.entries(secrets)) log.push(`${value === null ? 'removed' : 'set'} ${name}`);
    return Promise.resolve();
  };
  const host = {
    settings: {
      current: () => settings,
      update: (change: (all: Settings) => Settings) => Promise.resolve((settings = change(settings))),
    },
    keychain: () => Promise.resolve({ set }),
    folderProblem: () => Promise.resolve(null),
    realPlace: (path: string) => Promise.resolve(path),
  };
  return Object.assign(made, inner, { log, calls: serverCalls(host as unknown as SettingsHost, inner.service, inner.store) });
}

/** A backup whose server could not be told to go on. */
async function leftAtRest(here: World): Promise<void> {
  here.resume = () => Promise.reject(new Fault('unavailable', 'nobody answers'));
  const ended = here.ended('backup');
  await here.service.calls['backup.start'](backup, anyway);
  await ended;
  await settle();
  here.log.length = 0;
}

test('what was brought to rest goes on as it was brought there, whatever the settings say by then', async () => {
  const here = world([unit('a.service')]);
  await leftAtRest(here);
  await here.calls['server.edit']({ server: server({ folder, quiesce: { kind: 'none' } }), makeFolder: false }, anyway);
  await here.service.letGoOn();
  expect(here.store.resting()).toHaveLength(1);
  here.resume = () => Promise.resolve();
  await here.service.letGoOn();
  expect([here.log, here.store.resting()]).toEqual([['resume a.service'], []]);
});

test('another password is kept once the console that it was not made for has been told to go on', async () => {
  const here = world([rcon(1)]);
  await leftAtRest(here);
  here.resume = () => Promise.resolve();
  await here.calls['server.edit']({ server: server({ folder, ...rcon(2) }), rconPassword: 'new', makeFolder: false }, anyway);
  expect(here.log).toEqual(['resume 1', `set ${rconPasswordOf('survival')}`]);
});

test('a server that is removed at rest is told to go on at the next start, and only then its password is forgotten', async () => {
  const path = join(tempFolder(), 'state.json');
  const open = () =>
    openStateFile({ path, restingPath: `${path}.at-rest`, clock: fakeClock(), onProblem: (message) => expect.fail(message) });
  const before = await open();
  const first = world([rcon(1)], { store: Object.assign(before, { puts: [] }) });
  await leftAtRest(first);
  await first.calls['server.remove']({ slug: 'survival' }, anyway);
  expect(first.log).toEqual([]);
  await before.flush();

  const after = await open();
  const second = world([], { store: Object.assign(after, { puts: [] }) });
  const stop = new AbortController();
  const running = second.service.run(stop.signal);
  stop.abort();
  await running;
  expect([second.log, after.resting()]).toEqual([['resume 1', 'forget survival'], []]);
});

test('a server that is removed at rest is told to go on at once, also where the service does not run', async () => {
  const here = world([rcon(1)]);
  await leftAtRest(here);
  here.resume = () => Promise.resolve();
  await here.calls['server.remove']({ slug: 'survival' }, anyway);
  expect([here.log, here.store.resting()]).toEqual([['resume 1', 'forget survival'], []]);
});

test('one that was taken out of the settings by hand while it was at rest goes on, at once or at the next start', async () => {
  const path = join(tempFolder(), 'state.json');
  const open = () =>
    openStateFile({ path, restingPath: `${path}.at-rest`, clock: fakeClock(), onProblem: (message) => expect.fail(message) });
  const before = await open();
  let servers: readonly ServerSettings[] = [server({ folder, ...unit('a.service') })];
  const first = world([unit('a.service')], { store: Object.assign(before, { puts: [] }) });
  Object.assign(first.host, { servers: () => servers });
  const atRest = Promise.withResolvers<void>();
  first.pause = (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Fault('cancelled', 'cancelled')), { once: true });
      atRest.resolve();
    });
  const ended = first.ended('backup');
  await first.service.calls['backup.start'](backup, anyway);
  await atRest.promise;
  servers = [];
  first.service.settingsChanged();
  expect((await ended).state).toBe('cancelled');
  expect([first.log, before.resting()]).toEqual([['pause a.service', 'resume a.service'], []]);

  // What a killed process left, of a server that nobody knows any more.
  await before.setResting([{ slug: 'survival', name: 'Survival', ...unit('b.service'), removed: false }]);
  await before.flush();
  const after = await open();
  const second = world([], { store: Object.assign(after, { puts: [] }) });
  const stop = new AbortController();
  const running = second.service.run(stop.signal);
  stop.abort();
  await running;
  expect([second.log, after.resting()]).toEqual([['resume b.service'], []]);
  await after.flush();
});

test('another of its name that is added lets the one before go on first, with the password that its console has', async () => {
  const here = world([rcon(1)]);
  await leftAtRest(here);
  await here.calls['server.remove']({ slug: 'survival' }, anyway);
  here.resume = () => Promise.resolve();
  await here.calls['server.add']({ server: server({ folder, ...rcon(2) }), rconPassword: 'new', makeFolder: false }, anyway);
  expect(here.log).toEqual(['resume 1', 'forget survival', `set ${rconPasswordOf('survival')}`]);
});

test('one that is not at rest is removed with its password at once', async () => {
  const here = world([rcon(1)]);
  await here.calls['server.remove']({ slug: 'survival' }, anyway);
  expect(here.log).toEqual([`removed ${rconPasswordOf('survival')}`]);
});

test('a removal stops the jobs: the running one lets the server go on, and nothing of them is kept', async () => {
  const here = world([rcon(1)]);
  const atRest = Promise.withResolvers<void>();
  here.pause = (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Fault('cancelled', 'cancelled')), { once: true });
      atRest.resolve();
    });
  await here.service.calls['backup.start'](backup, anyway);
  const { job: waiting } = await here.service.calls['backup.start'](backup, anyway);
  await atRest.promise;
  const [one, other] = [here.ended('backup'), here.ended('backup')];
  await here.calls['server.remove']({ slug: 'survival' }, anyway);
  expect([(await one).state, (await other).state]).toEqual(['cancelled', 'cancelled']);
  await settle();
  expect(here.log).toEqual(['pause 1', 'resume 1', 'forget survival']);
  expect([here.store.jobs(), here.store.resting()]).toEqual([[], []]);
  expect(here.events.filter(({ event, data }) => event === 'job' && data.id === waiting).length).toBeGreaterThan(1);
});

test('another server of the same name begins anew, also while a job of the one before comes to its end', async () => {
  const here = world([{ ...rcon(1), folder: join(folder, 'nowhere') }]);
  const failed = here.ended('backup');
  await here.service.calls['backup.start'](backup, anyway);
  await failed;
  await settle();
  expect(here.service.status('survival').state).toBe('failed');

  // One that ends well although it was told to stop: it was past that.
  const go = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const verify = here.ended('verify');
  const { engine } = here.host;
  Object.assign(here.host, {
    engine: {
      ...engine,
      verify: async () => {
        begun.resolve();
        await go.promise;
        return { snapshots: [], damage: [], warnings: [] };
      },
    },
  });
  await here.service.calls['verify.start']({ slug: 'survival', destination: 'here', snapshot: 'latest', quick: false }, anyway);
  await begun.promise;
  await here.calls['server.remove']({ slug: 'survival' }, anyway);
  await here.calls['server.add']({ server: server({ folder }), makeFolder: false }, anyway);
  go.resolve();
  expect(await verify).toMatchObject<Partial<Job>>({ state: 'done' });
  await settle();
  expect(here.service.status('survival')).toMatchObject({ state: 'new', last: null, running: null, lastVerified: null });
  expect([here.store.facts('survival').checks, here.store.facts('survival').failures, here.store.jobs()]).toEqual([{}, null, []]);
});
