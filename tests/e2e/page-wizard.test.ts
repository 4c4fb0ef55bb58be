import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContextOptions } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browserMissing, openBrowser, openPage, type WatchedPage } from '../support/page/browser.ts';
import { runningJob, stagedNow, stageService, type StagedService } from '../support/page/staged-service.ts';
import { walkWizard } from '../support/page/wizard-views.ts';

describe.skipIf(browserMissing !== '')(`the wizard${browserMissing === '' ? '' : ` (skipped: ${browserMissing})`}`, () => {
  let browser: Browser;
  let service: StagedService;

  beforeAll(async () => {
    browser = await openBrowser();
    service = await stageService();
  });
  afterAll(async () => {
    await browser.close();
    await service.http.close();
  });

  async function opened(options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const watched = await openPage(browser, { viewport: { width: 1100, height: 760 }, reducedMotion: 'reduce', ...options });
    await watched.page.clock.setFixedTime(stagedNow);
    await watched.page.goto(service.link());
    await watched.page.goto(`http://127.0.0.1:${service.http.port}/#/new-server`);
    return watched;
  }

  test.each([
    { language: 'en', scheme: 'light', width: 1100 },
    { language: 'de', scheme: 'dark', width: 360 },
  ] as const)('has nothing that axe finds on any step: $language, $scheme, $width px', async ({ language, scheme, width }) => {
    const { page, complaints } = await opened({
      locale: language === 'de' ? 'de-DE' : 'en-GB',
      colorScheme: scheme,
      viewport: { width, height: 760 },
    });
    const found: string[] = [];
    const look = async (name: string): Promise<void> => {
      const { violations } = await new AxeBuilder({ page }).analyze();
      found.push(...violations.map(({ id, nodes }) => `${name}: ${id} ${nodes.map(({ target }) => target.join(' ')).join(', ')}`));
      // Nothing sticks out at the side.
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      if (wide > 0) found.push(`${name}: ${String(wide)} px too wide`);
    };
    await walkWizard(page, language, 'wizard-first', look);
    service.emit({ event: 'job', data: { ...runningJob, state: 'done', endedAt: stagedNow, bytes: 5e9, storedBytes: 3.6e9 } });
    await page.getByRole('heading', { name: language === 'de' ? 'Lobby ist gesichert' : 'Lobby is safe' }).waitFor();
    await look('wizard-done');
    expect(found).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('the folder picker goes by the keyboard alone, and gives the focus back', async () => {
    const { page, complaints } = await opened();
    await page.getByRole('button', { name: 'Browse…' }).focus();
    await page.keyboard.press('Enter');
    const path = page.getByRole('combobox', { name: 'Path' });
    await page.getByRole('option', { name: 'minecraft' }).waitFor();
    await path.press('End');
    await page.keyboard.type('/mi');
    await expect.poll(() => page.getByRole('option').count()).toBe(1);
    await page.keyboard.press('Enter');
    await expect.poll(() => path.inputValue()).toBe('/srv/minecraft');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await expect.poll(() => page.getByLabel('Folder', { exact: true }).inputValue()).toBe('/srv/minecraft');
    await page.getByText('9,318 files').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('what a field lacks is said at the field, once it was left', async () => {
    const { page } = await opened();
    await page.getByLabel('Folder', { exact: true }).fill('/nowhere/at/all');
    await page.keyboard.press('Enter');
    await page.getByText('The folder /nowhere/at/all does not exist.').waitFor();
    expect(await page.getByRole('button', { name: 'Continue' }).getAttribute('aria-disabled')).toBe('true');
    await walkWizardFromFolder(page);
    const bucket = page.getByLabel('Bucket', { exact: true });
    await bucket.fill('no spaces here');
    expect(await page.getByText('A bucket’s name has letters').count()).toBe(0);
    await bucket.blur();
    await page.getByText('A bucket’s name has letters').waitFor();
    expect(await bucket.getAttribute('aria-invalid')).toBe('true');
    await page.context().close();
  });

  test('leaving and coming back finds everything but secrets', async () => {
    const { page } = await opened();
    await walkWizard(page, 'en', 'wizard-place-test');
    await page.reload();
    await page.getByRole('heading', { name: 'Where should Lobby be kept?' }).waitFor();
    expect(await page.getByLabel('Bucket', { exact: true }).inputValue()).toBe('tide-backups');
    expect(await page.getByLabel('Access key ID', { exact: true }).inputValue()).toBe('');
    expect(await page.getByLabel('Secret access key', { exact: true }).inputValue()).toBe('');
    const kept = await page.evaluate<string>('JSON.stringify({ ...sessionStorage, ...localStorage })');
    expect(kept).toContain('tide-backups');
    expect(kept).not.toContain('not-a-real-secret-at-all');
    expect(kept).not.toContain('TDK7Q2M0VX4R9A1E');
    await page.context().close();
  });
});

/** On from a folder that was refused. */
async function walkWizardFromFolder(page: WatchedPage['page']): Promise<void> {
  await page.getByLabel('Folder', { exact: true }).fill('/srv/minecraft/lobby');
  await page.keyboard.press('Enter');
  await page.getByText('9,318').waitFor();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('radio', { name: /^A new place/ }).check();
}
