import { describe, expect, test } from 'vitest';
import { browserMissing } from '../support/page/browser.ts';
import { openStage } from '../support/page/stage.ts';
import { openStagedPage } from '../support/page/staged-page.ts';

describe.skipIf(browserMissing !== '')(`times of the day on the page${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const stage = openStage();

  test('have 24 hours in every browser, are taken as people type them, and what is none is told and not saved', async () => {
    const { page, complaints } = await openStagedPage(stage.browser, stage.service, 'settings', { locale: 'en-US' });
    const from = page.getByRole('textbox', { name: 'From', exact: true });
    const [first, second] = [from.first(), from.nth(1)];
    await second.waitFor();
    // A field of the browser's own has such a value, but shows it in the browser's way.
    const kind = await Promise.all(['type', 'inputmode'].map((name) => second.getAttribute(name)));
    expect([...kind, await second.inputValue()]).toEqual(['text', 'numeric', '23:00']);
    for (const [typed, shown] of [
      ['8:15', '08:15'],
      ['0930', '09:30'],
      ['7.45', '07:45'],
      ['600', '06:00'],
    ] as const) {
      await first.focus();
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.type(typed);
      expect(await first.inputValue()).toBe(typed);
      await page.keyboard.press('Tab');
      expect(await first.inputValue()).toBe(shown);
    }
    const form = page.locator('form').filter({ has: from });
    const save = form.getByRole('button', { name: 'Save', exact: true });
    await first.fill('24:10');
    await form.getByText('A time such as 03:30.').waitFor();
    expect([await first.getAttribute('aria-invalid'), await save.getAttribute('aria-disabled')]).toEqual(['true', 'true']);
    // Enter sends what is typed, also while it stands there as it was typed.
    const asked = page.waitForRequest('**/api/call/bandwidth.set');
    await first.fill('730');
    await first.press('Enter');
    expect((await asked).postDataJSON()).toMatchObject({ limit: '07:30,2M 23:00,off' });
    expect(complaints.filter((line) => !line.includes('409 (Conflict)'))).toEqual([]);
    await page.context().close();
  });
});
