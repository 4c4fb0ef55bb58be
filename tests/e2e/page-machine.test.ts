import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browserMissing, openBrowser } from '../support/page/browser.ts';
import { openLivePage } from '../support/page/live-page.ts';
import { describeFolderPlace, testConnection } from '../support/page/setting-up.ts';
import { ServiceHome, testPassword, type RunningService } from '../support/service-process.ts';

/** The ways of New machine that are not straight, with the real service. */
describe.skipIf(browserMissing !== '')(`a new machine on the page${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const home = new ServiceHome();
  let browser: Browser;
  let service: RunningService;
  let page: Page;
  let complaints: readonly string[];

  beforeAll(async () => {
    writeFileSync(join(home.folder, 'level.dat'), 'blocks');
    await home.json(['keychain', 'use', 'machine-key', '--yes']);
    await home.json(['backup', home.folder, '-d', `folder:${home.place}`]);
    // Without its password.
    await home.json(['destination', 'add', 'nas', `folder:${home.place}`, '--no-test']);
    browser = await openBrowser();
    service = await home.start();
    ({ page, complaints } = await openLivePage(browser, service, 'new-machine'));
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
  });

  const password = () => page.getByLabel('Password of this backup place');
  const names = async (): Promise<string[]> =>
    ((await home.json(['destination', 'list'])) as readonly { name: string }[]).map(({ name }) => name).sort();

  /** As far as the password of a place that is described anew. */
  async function describePlace(path: string): Promise<void> {
    await describeFolderPlace(page, path);
    await testConnection(page);
    await page.getByRole('button', { name: 'Continue' }).click();
    await password().fill(testPassword);
  }

  test('a place whose password is not kept asks for it there', async () => {
    await page.getByRole('button', { name: /^nas/ }).click();
    await page.getByText('The one of nas.').waitFor();
    await password().fill('not this one');
    await page.keyboard.press('Enter');
    await page.getByText('That password does not open this backup place.').waitFor();
    await password().fill(testPassword);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'One server is kept there' }).waitFor();
    await page.getByRole('button', { name: 'Back', exact: true }).first().click();
    await page.getByRole('heading', { name: 'Where are your backups?' }).waitFor();
  });

  test('a place that was added before its listing failed is not added a second time', async () => {
    const theirs = join(home.base, 'theirs');
    mkdirSync(theirs);
    await describePlace(theirs);
    const fault = { code: 'unavailable', persistence: 'temporary', operation: 'list', message: 'the connection was reset', context: {} };
    await page.route('**/api/call/destination.servers', (route) => route.fulfill({ json: { ok: false, fault } }), { times: 1 });
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByText('The backup place does not answer.').waitFor();
    expect(await names()).toEqual(['nas', 'theirs']);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('heading', { name: 'No servers are kept there' }).waitFor();
    expect(await names()).toEqual(['nas', 'theirs']);
  });

  test('a try that failed is made again with another folder, and that one is the server’s from then on', async () => {
    await page.getByRole('button', { name: 'Back', exact: true }).first().click();
    await page.getByRole('button', { name: /^nas/ }).click();
    const found = page.getByRole('article').first();
    await found.getByLabel('Folder on this computer').fill(join(home.base, 'first'));
    const fault = { code: 'unavailable', persistence: 'temporary', operation: 'get', message: 'the connection was reset', context: {} };
    await page.route('**/api/call/restore.start', (route) => route.fulfill({ json: { ok: false, fault } }), { times: 1 });
    await found.getByRole('button', { name: /^Bring/ }).click();
    await found.getByText('The backup place does not answer.').waitFor();
    const second = join(home.base, 'second');
    await found.getByLabel('Folder on this computer').fill(second);
    await found.getByRole('button', { name: /^Bring/ }).click();
    await found.getByText('Brought back.').waitFor();
    expect(readFileSync(join(second, 'level.dat'), 'utf8')).toBe('blocks');
    const { servers } = JSON.parse(readFileSync(join(home.config, 'config.json'), 'utf8'));
    expect(servers).toMatchObject([{ folder: second }]);
  });

  test('where no servers are there is a way back; the same place described once more is the same', async () => {
    await page.getByRole('button', { name: 'Back', exact: true }).first().click();
    await describePlace(`${home.place}/`);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('heading', { name: 'One server is kept there' }).waitFor();
    expect(await names()).toEqual(['nas', 'theirs']);
    expect(complaints.filter((text) => !/status of (409|400)/.test(text))).toEqual([]);
  });
});
