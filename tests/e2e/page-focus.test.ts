import { describe, expect, test } from 'vitest';
import type { Page } from 'playwright';
import { openStage } from '../support/page/stage.ts';
import { browserMissing } from '../support/page/browser.ts';
import { openStagedPage } from '../support/page/staged-page.ts';

describe.skipIf(browserMissing !== '')(`the focus after a dialog${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const stage = openStage();

  const focused = (page: Page): Promise<string> =>
    page.evaluate<string>('document.activeElement.tagName + " " + document.activeElement.textContent.trim()');

  /** By the keyboard, as far as the answer to the question. */
  async function askToRemove(page: Page, name: string): Promise<void> {
    await page
      .getByRole('article', { name })
      .getByRole('button', { name: /^More for/ })
      .press('Enter');
    await page.getByRole('menuitem', { name: 'Stop backing up…' }).press('Enter');
    await page.getByRole('dialog').waitFor();
  }

  test('a dialog whose opener goes away leaves the keyboard at the heading, and any other where it was', async () => {
    const { page, complaints } = await openStagedPage(stage.browser, stage.service, '');
    await askToRemove(page, 'Survival');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.locator(':focus').getAttribute('aria-label')).toBe('More for Survival');

    // Told that it is gone before the call is answered, and after.
    const answered = Promise.withResolvers<void>();
    await page.route('**/api/call/server.remove', async (route) => {
      stage.service.emit({ event: 'server-removed', data: { slug: 'survival' } });
      await page.getByRole('article', { name: 'Survival' }).waitFor({ state: 'detached' });
      await route.fulfill({ json: { ok: true, value: {} } });
      answered.resolve();
    });
    await askToRemove(page, 'Survival');
    await page.getByRole('button', { name: 'Stop backing up' }).press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await focused(page)).toMatch(/^H1 /);

    // A route that is taken away while it answers can answer no more.
    await answered.promise;
    await page.unroute('**/api/call/server.remove');
    await page.route('**/api/call/server.remove', (route) => route.fulfill({ json: { ok: true, value: {} } }));
    await askToRemove(page, 'Creative');
    await page.getByRole('button', { name: 'Stop backing up' }).press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    stage.service.emit({ event: 'server-removed', data: { slug: 'creative' } });
    await page.getByRole('article', { name: 'Creative' }).waitFor({ state: 'detached' });
    expect(await focused(page)).toMatch(/^H1 /);
    // What a card had asked of a server that was removed meanwhile is refused: the browser's own word for it.
    expect(complaints.filter((line) => !line.includes('409 (Conflict)'))).toEqual([]);
    await page.context().close();
  });

  test('a dialog that leads to another view leaves the keyboard in it', async () => {
    const { page, complaints } = await openStagedPage(stage.browser, stage.service, 'settings/place/attic-nas');
    await page.route('**/api/call/destination.remove', (route) => route.fulfill({ json: { ok: true, value: {} } }));
    await page.getByText('Used by Home Assistant').waitFor();
    stage.service.emit({ event: 'server-removed', data: { slug: 'home-assistant' } });
    await page.getByText('Used by Home Assistant').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Forget this place…' }).press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Forget it' }).press('Enter');
    await page.getByRole('heading', { name: 'Settings', exact: true }).waitFor();
    expect(await focused(page)).toMatch(/^(H1|MAIN) /);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
