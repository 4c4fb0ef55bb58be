import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browserMissing, openBrowser } from '../support/page/browser.ts';
import { openLivePage } from '../support/page/live-page.ts';
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
    service = await home.start();
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

  async function tryOut(): Promise<void> {
    await page.getByRole('button', { name: /^Test/ }).click();
    await page.getByText('All is well.').waitFor();
  }

  test('a place is pointed elsewhere only after a test and a yes to what that means', async () => {
    const other = join(home.base, 'other');
    mkdirSync(other);
    await toEdit(other);
    await page.getByText('This is another place.').waitFor();
    await page.getByText('Test the connection, then it can be saved.').waitFor();
    await tryOut();
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
    await tryOut();
    await page.getByRole('checkbox', { name: /means the other place/ }).check({ force: true });
    await save().click();
    await page.getByText('That password does not open this backup place.').waitFor();
    expect(config().destinations['nas']?.settings.path).not.toBe(theirs);
    // Back at the one of the beginning, it goes on with what is there.
    await page.getByLabel('Folder', { exact: true }).fill(home.place);
    await tryOut();
    await page.getByRole('checkbox', { name: /means the other place/ }).check({ force: true });
    await save().click();
    await page.getByText(home.place).first().waitFor();
    expect(await home.json(['snapshots', '-d', 'nas'], { HOLDFAST_PASSWORD: testPassword })).toHaveLength(1);
  });

  test('nothing was written to the console but refusals that were provoked', () => {
    expect(complaints.filter((text) => !/status of (409|400)/.test(text))).toEqual([]);
  });
});
