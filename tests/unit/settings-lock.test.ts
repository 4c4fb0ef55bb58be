import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { acquireLock } from '../../main/adapters/system/lock.ts';
import { servicePlaces } from '../../main/compose/service/places.ts';
import { heldElsewhere, lockSettings } from '../../main/compose/service/settings-lock.ts';
import { Fault } from '../../main/contract/faults.ts';
import { tempFolder } from '../support/temp-folder.ts';

test.each(['EROFS', 'EACCES'])('settings that may not be written beside (%s) are locked by the state folder alone', async (errno) => {
  const base = tempFolder();
  const places = await servicePlaces({ HOLDFAST_CONFIG_DIR: join(base, 'config'), HOLDFAST_STATE_DIR: join(base, 'state') });
  const take: typeof acquireLock = async (folder, name) => {
    if (folder === places.stateDir) return await acquireLock(folder, name);
    throw new Fault('config-invalid', 'the lock cannot be taken', { cause: Object.assign(new Error(errno), { code: errno }) });
  };
  const lock = await lockSettings(places, take);
  await expect(lockSettings(places, take)).rejects.toThrow(expect.objectContaining({ code: 'locked' }));
  await lock.release();
  await (await lockSettings(places, take)).release();
});

test('a folder of settings that is not there yet is the same as once it is, and a refused one holds nothing', async () => {
  const base = tempFolder();
  const env = (state: string) => ({ HOLDFAST_CONFIG_DIR: join(base, 'config'), HOLDFAST_STATE_DIR: join(base, state) });
  const early = await servicePlaces(env('one'));
  mkdirSync(join(base, 'config'));
  expect(await servicePlaces(env('one'))).toEqual(early);
  const [one, two] = [early, await servicePlaces(env('two'))];
  const lock = await lockSettings(one);
  expect(await heldElsewhere(one)).toBeNull();
  expect(await heldElsewhere(two)).toMatchObject({ code: 'locked', context: { pid: process.pid, settings: join(base, 'config') } });
  await expect(lockSettings(two)).rejects.toThrow(expect.objectContaining({ code: 'locked' }));
  await lock.release();
  expect(await heldElsewhere(two)).toBeNull();
  await (await lockSettings(two)).release();
});

test('a link to the folder of the settings, or to one above it, leads to the same places', async () => {
  const base = tempFolder();
  mkdirSync(join(base, 'home'));
  symlinkSync(join(base, 'home'), join(base, 'link'));
  const places = (config: string) => servicePlaces({ HOLDFAST_CONFIG_DIR: join(base, config), HOLDFAST_STATE_DIR: join(base, 'state') });
  const direct = await places('home/config');
  expect(await places('link/config')).toEqual(direct);
  mkdirSync(join(base, 'home', 'config'));
  symlinkSync(join(base, 'home', 'config'), join(base, 'config'));
  expect(await places('config')).toEqual(direct);
});
