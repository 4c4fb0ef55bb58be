import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { unitText } from '../../main/headless/systemd-unit.ts';
import { ServiceHome, testPassword } from '../support/service-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

const silent = { HOLDFAST_PASSWORD: null };

describe('settings of servers and destinations', () => {
  const home = new ServiceHome();
  beforeAll(async () => {
    writeFileSync(join(home.folder, 'level.dat'), 'blocks');
    await home.setUp(['--weekly', 'sun-03:30', '--weekly', 'wed-03:30', '--keep-last', '3', '--zone', 'Europe/Berlin']);
    await home.json(['server', 'backup', 'survival']);
  });
  const config = (): { servers: Record<string, unknown>[]; [member: string]: unknown } =>
    JSON.parse(readFileSync(join(home.config, 'config.json'), 'utf8')) as never;

  test('an edit changes what is given and nothing else; what a later version added is kept', async () => {
    const before = config();
    before['later'] = { kept: true };
    before.servers[0] = { ...before.servers[0], later: 1, hooks: { ...(before.servers[0]?.['hooks'] as object), later: 2 } };
    writeFileSync(join(home.config, 'config.json'), JSON.stringify(before));
    await home.json(['server', 'edit', 'survival', '--keep-daily', 'unlimited', '--exclude', '*.log']);
    const { servers, ...rest } = config();
    expect(servers[0]).toMatchObject({
      schedule: { kind: 'weekly', on: ['sun', 'wed'], at: '03:30' },
      zone: 'Europe/Berlin',
      keep: { last: 3, daily: 'unlimited' },
      excludes: ['*.log'],
      later: 1,
      hooks: { later: 2 },
    });
    expect(rest['later']).toEqual({ kept: true });
  });

  test('a server and a place of which one lies in the other are refused, by whichever way they come together', async () => {
    const inside = join(home.folder, 'backups');
    symlinkSync(home.folder, join(home.base, 'by-link'));
    await home.json(['destination', 'add', 'inner', `folder:${join(home.base, 'by-link', 'backups')}`, '--no-test']);
    const refused = async (...args: readonly string[]): Promise<string> => {
      const run = await home.run(args);
      expect(run.code).not.toBe(0);
      return run.stderr;
    };
    expect(await refused('server', 'add', 'Two', home.folder, '--to', 'inner')).toContain(`lies inside the folder ${home.folder}`);
    expect(await refused('server', 'add', 'Two', join(home.place, 'two'), '--to', 'nas')).toContain(
      `lies inside the backup place ${home.place}`,
    );
    expect(await refused('server', 'edit', 'survival', '--to', 'nas', '--to', 'inner')).toContain(`lies inside the folder ${home.folder}`);
    expect(await refused('destination', 'edit', 'nas', `folder:${inside}`)).toContain(`lies inside the folder ${home.folder}`);
    await home.json(['destination', 'remove', 'inner']);
  });

  test('a password that does not open the place is not kept; one that is changed there is changed here, too', async () => {
    expect((await home.run(['destination', 'password', 'nas'], { HOLDFAST_PASSWORD: 'another password' })).code).toBe(12);
    expect(await home.json(['server', 'backup', 'survival', '--force'], silent)).toMatchObject({ state: 'done' });
    await home.json(['password', '-d', 'nas'], { ...silent, HOLDFAST_NEW_PASSWORD: 'quite another one' });
    expect(await home.json(['server', 'backup', 'survival', '--force'], silent)).toMatchObject({ state: 'done' });
    // Nor do the other commands ask for what is kept.
    expect((await home.run(['snapshots', '-d', 'nas', '--json'], silent)).code).toBe(0);
    await home.json(['password', '-d', 'nas'], { HOLDFAST_PASSWORD: 'quite another one', HOLDFAST_NEW_PASSWORD: testPassword });
  });

  test('an export holds nothing in the clear, and brings everything to another computer', async () => {
    const file = join(home.base, 'settings.holdfast');
    const passphrase = { HOLDFAST_EXPORT_PASSPHRASE: 'from here to there' };
    await home.json(['config', 'export', file], passphrase);
    const bytes = readFileSync(file, 'latin1');
    for (const text of ['survival', 'nas', testPassword, 'servers']) expect(bytes).not.toContain(text);

    const other = new ServiceHome();
    await other.json(['keychain', 'use', 'machine-key', '--yes']);
    const wrong = await other.run(['config', 'import', file], { HOLDFAST_EXPORT_PASSPHRASE: 'from there to here' });
    expect([wrong.code, wrong.stderr]).toEqual([12, expect.stringContaining('does not open the settings file that was given')]);
    expect(wrong.stderr).not.toMatch(/key file|remove the file/);
    await other.json(['config', 'import', file], passphrase);
    expect(await other.json(['server', 'list'])).toMatchObject([{ settings: { slug: 'survival', keep: { last: 3 } } }]);
    // The same server on another computer: it belongs to the first one.
    const run = await other.run(['server', 'backup', 'survival', '--force', '--json'], silent);
    expect([run.code === 0, run.stdout.includes('take-over')]).toEqual([false, true]);
    // What systemd gives stays as it is given, and keeps nothing else from coming along.
    const credentials = tempFolder();
    writeFileSync(join(credentials, 'holdfast.destination.nas.password'), 'another password');
    const beside = new ServiceHome();
    const given = { CREDENTIALS_DIRECTORY: credentials };
    await beside.json(['keychain', 'use', 'machine-key', '--yes'], given);
    expect(await beside.json(['config', 'import', file], { ...passphrase, ...given })).toEqual({
      imported: true,
      leftOut: ['destination/nas/password'],
    });
    expect(await beside.json(['server', 'list'], given)).toMatchObject([{ settings: { slug: 'survival' } }]);
    expect((await beside.run(['snapshots', '-d', 'nas'], { ...silent, ...given })).code).toBe(12);
    // And so does a move to another keychain.
    await beside.json(['keychain', 'use', 'sealed-file'], { ...given, HOLDFAST_KEYCHAIN_PASSPHRASE: 'open sesame, please' });

    const again = await other.run(['config', 'import', file], passphrase);
    expect([again.code === 0, again.stderr.includes('--yes')]).toEqual([false, true]);
  });
});

test('the unit starts this copy of the program with these folders, whatever letters are in their names', () => {
  const template = readFileSync(new URL('../../resources/systemd/holdfast.service', import.meta.url), 'utf8');
  const text = unitText(template, { env: { HOLDFAST_CONFIG_DIR: '/my "conf" 100%$x' }, system: true, runAs: 'games' });
  expect(text).toMatch(/^ExecStart="[^"]+node" "[^"]+bin\/holdfast\.js" service$/m);
  expect(text).toContain('Environment="HOLDFAST_CONFIG_DIR=/my \\"conf\\" 100%%$x"');
  expect(text).toMatch(/^User=games$/m);
  expect(text).toMatch(/^WantedBy=multi-user\.target$/m);
  expect(text).not.toContain('@');
  expect(unitText(template, { env: {}, system: false })).toMatch(/^WantedBy=default\.target$/m);
});

test('without systemd an installation says what to do instead', async () => {
  const home = new ServiceHome();
  const run = await home.run(['service', 'install'], { PATH: '/nonexistent' });
  expect([run.code, run.stderr.includes('holdfast service')]).toEqual([1, true]);
});
