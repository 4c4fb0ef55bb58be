import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configDirPath } from '../../main/adapters/config/config-dir.ts';
import { settingsFile, type SettingsFile } from '../../main/adapters/config/settings-file.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import type { Fault } from '../../main/contract/faults.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { tempFolder } from '../support/temp-folder.ts';

function open(folder = tempFolder()): { readonly file: SettingsFile; readonly folder: string } {
  const stateDir = join(folder, 'state');
  mkdirSync(stateDir, { recursive: true });
  return { folder, file: settingsFile({ folder, stateDir: () => Promise.resolve(stateDir), clock: systemClock }) };
}

const place = (path: string): { settings: { provider: 'folder'; path: string } } => ({ settings: { provider: 'folder', path } });

async function refusal(file: SettingsFile): Promise<Fault> {
  return await file.read().then(
    () => Promise.reject(new Error('it was read')),
    (error: unknown) => error as Fault,
  );
}

test('without a file the settings are empty, and nothing is written by looking', async () => {
  const { file, folder } = open();
  expect(await file.read()).toMatchObject({ version: 1, destinations: {}, servers: [] });
  expect(() => statSync(join(folder, 'config.json'))).toThrow();
});

test('what is changed is read back by another process, for this user only, and what stood there before is kept', async () => {
  const { file, folder } = open();
  await file.update((all) => ({ ...all, destinations: { one: place('/one') } }));
  await file.update((all) => ({ ...all, destinations: { ...all.destinations, two: place('/two') } }));
  expect(Object.keys((await open(folder).file.read()).destinations)).toEqual(['one', 'two']);
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(join(folder, 'config.last-good.json'), 'utf8'))).toMatchObject({ destinations: { one: place('/one') } });
});

test('members of a later version are kept, at the top and inside', async () => {
  const { file } = open();
  writeFileSync(file.path, JSON.stringify({ version: 1, later: { x: 1 }, destinations: { one: { ...place('/one'), colour: 'red' } } }));
  await file.update((all) => ({ ...all, destinations: { ...all.destinations, two: place('/two') } }));
  expect(JSON.parse(readFileSync(file.path, 'utf8'))).toMatchObject({ later: { x: 1 }, destinations: { one: { colour: 'red' } } });
});

test.each([
  ['a broken line', '{\n  "version": 1,\n  "destinations": {,}\n}', /line 3/],
  ['a cut file', '{\n  "version": 1,', /line 2/],
  [
    'a wrong member',
    JSON.stringify({ version: 1, destinations: { one: { settings: { provider: 'folder' } } } }),
    /destinations\.one\.settings\.path/,
  ],
  ['a bad name', JSON.stringify({ version: 1, destinations: { 'No Name': place('/x') } }), /destinations/],
  ['no version', '{}', /version/],
  ['no object', '[]', /config\.json/],
  ['a newer version', JSON.stringify({ version: 2 }), /newer Holdfast/],
])('%s is explained, and never written over', async (_what, text, says) => {
  const { file } = open();
  writeFileSync(file.path, text);
  const fault = await refusal(file);
  expect([fault.code, fault.message]).toEqual(['config-invalid', expect.stringMatching(says)]);
  expect(await codeOf(file.update((all) => all))).toBe('config-invalid');
  expect(readFileSync(file.path, 'utf8')).toBe(text);
});

test('many changes at once, from several processes as it were, lose none', async () => {
  const { folder } = open();
  const names = Array.from({ length: 20 }, (_, index) => `place-${index}`);
  await Promise.all(
    names.map((name) => open(folder).file.update((all) => ({ ...all, destinations: { ...all.destinations, [name]: place('/x') } }))),
  );
  expect(Object.keys((await open(folder).file.read()).destinations).sort()).toEqual([...names].sort());
});

test('the folder is the one that is named, else XDG’s, and never a relative one', () => {
  expect(configDirPath({ HOLDFAST_CONFIG_DIR: '/a', XDG_CONFIG_HOME: '/b', HOME: '/h' })).toBe('/a');
  expect(configDirPath({ XDG_CONFIG_HOME: '/b', HOME: '/h' })).toBe('/b/holdfast');
  expect(configDirPath({ XDG_CONFIG_HOME: 'b', HOME: '/h' })).toBe('/h/.config/holdfast');
});

const whole = { name: 'S', slug: 's', folder: '/srv', destinations: ['here'], zone: 'UTC' };

test.each([
  ['a cron expression that is none', { schedule: { kind: 'cron', expression: '61 * * * * *x' } }, '"schedule"', 'schedule: '],
  ['a zone that is none', { zone: 'Mars/Olympus' }, '"Mars/Olympus"', 'zone: '],
  ['a time that is none', { schedule: { kind: 'daily', at: ['04:00', '25:00'] } }, '"25:00"', 'schedule.at.1: '],
  ['a slug that another server has', { slug: 'first' }, '"slug": "first"', 'slug: S has the slug first, which First has already'],
  ['a backup place that is none', { destinations: ['here', 'zzz'] }, '"zzz"', 'destinations.1: there is no backup place called zzz'],
  ['a backup place that every object answers to', { destinations: ['constructor'] }, '"constructor"', 'destinations.0: there is no'],
  ['a folder from nowhere', { folder: 'rel/x' }, '"rel/x"', 'folder: rel/x is not a whole path'],
  ['a preset that is none', { preset: 'zork' }, '"zork"', 'preset: there is no preset zork'],
])('%s is told with the line and the member, before a service meets it', async (_what, more, onLine, member) => {
  const { file } = open();
  const first = { ...whole, name: 'First', slug: 'first', folder: String.raw`C:\srv` };
  const settings = {
    version: 1,
    note: 'a "zone": {[, \\" in a text',
    destinations: { here: place('/x') },
    servers: [first, { ...whole, ...more }],
  };
  const text = JSON.stringify(settings, null, 2);
  writeFileSync(file.path, text);
  const line = text.split('\n').findLastIndex((one) => one.includes(onLine)) + 1;
  expect((await refusal(file)).message).toContain(`line ${line}: servers.1.${member}`);
  expect(await codeOf(file.update((all) => all))).toBe('config-invalid');
});

test('a backup place that is named twice, and two notices of one name, are told with the second of them', async () => {
  const { file } = open();
  const settings = { version: 1, destinations: { here: place('/x') }, servers: [{ ...whole, destinations: ['here', 'here'] }] };
  writeFileSync(file.path, JSON.stringify(settings));
  expect((await refusal(file)).message).toContain('servers.0.destinations.1: the backup place here is named twice');
  const hook = { kind: 'webhook', name: 'hook' };
  writeFileSync(file.path, JSON.stringify({ version: 1, notices: [hook, { ...hook, kind: 'discord' }] }));
  expect((await refusal(file)).message).toContain('notices.1.name: there are two notices called hook');
});
