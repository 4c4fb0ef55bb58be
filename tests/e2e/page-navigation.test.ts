import { describe, expect, test } from 'vitest';
import { openStage } from '../support/page/stage.ts';
import { browserMissing } from '../support/page/browser.ts';
import { openStagedPage } from '../support/page/staged-page.ts';

describe.skipIf(browserMissing !== '')(`ways through the page${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const stage = openStage();

  test('an address that leads nowhere says so and leads home, also one that is no address at all', async () => {
    const { page, complaints } = await openStagedPage(stage.browser, stage.service, 'nosuch');
    const none = page.getByRole('heading', { name: 'There is no such page.' });
    await none.waitFor();
    await page.getByRole('main').getByRole('link', { name: 'Home' }).click();
    await page.getByRole('article').nth(3).waitFor();
    await page.evaluate("location.hash = '#/%'");
    await none.waitFor();
    await page.evaluate("location.hash = '#/snapshots/%E0%A4%A'");
    await page.getByText('%E0%A4%A').waitFor();
    // Opened with it.
    await page.evaluate("location.hash = '#/%'");
    await page.reload();
    await none.waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test.each([360, 420, 560, 719, 720, 959])('the number of servers that need somebody stays at its icon (%s px)', async (width) => {
    const { page } = await openStagedPage(stage.browser, stage.service, '', { viewport: { width, height: 640 } });
    const home = page.getByRole('navigation').getByRole('link', { name: 'Home' });
    await page.getByRole('article').nth(3).waitFor();
    const [count, icon] = await Promise.all([home.locator('.count').boundingBox(), home.locator('svg').boundingBox()]);
    if (count === null || icon === null) throw new Error('it is not shown');
    const apart = count.x - (icon.x + icon.width);
    expect([apart > -icon.width, apart < 12], `${String(apart)} px`).toEqual([true, true]);
    await page.context().close();
  });
});
