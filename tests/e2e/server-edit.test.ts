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
});
