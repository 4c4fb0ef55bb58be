import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browserMissing, openBrowser } from '../support/page/browser.ts';
import { openLivePage } from '../support/page/live-page.ts';
import { testConnection } from '../support/page/setting-up.ts';
import { startReceiver } from '../support/receivers.ts';
import { ServiceHome, testPassword, type RunningService } from '../support/service-process.ts';

/** What Settings changes of places, keys and notices, with the real service. */
describe.skipIf(browserMissing !== '')(`settings on the page${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const home = new ServiceHome();
  let browser: Browser;
  let service: RunningService;
  let page: Page;
  let complaints: readonly string[];

  beforeAll(async () => {
    writeFileSync(join(home.folder, 'level.dat'), 'blocks');
    await home.setUp();
    await home.json(['server', 'backup', 'survival']);
    browser = await openBrowser();
    // As systemd gives it: the service keeps to it, whatever a file brings.
    const credentials = join(home.base, 'credentials');
    mkdirSync(credentials);
    writeFileSync(join(credentials, 'holdfast.destination.nas.password'), testPassword);
    service = await home.start({ CREDENTIALS_DIRECTORY: credentials });
    ({ page, complaints } = await openLivePage(browser, service, 'settings'));
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
  });

  const config = (): { destinations: Record<string, { settings: { path: string } }> } =>
    JSON.parse(readFileSync(join(home.config, 'config.json'), 'utf8')) as never;
  const save = () => page.getByRole('button', { name: 'Save' });

  async function toEdit(path: string): Promise<void> {
    await page.goto(`http://127.0.0.1:${service.port}/#/settings/place/nas`);
    await page.getByRole('link', { name: 'Edit…' }).click();
    await page.getByLabel('Folder', { exact: true }).fill(path);
  }

  test('a place is pointed elsewhere only after a test and a yes to what that means', async () => {
    const other = join(home.base, 'other');
    mkdirSync(other);
    await toEdit(other);
    await page.getByText('This is another place.').waitFor();
    await page.getByText('Test the connection, then it can be saved.').waitFor();
    await testConnection(page);
    expect(await save().getAttribute('aria-disabled')).toBe('true');
    await page.getByText('Say above that another place is meant, then it can be saved.').waitFor();
    await page.getByRole('checkbox', { name: 'From now on, nas means the other place' }).check({ force: true });
    await save().click();
    await page.getByText(other).first().waitFor();
    expect(config().destinations['nas']?.settings.path).toBe(other);
    // The next backup begins there.
    await home.json(['server', 'backup', 'survival', '--force']);
    expect(await home.json(['snapshots', '-d', `folder:${other}`])).toHaveLength(1);
    expect(await home.json(['snapshots', '-d', `folder:${home.place}`])).toHaveLength(1);
  });

  test('where another password opens what is stored, nothing is changed and it is said', async () => {
    const theirs = join(home.base, 'theirs');
    mkdirSync(theirs);
    await home.json(['backup', home.folder, '-d', `folder:${theirs}`], { HOLDFAST_PASSWORD: 'their own words' });
    await toEdit(theirs);
    await testConnection(page);
    await page.getByRole('checkbox', { name: /means the other place/ }).check({ force: true });
    await save().click();
    await page.getByText('That password does not open this backup place.').waitFor();
    expect(config().destinations['nas']?.settings.path).not.toBe(theirs);
    // Back at the one of the beginning, it goes on with what is there.
    await page.getByLabel('Folder', { exact: true }).fill(home.place);
    await testConnection(page);
    await page.getByRole('checkbox', { name: /means the other place/ }).check({ force: true });
    await save().click();
    await page.getByText(home.place).first().waitFor();
    expect(await home.json(['snapshots', '-d', 'nas'], { HOLDFAST_PASSWORD: testPassword })).toHaveLength(1);
  });

  test('a notice is tried without being kept; a name that is taken is refused; removing asks', async () => {
    const receiver = await startReceiver();
    try {
      await page.goto(`http://127.0.0.1:${service.port}/#/settings`);
      const notices = async () => (await home.json(['notice', 'list'])) as readonly { target: { name: string; kind: string } }[];
      await page.getByRole('button', { name: 'Add a notice' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('radio', { name: 'Webhook' }).click();
      // The page's own sentences, at the fields, and not the browser's.
      await dialog.getByLabel('Name', { exact: true }).fill('Ops');
      await dialog.getByRole('button', { name: 'Save' }).click();
      await dialog.getByText('Fill this in.').waitFor();
      expect(await dialog.locator('[aria-invalid=true]').count()).toBe(2);
      await dialog.getByLabel('Name', { exact: true }).fill('ops');
      await dialog.getByLabel('Address of the webhook').fill(`${receiver.address}/hook`);
      await dialog.getByRole('button', { name: 'Send a test' }).click();
      await dialog.getByText('The test has arrived.').waitFor();
      expect([receiver.got.length, await notices()]).toEqual([1, []]);
      await dialog.getByRole('button', { name: 'Save' }).click();
      await page.getByText('ops Webhook').waitFor();

      await page.getByRole('button', { name: 'Add a notice' }).click();
      await dialog.getByLabel('Name', { exact: true }).fill('ops');
      await dialog.getByText('There is a notice of this name already.').waitFor();
      expect(await dialog.getByRole('button', { name: 'Save' }).getAttribute('aria-disabled')).toBe('true');
      await page.keyboard.press('Escape');

      // With the address that is kept.
      const card = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Notices' }) });
      await card.getByRole('button', { name: 'Edit…' }).click();
      await dialog.getByRole('button', { name: 'Send a test' }).click();
      await dialog.getByText('The test has arrived.').waitFor();
      expect(receiver.got).toHaveLength(2);
      await dialog.getByRole('button', { name: 'Remove…' }).click();
      await dialog.getByRole('heading', { name: 'Remove ops?' }).waitFor();
      expect(await notices()).toMatchObject([{ target: { name: 'ops', kind: 'webhook' } }]);
      await dialog.getByRole('button', { name: 'Remove it' }).click();
      await page.getByText('Nobody is told outside this page.').waitFor();
      expect(await notices()).toEqual([]);
    } finally {
      await receiver.close();
    }
  });

  test('the recovery kit is taken as text, too', async () => {
    await page.goto(`http://127.0.0.1:${service.port}/#/settings/place/nas`);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'As text' }).click();
    const kit = await download;
    expect(kit.suggestedFilename()).toBe('holdfast-recovery-kit-nas.txt');
    expect(readFileSync(await kit.path(), 'utf8')).toMatch(/^(?!<)[^]*folder/);
  });

  test('an export asks its passphrase twice; an import says what it did not take', async () => {
    await page.goto(`http://127.0.0.1:${service.port}/#/settings`);
    await page.getByRole('button', { name: 'Export…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Passphrase of the file').fill('from here to there');
    await dialog.getByLabel('Passphrase again').fill('from here to the');
    await dialog.getByLabel('Passphrase of the file').focus();
    await dialog.getByText('The two are not the same.').waitFor();
    expect(await dialog.getByRole('button', { name: 'Download' }).getAttribute('aria-disabled')).toBe('true');
    await dialog.getByLabel('Passphrase again').fill('from here to there');
    const download = page.waitForEvent('download');
    await page.keyboard.press('Enter');
    const file = await (await download).path();
    await dialog.waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Import…' }).click();
    await dialog.getByLabel('File', { exact: true }).setInputFiles(file);
    await dialog.getByLabel('Passphrase of the file').fill('from there to here');
    await page.keyboard.press('Enter');
    await dialog.getByText('That passphrase does not open it.').waitFor();
    await dialog.getByLabel('Passphrase of the file').fill('from here to there');
    await page.keyboard.press('Enter');
    await page.getByText('All but one key of the file is in force.').waitFor();
    await page.getByText('Password of nas').waitFor();
  });

  test('nothing was written to the console but refusals that were provoked', () => {
    expect(complaints.filter((text) => !/status of (409|400)/.test(text))).toEqual([]);
  });
});
