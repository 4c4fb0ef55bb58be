import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { playerRuntime, Systemd, systemdMissing, systemdUsersMissing, why } from '../support/systemd.ts';

const unit = 'holdfast.service';
const unitFile = `/etc/systemd/system/${unit}`;

describe.skipIf(systemdMissing !== '')(`the service under a real systemd${why(systemdMissing)}`, () => {
  let systemd: Systemd;
  beforeAll(async () => {
    systemd = await Systemd.boot();
  });
  afterAll(() => systemd.end());

  const status = async (user: 'root' | 'player', env = {}): Promise<Record<string, unknown>> => {
    const { stdout } = await systemd.holdfast(user, ['service', 'status', '--json'], env);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  const install = (...args: readonly string[]): Promise<unknown> => systemd.json('root', ['service', 'install', '--system', ...args]);
  const uninstall = (): Promise<unknown> => systemd.json('root', ['service', 'uninstall', '--system']);

  test('an installed one answers at once, and its unit is one that systemd finds nothing wrong with', async () => {
    expect(await status('root')).toMatchObject({ running: false, units: [] });
    expect(await install()).toEqual({ installed: unitFile });
    // With nothing between the two: it is started once it answers.
    expect(await status('root')).toMatchObject({ running: true, units: [unitFile] });
    expect(await systemd.output('root', ['systemctl', 'is-enabled', unit])).toBe('enabled');
    expect(await systemd.run('root', ['systemd-analyze', 'verify', unitFile])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test('stopped by systemd it ends within five seconds, cleanly, and comes back with what the computer starts', async () => {
    const since = performance.now();
    await systemd.output('root', ['systemctl', 'stop', unit]);
    expect(performance.now() - since).toBeLessThan(5_000);
    expect(await systemd.property(unit, 'Result')).toBe('success');
    expect(await systemd.property(unit, 'ExecMainStatus')).toBe('0');
    expect(await status('root')).toMatchObject({ running: false, units: [unitFile] });
    await systemd.output('root', ['systemctl', 'start', 'multi-user.target']);
    expect(await status('root')).toMatchObject({ running: true });
  });

  test('killed it is started again by itself', async () => {
    expect(await systemd.property(unit, 'RestartUSec')).toBe('30s');
    const folder = systemd.path(`${unitFile}.d`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'sooner.conf'), '[Service]\nRestartSec=0\n');
    await systemd.output('root', ['systemctl', 'daemon-reload']);
    const before = await status('root');
    await systemd.output('root', ['systemctl', 'kill', '--kill-who=main', '--signal=KILL', unit]);
    await systemd.logged(unit, 'Started holdfast.service', 3);
    const after = await status('root');
    expect(after).toMatchObject({ running: true, port: before['port'] });
    expect(after['pid']).not.toBe(before['pid']);
    expect(await systemd.property(unit, 'NRestarts')).toBe('1');
  });

  test('installed once more it runs with what is there now; uninstalled it is gone from systemd', async () => {
    const before = await status('root');
    await install();
    const after = await status('root');
    expect(after['running']).toBe(true);
    expect(after['pid']).not.toBe(before['pid']);
    expect(await uninstall()).toEqual({ removed: unitFile });
    expect(await status('root')).toMatchObject({ running: false, units: [] });
    expect((await systemd.run('root', ['systemctl', 'cat', unit])).code).toBe(1);
    expect(existsSync(systemd.path(`/etc/systemd/system/multi-user.target.wants/${unit}`))).toBe(false);
    expect((await systemd.holdfast('root', ['service', 'uninstall', '--system'])).code).toBe(10);
  });

  test('the passphrase that systemd gives it as a credential opens what keeps the secrets; without it they are locked', async () => {
    const file = join(systemd.home('root'), 'passphrase');
    const env = { HOLDFAST_KEYCHAIN_PASSPHRASE_FILE: file, HOLDFAST_PASSWORD: 'correct horse battery' };
    writeFileSync(systemd.path(file), 'open sesame, please\n', { mode: 0o600 });
    mkdirSync(systemd.path(join(systemd.home('root'), 'place')));
    await systemd.json('root', ['destination', 'add', 'nas', `folder:${join(systemd.home('root'), 'place')}`, '--no-test'], env);
    await systemd.json('root', ['destination', 'password', 'nas'], env);
    await install();
    const keychain = (): Promise<unknown> => systemd.json('root', ['keychain']);
    expect(await keychain()).toMatchObject({ kind: 'sealed-file', locked: true });
    const folder = systemd.path(`${unitFile}.d`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'passphrase.conf'), `[Service]\nLoadCredential=holdfast.passphrase:${file}\n`);
    await systemd.output('root', ['systemctl', 'daemon-reload']);
    await systemd.output('root', ['systemctl', 'restart', unit]);
    expect(await keychain()).toMatchObject({ kind: 'sealed-file', locked: false });
    await uninstall();
  });

  test('one that cannot run is no success: the journal is named, and has the reason', async () => {
    const env = { HOLDFAST_STATE_DIR: '/dev/null' };
    const run = await systemd.holdfast('root', ['service', 'install', '--system'], env);
    expect([run.code, run.stdout, run.stderr.includes(`journalctl --unit ${unit}`)]).toEqual([1, '', true]);
    expect(await systemd.output('root', ['journalctl', '--unit', unit])).toContain('the state folder /dev/null');
    await systemd.json('root', ['service', 'uninstall', '--system'], env);
  });

  describe.skipIf(systemdUsersMissing !== '')(`of a user${why(systemdUsersMissing)}`, () => {
    test('who may not, and has no systemd of his own, is told so, and nothing is written', async () => {
      for (const args of [['--system'], []]) {
        const run = await systemd.holdfast('player', ['service', 'install', ...args]);
        expect([run.code, /as root|enable-linger/.test(run.stderr)]).toEqual([1, true]);
      }
      expect(await status('player')).toMatchObject({ running: false, units: [] });
    });

    test('it is a unit of this user, by su and with folders of his own choice, too, and a warning is told of lingering only when there is none', async () => {
      await systemd.linger();
      const env = { XDG_CONFIG_HOME: join(systemd.home('player'), 'chosen') };
      const file = join(env.XDG_CONFIG_HOME, 'systemd', 'user', unit);
      const run = await systemd.holdfast('player', ['service', 'install', '--json'], env);
      expect([run.code, run.stderr.includes('enable-linger')]).toEqual([0, false]);
      expect(JSON.parse(run.stdout)).toEqual({ installed: file });
      expect(await status('player', env)).toMatchObject({ running: true, units: [file] });
      const own = { XDG_RUNTIME_DIR: playerRuntime };
      expect(await systemd.output('player', ['systemctl', '--user', 'is-enabled', unit], own)).toBe('enabled');
      expect(await systemd.run('player', ['systemd-analyze', '--user', 'verify', file], own)).toMatchObject({ code: 0, stderr: '' });
      await systemd.json('player', ['service', 'uninstall'], env);
      expect(await status('player', env)).toMatchObject({ running: false, units: [] });
      expect((await systemd.run('player', ['systemctl', '--user', 'cat', unit], own)).code).toBe(1);
    });

    test('a unit of the system that runs as this user has his folders, and answers to him', async () => {
      await install('--run-as', 'player');
      expect(await status('player')).toMatchObject({ running: true, units: [unitFile] });
      const pid = await systemd.property(unit, 'MainPID');
      expect(readFileSync(systemd.path(`/proc/${pid}/status`), 'utf8')).toMatch(/^Uid:\t61999\t61999/m);
      await uninstall();
    });
  });
});
