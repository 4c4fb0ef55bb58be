import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../main/contract/jobs.ts';
import { testPassword } from '../support/service-process.ts';
import { playerRuntime, Systemd, systemdMissing, systemdUsersMissing, why } from '../support/systemd.ts';

const withPassword = { HOLDFAST_PASSWORD: testPassword };

describe.skipIf(systemdMissing !== '')(`a server that is a unit of a real systemd${why(systemdMissing)}`, () => {
  let systemd: Systemd;
  /** Of this user: a world that says whether its game runs, and a place for its snapshots. */
  const paths = (user: 'root' | 'player'): { readonly world: string; readonly place: string } => ({
    world: join(systemd.home(user), 'world'),
    place: join(systemd.home(user), 'place'),
  });
  const game = (user: 'root' | 'player'): string => {
    const state = join(paths(user).world, 'state');
    return `[Service]\nExecStartPre=/bin/sh -c 'echo running > ${state}'\nExecStart=/bin/sleep infinity\nExecStopPost=/bin/sh -c 'echo saved > ${state}'\n`;
  };
  const stateOfWorld = (folder = paths('root').world): string => readFileSync(join(folder, 'state'), 'utf8').trim();
  const isActive = async (): Promise<string> => await systemd.property('game.service', 'ActiveState');
  /** How often the game has been stopped and started so far. */
  let stops = 0;
  /** After a job that has ended: nothing is left to wait for. */
  const wasStopped = async (said: string): Promise<void> => {
    stops += 1;
    const journal = await systemd.journal('game.service');
    const times = (text: string): number => journal.split(text).length - 1;
    expect([times('Stopped game.service'), times('Started game.service')], `${said}\n${journal}`).toEqual([stops, stops + 1]);
    expect([await isActive(), stateOfWorld()]).toEqual(['active', 'running']);
  };
  const stopped = (): Promise<void> => systemd.logged('game.service', 'Stopped game.service', (stops += 1));
  const started = (): Promise<void> => systemd.logged('game.service', 'Started game.service', stops + 1);
  const lastJob = async (): Promise<Job | undefined> => ((await systemd.json('root', ['server', 'jobs'])) as Job[])[0];

  beforeAll(async () => {
    systemd = await Systemd.boot();
    for (const folder of Object.values(paths('root'))) mkdirSync(folder);
    writeFileSync(join(paths('root').world, 'region'), randomBytes(8 * 2 ** 20));
    writeFileSync(systemd.path('/etc/systemd/system/game.service'), game('root'));
    await systemd.output('root', ['systemctl', 'start', 'game']);
    await systemd.json('root', ['keychain', 'use', 'machine-key', '--yes']);
    await systemd.json('root', ['destination', 'add', 'nas', `folder:${paths('root').place}`, '--no-test'], withPassword);
    await systemd.json('root', ['server', 'add', 'World', paths('root').world, '--to', 'nas', '--systemd-unit', 'game'], withPassword);
    await systemd.json('root', ['service', 'install', '--system']);
  });
  afterAll(() => systemd.end());

  test('what is stored is what it saved when it was stopped; afterwards it runs', async () => {
    expect(stateOfWorld()).toBe('running');
    expect(await systemd.json('root', ['server', 'backup', 'world'])).toMatchObject({ state: 'done', warnings: [] });
    await wasStopped('a backup');
    const target = join(systemd.base, 'back');
    expect(await systemd.json('root', ['server', 'restore', 'world', '--target', target])).toMatchObject({ state: 'done' });
    expect(stateOfWorld(target)).toBe('saved');
  });

  test('it runs again after a backup that failed while it was stopped', async () => {
    const { place } = paths('root');
    await systemd.output('root', ['mount', '--bind', '-o', 'ro', place, place]);
    const run = await systemd.holdfast('root', ['server', 'backup', 'world', '--force']);
    await systemd.output('root', ['umount', place]);
    expect([run.code, run.stderr.includes('read-only')]).toEqual([1, true]);
    await wasStopped(`${run.stdout}${run.stderr}`);
  });

  test('the service that is stopped in the middle lets it run again, within its five seconds; the one that is killed, at its next start', async () => {
    await systemd.json('root', ['bandwidth', '50K']);
    for (const [act, outcome] of [
      [['stop'], 'cancelled'],
      [['kill', '--kill-who=main', '--signal=KILL'], 'interrupted'],
    ] as const) {
      // What is slow to send must be new.
      writeFileSync(join(paths('root').world, 'region'), randomBytes(8 * 2 ** 20));
      const backup = systemd.holdfast('root', ['server', 'backup', 'world', '--force']);
      const tooEarly = backup.then(({ stdout, stderr }) => expect.unreachable(`it ended:\n${stdout}${stderr}`));
      await Promise.race([stopped(), tooEarly]);
      tooEarly.catch(() => undefined);
      expect(stateOfWorld()).toBe('saved');
      const since = performance.now();
      await systemd.output('root', ['systemctl', ...act, 'holdfast']);
      expect(performance.now() - since).toBeLessThan(5_000);
      expect((await backup).code).not.toBe(0);
      // The killed one would come back in half a minute, which nobody waits for here.
      const log = await systemd.output('root', ['sh', '-c', 'cat $(find / -xdev -name holdfast.log); journalctl --no-pager --lines=40']);
      expect(stateOfWorld(), `after ${outcome}, with the log:\n${log}`).toBe(outcome === 'cancelled' ? 'running' : 'saved');
      await systemd.output('root', ['systemctl', 'restart', 'holdfast']);
      await started();
      expect([await isActive(), stateOfWorld()]).toEqual(['active', 'running']);
      // Where the computer is so busy that its end outlasts the service's patience, the next start marks it.
      const { kind, state } = (await lastJob()) ?? {};
      expect([kind, state === 'interrupted' ? 'interrupted' : outcome]).toEqual(['backup', state]);
    }
    await systemd.json('root', ['bandwidth', 'off']);
  });

  test('one that was stopped on purpose stays so', async () => {
    await systemd.output('root', ['systemctl', 'stop', 'game']);
    await stopped();
    expect(await systemd.json('root', ['server', 'backup', 'world', '--force'])).toMatchObject({ state: 'done', warnings: [] });
    expect([await isActive(), stateOfWorld()]).toEqual(['inactive', 'saved']);
  });

  test('a unit that does not exist, or could not be started again, is told before anything is stopped', async () => {
    await systemd.output('root', ['systemctl', 'start', 'game']);
    const file = systemd.path('/etc/systemd/system/game.service');
    rmSync(file);
    symlinkSync('/dev/null', file);
    await systemd.output('root', ['systemctl', 'daemon-reload']);
    const masked = await systemd.holdfast('root', ['server', 'backup', 'world', '--force']);
    expect([masked.code, masked.stderr.includes('masked')]).toEqual([2, true]);
    await systemd.json('root', ['server', 'edit', 'world', '--systemd-unit', 'gmae']);
    const misspelt = await systemd.holdfast('root', ['server', 'backup', 'world', '--force']);
    expect([misspelt.code, misspelt.stderr.includes('gmae')]).toEqual([2, true]);
    expect([await isActive(), stateOfWorld()]).toEqual(['active', 'running']);
    await systemd.json('root', ['service', 'uninstall', '--system']);
  });

  test.skipIf(systemdUsersMissing !== '')(
    `a unit of a user is reached by a service of the system that runs as this user${why(systemdUsersMissing)}`,
    async () => {
      await systemd.linger();
      const { world, place } = paths('player');
      const units = join(systemd.home('player'), '.config', 'systemd', 'user');
      await systemd.output('player', ['mkdir', '-p', world, place, units]);
      writeFileSync(join(units, 'game.service'), game('player'));
      chmodSync(join(units, 'game.service'), 0o644);
      await systemd.output('player', ['systemctl', '--user', 'start', 'game'], { XDG_RUNTIME_DIR: playerRuntime });
      await systemd.json('player', ['keychain', 'use', 'machine-key', '--yes']);
      await systemd.json('player', ['destination', 'add', 'nas', `folder:${place}`, '--no-test'], withPassword);
      await systemd.json('player', ['server', 'add', 'World', world, '--to', 'nas', '--systemd-user-unit', 'game'], withPassword);
      await systemd.json('root', ['service', 'install', '--system', '--run-as', 'player']);
      expect(await systemd.json('player', ['server', 'backup', 'world'])).toMatchObject({ state: 'done', warnings: [] });
      expect(stateOfWorld(world)).toBe('running');
      const target = join(systemd.home('player'), 'back');
      await systemd.json('player', ['server', 'restore', 'world', '--target', target]);
      expect(stateOfWorld(target)).toBe('saved');
    },
  );
});
