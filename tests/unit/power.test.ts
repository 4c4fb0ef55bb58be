import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { powerState } from '../../main/adapters/system/power.ts';
import { emptySettings } from '../../main/contract/settings.ts';
import { powerWatch } from '../../main/compose/service/power-watch.ts';
import { fakeClock, settle } from '../support/fake-clock.ts';
import { serviceWorld } from '../support/service-world.ts';
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
    state: () => {
      looks += 1;
      return Promise.resolve({ onBattery, onMetered: null });
    },
  });
  const end = new AbortController();
  const watching = power.watch(end.signal, () => (changes += 1));
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
