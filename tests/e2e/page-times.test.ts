import { describe, expect, test } from 'vitest';
import type { Page } from 'playwright';
import { openStage } from '../support/page/stage.ts';
import { browserMissing } from '../support/page/browser.ts';
import { openStagedPage } from '../support/page/staged-page.ts';
import { stagedServers } from '../support/page/staged-service.ts';
import { walkWizard } from '../support/page/wizard-views.ts';

/** The stage is at 14:02 UTC, where the service is that is 15:02; here it is 9:02 in the morning. */
const here = { timezoneId: 'America/New_York' };

describe.skipIf(browserMissing !== '')(`the next runs on the page${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const stage = openStage();

  async function nextRuns(page: Page): Promise<readonly string[]> {
    const runs = page.locator('.next');
    await runs.getByRole('listitem').nth(3).waitFor();
    return [...(await runs.getByRole('listitem').allInnerTexts()), await runs.getByText('Times of').innerText()];
  }

  test('of a new server are told by the clock of the service that will run them, and not beside what cannot be', async () => {
    const { page, complaints } = await openStagedPage(stage.browser, stage.service, 'new-server', here);
    await walkWizard(page, 'en', 'wizard-schedule');
    expect(await nextRuns(page)).toEqual(['today 16:00', 'today 20:00', 'tomorrow 00:00', 'tomorrow 04:00', 'Times of Europe/Berlin.']);
    const hours = page.getByLabel('Hours between backups');
    await hours.fill('0');
    await page.getByText('A whole number of hours from 1 to 24.').waitFor();
    expect(await page.getByRole('heading', { name: 'The next runs' }).count()).toBe(0);
    await hours.fill('6');
    await page.getByRole('heading', { name: 'The next runs' }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('of a server are told by the clock of its own schedule, today and tomorrow too', async () => {
    const { page, complaints } = await openStagedPage(stage.browser, stage.service, '', here);
    const creative = stagedServers.find(({ settings }) => settings.slug === 'creative');
    if (creative === undefined) throw new Error('Creative is not staged');
    await page.getByRole('heading', { name: 'Creative' }).waitFor();
    stage.service.emit({
      event: 'server',
      data: { ...creative, settings: { ...creative.settings, name: 'Far away', zone: 'Asia/Tokyo' } },
    });
    await page.getByRole('heading', { name: 'Far away' }).waitFor();
    const asked = page.waitForRequest('**/api/call/schedule.preview');
    await page.evaluate("location.hash = '#/settings/server/creative'");
    expect((await asked).postDataJSON()).toMatchObject({ zone: 'Asia/Tokyo' });
    // Ten in the morning here, and midnight there.
    expect(await nextRuns(page)).toEqual(['tomorrow 00:00', 'tomorrow 04:00', 'tomorrow 08:00', 'tomorrow 12:00', 'Times of Asia/Tokyo.']);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
