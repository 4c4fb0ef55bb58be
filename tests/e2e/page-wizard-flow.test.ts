import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServerStatus } from '../../main/contract/server-status.ts';
import { browserMissing, openBrowser } from '../support/page/browser.ts';
import { openLivePage } from '../support/page/live-page.ts';
import { chooseFolder, describeFolderPlace, toPlaces } from '../support/page/setting-up.ts';
import { ServiceHome, type RunningService } from '../support/service-process.ts';

const chosen = 'quiet copper lantern meadow';

describe.skipIf(browserMissing !== '')(`setting up with the page${browserMissing === '' ? '' : ` (skipped: ${browserMissing})`}`, () => {
  const home = new ServiceHome();
  let browser: Browser;
  let service: RunningService;

  beforeAll(async () => {
    mkdirSync(join(home.folder, 'world'));
    writeFileSync(join(home.folder, 'server.properties'), 'level-name=world\n');
    writeFileSync(join(home.folder, 'world', 'level.dat'), 'blocks');
    await home.json(['keychain', 'use', 'machine-key', '--yes']);
    service = await home.start();
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
  });

  test('five clicks lead from a known folder to the first backup, in a new place with a key file', async () => {
    const { page, complaints } = await openLivePage(browser, service, 'new-server');
    let clicks = 0;
    const click = async (what: Locator): Promise<void> => {
      clicks++;
      await what.click();
    };
    await chooseFolder(page, home.folder, /2 files/);
    expect(await page.getByLabel('What is in it').inputValue()).toBe('minecraft');
    await page.getByLabel('Name', { exact: true }).fill('Survival');
    await page.keyboard.press('Enter');

    await page.getByRole('heading', { name: 'Where should Survival be kept?' }).waitFor();
    await click(page.getByRole('radio', { name: 'Folder or NAS' }));
    await page.getByLabel('Folder', { exact: true }).fill(home.place);
    // Tests the connection, and goes on as all is well.
    await click(page.getByRole('button', { name: 'Continue' }));

    await page.getByLabel('Password', { exact: true }).fill('abc');
    await page.getByText(/^Guessed/).waitFor();
    await page.getByLabel('Password', { exact: true }).fill(chosen);
    await page.getByText('Very strong.').waitFor();
    await page.getByLabel('Password again', { exact: true }).fill(chosen);
    const download = page.waitForEvent('download');
    await click(page.getByRole('button', { name: 'Download key file' }));
    const kit = await download;
    expect(kit.suggestedFilename()).toBe('holdfast-recovery-kit-place.html');
    expect(readFileSync(await kit.path(), 'utf8')).toContain('Holdfast recovery kit');
    await page.getByLabel('With the recovery key').check();
    // Another key file is another thing to put away.
    const goOn = page.getByRole('button', { name: 'It is put away, continue' });
    expect(await goOn.getAttribute('aria-disabled')).toBe('true');
    await page.getByRole('button', { name: 'Print…' }).click();
    await page.getByText('It is made. Now put it away.').waitFor();
    const heading = "document.querySelector('iframe[data-print]').contentDocument.querySelector('h1')";
    expect(await page.evaluate<string>(`${heading}.textContent`)).toBe('Holdfast recovery kit');
    expect(await page.evaluate<string>(`getComputedStyle(${heading}).fontSize`)).toBe('25.6px');
    await click(goOn);

    await page.getByText(/snapshots in half a year/).waitFor();
    await click(page.getByRole('button', { name: 'Back up now' }));
    await page.getByRole('heading', { name: 'Survival is safe' }).waitFor();
    expect(clicks).toBe(5);

    const [status] = (await home.json(['server', 'list'])) as ServerStatus[];
    expect(status).toMatchObject({
      ...{ state: 'ok' },
      settings: {
        ...{ name: 'Survival', slug: 'survival', folder: home.folder, destinations: ['place'], preset: 'minecraft' },
        ...{ schedule: { kind: 'every', hours: 4 }, keep: { last: 3, daily: 7, weekly: 4, monthly: 6 } },
      },
    });
    await page.getByRole('button', { name: 'Go to Home' }).click();
    await page.getByRole('heading', { name: 'Your server is safe' }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('a place that is there is offered first, and three clicks are enough', async () => {
    const other = join(home.base, 'creative');
    mkdirSync(other);
    writeFileSync(join(other, 'notes.txt'), 'hello');
    const { page, complaints } = await openLivePage(browser, service, 'new-server');
    await toPlaces(page, other);
    expect(await page.getByRole('radio', { name: /^place/ }).isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Back up now' }).click();
    await page.getByRole('heading', { name: 'Creative is safe' }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('backups that another password seals are told, and opened by theirs', async () => {
    const theirs = join(home.base, 'theirs');
    const folder = join(home.base, 'lobby');
    for (const path of [theirs, folder]) mkdirSync(path);
    writeFileSync(join(folder, 'level.dat'), 'more blocks');
    await home.json(['backup', folder, '-d', `folder:${theirs}`], { HOLDFAST_PASSWORD: 'their own words' });
    const before = readdirSync(theirs);
    const { page, complaints } = await openLivePage(browser, service, 'new-server');
    await toPlaces(page, folder);
    await page.getByRole('radio', { name: /^A new place/ }).check();
    await describeFolderPlace(page, theirs);
    await page.getByRole('button', { name: 'Continue' }).click();
    for (const label of ['Password', 'Password again']) await page.getByLabel(label, { exact: true }).fill(chosen);
    await page.getByRole('button', { name: 'Download key file' }).click();
    await page.getByText('Backups are in this place already, and another password opens them. Enter that one.').waitFor();
    expect(readdirSync(theirs)).toEqual(before);
    const password = page.getByLabel('Password of this backup place');
    await password.fill('not this either');
    await page.keyboard.press('Enter');
    await page.getByText('That password does not open this backup place. Check Caps Lock.').waitFor();
    await password.fill('their own words');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Back up now' }).click();
    await page.getByRole('heading', { name: 'Lobby is safe' }).waitFor();
    // The browser's own word for the two refusals.
    expect(complaints.filter((line) => !line.includes('409 (Conflict)'))).toEqual([]);
    await page.context().close();
  });

  test('a folder that cannot be backed up says why', async () => {
    const nothing = join(home.base, 'nothing');
    mkdirSync(nothing);
    const { page, complaints } = await openLivePage(browser, service, 'new-server');
    for (const [path, why] of [
      ['relative/path', 'Give the whole path, from the root on.'],
      [join(home.base, 'none'), `There is no folder ${join(home.base, 'none')} on that computer.`],
      [join(home.folder, 'server.properties'), 'is a file, not a folder.'],
      [nothing, 'is empty. Perhaps its disk is not mounted.'],
      [home.base, 'and a backup place lie one inside the other'],
    ] as const) {
      await chooseFolder(page, path, why);
      expect(await page.getByLabel('Name', { exact: true }).count()).toBe(0);
    }
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('a place that cannot be used says what is wrong with it and what to do', async () => {
    const file = join(home.base, 'no-folder');
    const folder = join(home.base, 'skyblock');
    writeFileSync(file, '');
    mkdirSync(folder);
    writeFileSync(join(folder, 'level.dat'), 'blocks');
    const { page, complaints } = await openLivePage(browser, service, 'new-server');
    await toPlaces(page, folder);
    await page.getByRole('radio', { name: /^A new place/ }).check();
    await describeFolderPlace(page, file);
    await page.getByRole('button', { name: 'Test connection' }).click();
    await page.getByText('One thing to mend.').waitFor();
    const row = page.getByRole('listitem').filter({ hasText: 'Failed: ' });
    expect(await row.innerText()).toContain('has a file where a folder should be');
    expect(await row.innerText()).toContain('Next:');
    expect(await page.getByRole('button', { name: 'Continue' }).getAttribute('aria-disabled')).toBe('true');
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
