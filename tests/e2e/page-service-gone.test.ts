import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { browserMissing, openBrowser } from '../support/page/browser.ts';
import { openLivePage } from '../support/page/live-page.ts';
import { ServiceHome } from '../support/service-process.ts';

describe.skipIf(browserMissing !== '')(`a service that is gone${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const home = new ServiceHome();
  let browser: Browser;

  beforeAll(async () => {
    writeFileSync(join(home.folder, 'level.dat'), 'blocks');
    await home.setUp();
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test('is told on every view, and all of that goes once it is back', async () => {
    const service = await home.start();
    const { page } = await openLivePage(browser, service, '');
    const card = page.getByRole('article', { name: 'Survival' });
    await card.waitFor();
    const alone: Page[] = [];
    for (const view of ['new-server', 'new-machine']) {
      const tab = await page.context().newPage();
      await tab.goto(`http://127.0.0.1:${service.port}/#/${view}`);
      await tab.getByRole('heading', { level: 1 }).waitFor();
      alone.push(tab);
    }
    await service.stop('SIGKILL');
    for (const tab of [page, ...alone]) await tab.getByText('The service does not answer. Trying again.').waitFor();
    await card.getByRole('button', { name: /^(Back up now|Try now)$/ }).click();
    const failed = card.getByText('The service does not answer.');
    await failed.waitFor();

    const again = await home.start();
    for (const tab of [page, ...alone]) await tab.getByText('The service does not answer. Trying again.').waitFor({ state: 'detached' });
    await failed.waitFor({ state: 'detached' });
    await card.getByRole('button', { name: /^(Back up now|Try now)$/ }).click();
    await card.getByText('Safe', { exact: true }).waitFor();
    await page.context().close();
    await again.stop();
  });
});
