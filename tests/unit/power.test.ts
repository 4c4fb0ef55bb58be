import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { powerState } from '../../main/adapters/system/power.ts';
import { emptySettings } from '../../main/contract/settings.ts';
import { powerWatch } from '../../main/compose/service/power-watch.ts';
import { fakeClock, settle } from '../support/fake-clock.ts';
import { memoryStore, serviceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

type Supply = Readonly<Record<string, string>>;

function supplies(all: Readonly<Record<string, Supply>>): string {
  const folder = tempFolder();
  for (const [name, files] of Object.entries(all)) {
    mkdirSync(join(folder, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), `${text}\n`);
  }
  return folder;
}

const none = (): Promise<string> => Promise.reject(new Error('no bus'));

test.each([
  ['a laptop at the mains', { AC: { type: 'Mains', online: '1' }, BAT0: { type: 'Battery', status: 'Charging' } }, false],
  ['a laptop without', { AC: { type: 'Mains', online: '0' }, BAT0: { type: 'Battery', status: 'Discharging' } }, true],
  ['one that charges over USB', { ucsi: { type: 'USB', online: '1' }, BAT0: { type: 'Battery', status: 'Discharging' } }, false],
  ['a desktop with a wireless mouse', { hid: { type: 'Battery', scope: 'Device', status: 'Discharging' } }, false],
  ['a computer that tells nothing', {}, null],
] as const)('%s', async (_what, all: Readonly<Record<string, Supply>>, onBattery) => {
  expect(await powerState({ supplies: supplies(all), busctl: none })).toEqual({ onBattery, onMetered: null });
});

test('the line is metered as NetworkManager says', async () => {
  const said = (text: string): Promise<boolean | null> =>
    powerState({ supplies: '/nonexistent', busctl: () => Promise.resolve(text) }).then(({ onMetered }) => onMetered);
  expect(await Promise.all(['u 0', 'u 1', 'u 2', 'u 3', 'u 4', 'nonsense'].map(said))).toEqual([null, true, false, true, false, null]);
});

test('it is looked at only where the settings ask for it, and told when it changes', async () => {
  const clock = fakeClock();
  let [looks, onBattery, changes] = [0, false, 0];
  let pauseOn = { battery: false, metered: false };
  const power = powerWatch({
    clock,
    settings: { current: () => ({ ...emptySettings, pauseOn }) },
    onChange: () => (changes += 1),
    onProblem: (message) => expect.fail(message),
    state: () => {
      looks += 1;
      return Promise.resolve({ onBattery, onMetered: null });
    },
  });
  const end = new AbortController();
  const watching = power.watch(end.signal);
  await clock.advance(60_000);
  expect([looks, power.held()]).toEqual([0, null]);
  pauseOn = { battery: true, metered: true };
  onBattery = true;
  await clock.advance(30_000);
  expect([power.held()?.includes('battery'), changes]).toEqual([true, 1]);
  onBattery = false;
  await clock.advance(30_000);
  expect([power.held(), changes]).toEqual([null, 2]);
  end.abort();
  await watching;
});

test('a schedule that is held starts nothing and says so; what was due is made up for once', async () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'world.dat'), 'blocks');
  let held: string | null = 'On battery.';
  const world = serviceWorld({
    folder,
    servers: [{ schedule: { kind: 'every', hours: 1, minute: 0 }, verify: 'never', drill: 'never' }],
    host: { held: () => held },
  });
  const end = new AbortController();
  const running = world.service.run(end.signal);
  await settle();
  await world.clock.advance(5 * 3_600_000);
  expect([world.store.puts.length, world.service.status('survival').state, world.service.status('survival').why]).toEqual([
    0,
    'paused',
    'On battery.',
  ]);
  held = null;
  const ended = world.ended('backup');
  await world.clock.advance(60_000);
  expect(await ended).toMatchObject({ state: 'done', reason: 'catch-up' });
  end.abort();
  await running;
  expect(new Set(world.store.puts.map(({ id }) => id)).size).toBe(1);
});

test.each([
  ['at the start', 0],
  ['when the computer wakes', 10],
])('on battery nothing is started %s, before anybody has seen so', async (_, hoursAsleep) => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'world.dat'), 'blocks');
  const store = memoryStore(Date.UTC(2026, 10, 23, 12));
  let onBattery = hoursAsleep === 0;
  const asked: boolean[] = [];
  const world = serviceWorld({
    ...{ folder, store, now: Date.UTC(2026, 10, 23, 21, 59) },
    servers: [{ schedule: { kind: 'daily', at: ['21:58'] }, verify: 'never', drill: 'never' }],
    // What the watch sees by itself comes too late: it looks each 30 s, as the schedule does.
    host: { held: () => power.held(), lookHeld: () => power.look() },
  });
  const { service, clock } = world;
  const power = powerWatch({
    clock,
    settings: { current: () => ({ ...emptySettings, pauseOn: { battery: true, metered: false } }) },
    onChange: () => service.settingsChanged(),
    onProblem: (message) => expect.fail(message),
    async state() {
      asked.push(onBattery);
      await settle();
      return { onBattery, onMetered: null };
    },
  });
  if (hoursAsleep > 0) store.changeFacts('survival', { lastSuccess: clock.now() });
  const end = new AbortController();
  const running = service.run(end.signal);
  await settle();
  await clock.advance(2 * 60_000);
  clock.jump(hoursAsleep * 3 * 3_600_000);
  onBattery = true;
  await clock.advance(10 * 60_000);
  await settle();
  expect([asked.at(-1), world.store.jobs(), service.status('survival').state]).toEqual([true, [], 'paused']);
  onBattery = false;
  await power.look();
  const ended = world.ended('backup');
  await clock.advance(60_000);
  expect(await ended).toMatchObject({ state: 'done' });
  end.abort();
  await running;
});
