import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { languageOf, wordsIn } from '../../main/contract/app-words.ts';
import { serverStates, type ServerState, type ServerStatus } from '../../main/contract/server-status.ts';
import { isSafe, needsYou, statusLine, trayStates, worstOf } from '../../main/contract/standing.ts';
import type { ThemePort } from '../../main/electron/ports.ts';
import { menuOf, trayImage, type MenuActions } from '../../main/electron/tray.ts';
import { runningJob, stagedServers } from '../support/page/staged-service.ts';

const some = stagedServers[0] as ServerStatus;
const of = (...states: readonly ServerState[]): ServerStatus[] =>
  states.map((state, index) => ({
    ...{ ...some, state, settings: { ...some.settings, name: `Server ${index}`, slug: `server-${index}` } },
    lastSuccess: state === 'new' ? null : 1,
    pausedUntil: state === 'paused' ? 0 : null,
  }));
const { en, de } = wordsIn;

describe('the worst state wins', () => {
  const order: readonly (readonly [ServerState, string])[] = [
    ['failed', 'failed'],
    ['sign-in-needed', 'sign-in'],
    ['overdue', 'late'],
    ['late', 'late'],
    ['running', 'running'],
    ['paused', 'paused'],
    ['new', 'paused'],
    ['ok', 'ok'],
  ];

  test('every state of a server has its icon', () => {
    expect(order.map(([state]) => state).sort()).toEqual([...serverStates].sort());
  });

  test.each(order)('%s is shown as %s, whatever less is beside it', (state, shown) => {
    const lesser = order.slice(order.findIndex(([one]) => one === state)).map(([one]) => one);
    expect(worstOf(of(...lesser.reverse()))).toBe(shown);
  });

  test('no server at all is well', () => {
    expect(worstOf([])).toBe('ok');
  });
});

test.each([
  [null, 'starting', 'startet'],
  [[], 'nothing is backed up yet', 'noch wird nichts gesichert'],
  [of('ok'), 'your server is safe', 'dein Server ist gesichert'],
  [of('ok', 'ok'), 'all 2 are safe', 'alle 2 sind gesichert'],
  [of('new'), 'not backed up yet', 'noch nicht gesichert'],
  [of('ok', 'new'), '1 of 2 not backed up yet', '1 von 2 noch nicht gesichert'],
  [of('paused', 'new'), '1 of 2 paused', '1 von 2 pausiert'],
  [of('failed', 'ok'), '1 of 2 needs you', '1 von 2 braucht dich'],
  [of('failed', 'sign-in-needed', 'ok', 'late'), '2 of 4 need you', '2 von 4 brauchen dich'],
  [of('sign-in-needed'), '1 of 1 needs you', '1 von 1 braucht dich'],
  [of('late', 'overdue', 'running'), '1 of 3 needs you', '1 von 3 braucht dich'],
  [of('late', 'late', 'running'), '2 of 3 late', '2 von 3 verspätet'],
  [of('running', 'running', 'ok'), 'at work on Server 0, Server 1', 'arbeitet an Server 0, Server 1'],
  [of('paused', 'ok'), '1 of 2 paused', '1 von 2 pausiert'],
])('the state in words: %#', (servers, english, german) => {
  expect([statusLine(servers, en), statusLine(servers, de)]).toEqual([english, german]);
});

test('safe is what was backed up and will be again by itself, and nothing that needs somebody', () => {
  const safe = serverStates.filter((state) => of(state).every(isSafe));
  expect(safe).toEqual(['ok', 'running', 'late']);
  const paused = { ...some, state: 'paused' } as const;
  const locked = { code: 'locked', persistence: 'temporary', operation: 'open', message: '', context: { keychain: 'system' } } as const;
  expect(isSafe({ ...paused, pausedUntil: 1_900_000_000_000 })).toBe(true);
  expect(isSafe({ ...paused, last: { ...runningJob, state: 'failed', fault: locked } })).toBe(false);
  expect(isSafe({ ...some, state: 'running', lastSuccess: null })).toBe(false);
  expect(serverStates.filter((state) => needsYou({ state }))).toEqual(['overdue', 'failed', 'sign-in-needed']);
});

describe('the image', () => {
  const themeOf = (apps: boolean, bar: boolean): ThemePort => ({
    shouldUseDarkColors: apps,
    shouldUseDarkColorsForSystemIntegratedUI: bar,
  });

  test.each([
    ['darwin', false, false, 'lateTemplate.png'],
    ['darwin', true, true, 'lateTemplate.png'],
    ['linux', false, true, 'late-light-22.png'],
    ['linux', true, false, 'late-dark-22.png'],
    ['win32', false, true, 'late-dark-16.png'],
    ['win32', true, false, 'late-light-16.png'],
  ] as const)('on %s, its apps dark %s, its bar dark %s, is %s', (platform, apps, bar, name) => {
    expect(trayImage('/icons', 'late', platform, themeOf(apps, bar))).toBe(`/icons/${name}`);
  });

  test('there is one for every state, at both densities', () => {
    const folder = join(import.meta.dirname, '..', '..', 'resources', 'icons', 'tray');
    for (const state of trayStates) {
      for (const platform of ['darwin', 'linux', 'win32'] as const) {
        for (const isDark of [false, true]) {
          const path = trayImage(folder, state, platform, themeOf(isDark, isDark));
          expect([path, existsSync(path)]).toEqual([path, true]);
          expect(existsSync(path.replace('.png', '@2x.png'))).toBe(true);
        }
      }
    }
  });
});

describe('the menu', () => {
  const done: unknown[] = [];
  const now = new Date(2026, 10, 23, 14, 2).getTime();
  const actions: MenuActions = {
    backUp: (slug) => done.push(['back up', slug]),
    open: (path) => done.push(['open', path]),
    pause: (until) => done.push(['pause', until]),
    resume: () => done.push(['resume']),
    quit: () => done.push(['quit']),
    now: () => now,
  };
  const labels = (servers: ServerStatus[] | null): unknown[] => menuOf(servers, en, actions).map(({ label, type }) => label ?? type);

  test('begins with the state, which cannot be chosen', () => {
    expect(menuOf(of('ok'), en, actions)[0]).toEqual({ label: 'your server is safe', enabled: false });
    expect(labels(of('ok')).slice(1)).toEqual([
      ...['Open Holdfast', 'separator', 'Back up now', 'Restore latest', 'Snapshots…', 'Pause', 'separator', 'Settings…', 'Quit'],
    ]);
  });

  test('shows an & in a name: Electron takes one alone for the mark of a key', () => {
    const ampersand = of('running').map((one) => ({ ...one, settings: { ...one.settings, name: 'Tom & Jerry' } }));
    const menu = menuOf(ampersand, en, actions);
    const submenus = menu.flatMap(({ label, submenu }) => (label === en.pause ? [] : (submenu ?? []))).map(({ label }) => label);
    expect([menu[0]?.label, ...submenus]).toEqual(['at work on Tom && Jerry', 'Tom && Jerry', 'Tom && Jerry']);
  });

  test('every entry does what it says', () => {
    for (const { click, submenu = [] } of menuOf(of('ok', 'paused'), en, actions)) {
      click?.();
      for (const entry of submenu) entry.click?.();
    }
    expect(done).toEqual([
      ['open', undefined],
      ...['server-0', 'server-1'].map((slug) => ['back up', slug]),
      ...['server-0', 'server-1'].map((slug) => ['open', `restore/${slug}`]),
      ['open', 'snapshots'],
      ['pause', now + 3_600_000],
      ['pause', new Date(2026, 10, 24, 8, 0).getTime()],
      ['pause', 0],
      ['resume'],
      ['open', 'settings'],
      ['quit'],
    ]);
  });

  test('without a server, or before they are known, what needs one cannot be chosen', () => {
    for (const servers of [null, []]) {
      const off = menuOf(servers, en, actions).filter(({ enabled }) => enabled === false);
      expect(off.map(({ label }) => label).slice(1)).toEqual(['Back up now', 'Restore latest', 'Pause']);
    }
  });

  test('resuming can be chosen only while something is paused', () => {
    const isOn = (servers: ServerStatus[]): unknown =>
      menuOf(servers, en, actions)
        .find(({ label }) => label === 'Pause')
        ?.submenu?.at(-1)?.enabled;
    expect([isOn(of('ok')), isOn(of('paused'))]).toEqual([false, true]);
  });
});

test('both languages say the same things', () => {
  expect(Object.keys(de)).toEqual(Object.keys(en));
  expect([en.late(2, 3), en.paused(1, 2), en.quitQuestion('X')].every((text) => text.length > 0)).toBe(true);
  expect(de.quitQuestion('Survival')).toContain('Survival');
  expect([languageOf('de'), languageOf('de-CH'), languageOf('DE'), languageOf('en-GB'), languageOf('')]).toEqual([
    ...['de', 'de', 'de', 'en', 'en'],
  ]);
});
