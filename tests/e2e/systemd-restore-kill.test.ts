import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job } from '../../main/contract/jobs.ts';
import { testPassword } from '../support/service-process.ts';
import { Systemd, systemdMissing, why } from '../support/systemd.ts';

const kill = ['systemctl', 'kill', '--kill-who=main', '--signal=KILL', 'holdfast'];

/** The killed service would come back in half a minute, which nobody waits for here. */
const comeBack = ['systemctl', 'restart', 'holdfast'];

describe.skipIf(systemdMissing !== '')(`a restore in the place of what runs, killed on a real systemd${why(systemdMissing)}`, () => {
  let systemd: Systemd;
  const world = (): string => join(systemd.home('root'), 'world');
  const broken = (): string => join(systemd.home('root'), 'broken');
  const [stored, later] = [randomBytes(2 ** 20), randomBytes(2 ** 20)];
  /** Which world lies there, and what its game has written into it. */
  const now = (): string[] => {
    const region = readFileSync(join(world(), 'region'));
    const which = region.equals(stored) ? 'stored' : region.equals(later) ? 'later' : 'neither';
    return [which, readFileSync(join(world(), 'state'), 'utf8').trim()];
  };
  const isActive = async (): Promise<string> => await systemd.property('game.service', 'ActiveState');
  const lastJob = async (): Promise<Job | undefined> => ((await systemd.json('root', ['server', 'jobs'])) as Job[])[0];

  beforeAll(async () => {
    systemd = await Systemd.boot();
    mkdirSync(world());
    mkdirSync(join(systemd.home('root'), 'place'));
    writeFileSync(join(world(), 'region'), stored);
    const state = join(world(), 'state');
    const lines = [
      `ExecStartPre=/bin/sh -c 'test ! -e ${broken()} && echo running > ${state}'`,
      'ExecStart=/bin/sleep infinity',
      `ExecStopPost=/bin/sh -c 'echo saved > ${state}'`,
    ];
    writeFileSync(systemd.path('/etc/systemd/system/game.service'), `[Service]\n${lines.join('\n')}\n`);
    await systemd.output('root', ['systemctl', 'start', 'game']);
    const env = { HOLDFAST_PASSWORD: testPassword };
    await systemd.json('root', ['keychain', 'use', 'machine-key', '--yes']);
    await systemd.json('root', ['destination', 'add', 'nas', `folder:${join(systemd.home('root'), 'place')}`, '--no-test'], env);
    await systemd.json('root', ['server', 'add', 'World', world(), '--to', 'nas', '--systemd-unit', 'game'], env);
    await systemd.json('root', ['service', 'install', '--system']);
    await systemd.json('root', ['server', 'backup', 'world']);
    writeFileSync(join(world(), 'region'), later);
  });
  afterAll(() => systemd.end());

  test('between the stop and the swap: at the next start the server runs again, with the world that it had', async () => {
    await systemd.json('root', ['bandwidth', 'off:50K']);
    // Stopped and started once by the backup.
    const stopped = systemd.logged('game.service', 'Stopped game.service', 2);
    const restore = systemd.holdfast('root', ['server', 'restore', 'world', '--replace']);
    const tooEarly = restore.then(({ stdout, stderr }) => expect.unreachable(`it ended:\n${stdout}${stderr}`));
    await Promise.race([stopped, tooEarly]);
    tooEarly.catch(() => undefined);
    await systemd.output('root', kill);
    expect((await restore).code).not.toBe(0);
    expect([await isActive(), ...now()]).toEqual(['inactive', 'later', 'saved']);
    const started = systemd.logged('game.service', 'Started game.service', 3);
    await systemd.output('root', comeBack);
    await started;
    expect([await isActive(), ...now()]).toEqual(['active', 'later', 'running']);
    expect(await lastJob()).toMatchObject({ kind: 'restore', state: 'interrupted' });
  });

  test('between the swap and the start: at the next start the server runs, with the world that was brought back', async () => {
    await systemd.json('root', ['bandwidth', 'off']);
    writeFileSync(broken(), '');
    const restore = await systemd.holdfast('root', ['server', 'restore', 'world', '--replace']);
    expect(`${restore.stdout}${restore.stderr}`).toContain('could not be started');
    await systemd.output('root', kill);
    rmSync(broken());
    expect([(await isActive()) === 'active', now()[0]]).toEqual([false, 'stored']);
    const started = systemd.logged('game.service', 'Started game.service', 4);
    await systemd.output('root', comeBack);
    await started;
    expect([await isActive(), ...now()]).toEqual(['active', 'stored', 'running']);
    await systemd.json('root', ['service', 'uninstall', '--system']);
  });
});
