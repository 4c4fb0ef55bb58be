import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServerStatus } from '../../main/contract/server-status.ts';
import { browserMissing, openBrowser } from '../support/page/browser.ts';
import { openLivePage } from '../support/page/live-page.ts';
import { ServiceHome, type RunningService } from '../support/service-process.ts';

const passphrase = 'open sesame, please';

/** A real service that nobody gave the passphrase of its key file. */
describe.skipIf(browserMissing !== '')(`a locked keychain on the page${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const home = new ServiceHome();
  let browser: Browser;
  let service: RunningService;
  let page: Page;
  let complaints: readonly string[];

  beforeAll(async () => {
    writeFileSync(join(home.folder, 'level.dat'), 'blocks');
    await home.setUp();
    await home.json(['destination', 'password', 'nas']);
    await home.json(['server', 'backup', 'survival']);
    await home.json(['keychain', 'use', 'sealed-file'], { HOLDFAST_KEYCHAIN_PASSPHRASE: passphrase });
    browser = await openBrowser();
    service = await home.start();
    ({ page, complaints } = await openLivePage(browser, service, ''));
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
  });

  test('the page says so, shows what there is, and a backup waits for it', async () => {
    await page.getByText('The keychain is locked, so backups wait until it is open.').waitFor();
    const card = page.getByRole('article', { name: 'Survival' });
    await card.getByRole('button', { name: 'Back up now' }).click();
    await card.getByText('The keychain is locked.').waitFor();
    await page.goto(`http://127.0.0.1:${service.port}/#/settings`);
    await page.getByRole('link', { name: /^nas/ }).waitFor();
  });

  test('a wrong passphrase is told; the right one opens it and ends the pause at once, and with it all that was said of it', async () => {
    const machine = await page.context().newPage();
    await machine.goto(`http://127.0.0.1:${service.port}/#/new-machine`);
    await machine.getByRole('button', { name: /^nas/ }).click();
    const refused = machine.getByText('The keychain is locked.', { exact: true });
    await refused.waitFor();
    const [row] = (await home.json(['snapshots', '-d', `folder:${home.place}`])) as { id: string }[];
    await page.goto(`http://127.0.0.1:${service.port}/#/snapshots/survival/nas/${row?.id ?? ''}`);
    await page.getByText('The keychain is locked.', { exact: true }).waitFor();
    expect(await page.getByText('The keychain is locked.', { exact: true }).count()).toBe(1);
    await page.getByRole('button', { name: 'Open the keychain…' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Passphrase').fill('open barley');
    await page.keyboard.press('Enter');
    await dialog.getByText('That passphrase does not open it.').waitFor();
    await dialog.getByLabel('Passphrase').fill(passphrase);
    await page.keyboard.press('Enter');
    await page.getByText('The keychain is open.').waitFor();
    // What only reads is read by itself; what was begun by a person waits for them, without its error.
    await page.getByRole('treeitem', { name: /level\.dat/ }).waitFor();
    await refused.waitFor({ state: 'detached' });
    expect(await page.getByText('The keychain is locked.', { exact: true }).count()).toBe(0);
    await machine.close();
    await page.goto(`http://127.0.0.1:${service.port}/#/`);
    const card = page.getByRole('article', { name: 'Survival' });
    await card.getByText('The keychain is open again').waitFor();
    expect(await page.getByRole('button', { name: 'Open the keychain…' }).count()).toBe(0);
    expect((await home.json(['server', 'list'])) as ServerStatus[]).toMatchObject([{ state: 'late' }]);
    await card.getByRole('button', { name: /^(Back up now|Try now)$/ }).click();
    await card.getByText('Safe', { exact: true }).waitFor();
  });

  test('the passphrase is nowhere: not in the log, nor in what the page keeps', async () => {
    expect(readFileSync(join(home.own(), 'log', 'holdfast.log'), 'utf8')).not.toContain(passphrase);
    expect(await page.evaluate<string>('JSON.stringify({ ...sessionStorage, ...localStorage })')).not.toContain(passphrase);
    expect(complaints.filter((text) => !/status of (409|400|423|503)/.test(text))).toEqual([]);
  });
});
