import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ServiceHome } from '../support/service-process.ts';

describe('holdfast server edit', () => {
  const home = new ServiceHome();
  const open = { HOLDFAST_KEYCHAIN_PASSPHRASE: 'open sesame' };

  beforeAll(async () => {
    await home.json(['destination', 'add', 'nas', `folder:${home.place}`, '--no-test'], open);
    await home.json(['destination', 'add', 'attic', `folder:${home.base}/attic`, '--no-test'], open);
    await home.json(['server', 'add', 'Survival', home.folder, '--to', 'nas', '--verify', 'never', '--drill', 'never'], open);
  });

  test('asks a locked keychain for nothing that it does not need, and says that it is locked where it does', async () => {
    const edited = await home.json(['server', 'edit', 'survival', '--daily', '04:00'], { HOLDFAST_PASSWORD: null });
    expect(edited).toMatchObject({ settings: { schedule: { kind: 'daily', at: ['04:00'] } } });
    const { code, stderr } = await home.run(['server', 'edit', 'survival', '--to', 'nas', '--to', 'attic'], { HOLDFAST_PASSWORD: null });
    expect([code, stderr]).toEqual([expect.any(Number), expect.stringContaining('the keychain is locked')]);
    expect([code === 0, stderr.includes('--password-file')]).toEqual([false, false]);
    expect(await home.json(['server', 'show', 'survival'])).toMatchObject({ settings: { destinations: ['nas'] } });
  });

  test('changes the limit of the hooks that there are, takes them away, and refuses a limit for none', async () => {
    const hooks = { before: [{ argv: ['true'], timeoutSeconds: 60 }], always: [{ argv: ['echo', 'x'], timeoutSeconds: 60 }] };
    const edit = async (...args: string[]): Promise<unknown> => await home.json(['server', 'edit', 'survival', ...args]);
    expect(await edit('--hook-before', 'true', '--hook-always', '["echo","x"]')).toMatchObject({ settings: { hooks } });
    expect(await edit('--hook-timeout', '5')).toMatchObject({
      settings: { hooks: { before: [{ argv: ['true'], timeoutSeconds: 5 }], always: [{ argv: ['echo', 'x'], timeoutSeconds: 5 }] } },
    });
    expect((await home.run(['server', 'edit', 'survival', '--no-hooks', '--hook-timeout', '5'])).stderr).toContain('--no-hooks');
    expect(await edit('--no-hooks')).toMatchObject({ settings: { hooks: { before: [], afterSuccess: [], afterFailure: [], always: [] } } });
    const { code, stderr } = await home.run(['server', 'edit', 'survival', '--hook-timeout', '5']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('there are none')]);
  });

  test('refuses a schedule whose time never comes; one that was written by hand is shown as such', async () => {
    const { code, stderr } = await home.run(['server', 'edit', 'survival', '--cron', '0 0 31 2 *']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('never comes')]);
    const file = join(home.config, 'config.json');
    const settings = JSON.parse(readFileSync(file, 'utf8')) as { servers: Record<string, unknown>[] };
    Object.assign(settings.servers[0] ?? {}, { schedule: { kind: 'cron', expression: '0 0 31 2 *' } });
    writeFileSync(file, JSON.stringify(settings));
    const { stdout } = await home.run(['server', 'show', 'survival']);
    expect(stdout).toMatch(/failed\. The time of its schedule never comes[\s\S]*none: the time of its schedule never comes/);
  });
});
