import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright';
import { browserMissing, openBrowser, openPage } from '../support/page/browser.ts';
import { openLivePage } from '../support/page/live-page.ts';
import { stagedNow, stagedServers, stageService } from '../support/page/staged-service.ts';
import { ServiceHome, type RunningService } from '../support/service-process.ts';
import { treeDigest } from '../support/tree-digest.ts';

/** What runs and waits, seen and stopped on the page of a real service. The restore is slow by the settings' own limit. */
describe.skipIf(browserMissing !== '')(`jobs on the page${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const home = new ServiceHome();
  let browser: Browser;
  let service: RunningService;
  let page: Page;
  let complaints: readonly string[];
  let before = '';

  beforeAll(async () => {
    mkdirSync(join(home.folder, 'world'));
    writeFileSync(join(home.folder, 'world/region.mca'), randomBytes(24_000_000));
    writeFileSync(join(home.folder, 'world/level.dat'), 'first blocks');
    await home.setUp();
    await home.json(['server', 'backup', 'survival']);
    writeFileSync(join(home.folder, 'world/level.dat'), 'later blocks');
    before = treeDigest(home.folder);
    const file = join(home.config, 'config.json');
    const settings = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...settings, bandwidth: { limit: 'off:40K', whilePlayers: 'off' } }));
    browser = await openBrowser();
    service = await home.start();
    ({ page, complaints } = await openLivePage(browser, service, ''));
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
  });

  const card = () => page.getByRole('article', { name: 'Survival' });
  const dialog = () => page.getByRole('dialog');

  test('a restore is shown as what it does, also when the page is loaded anew; cancelled, it leaves the folder as it was and says so', async () => {
    await card().getByRole('button', { name: 'Restore…' }).click();
    await dialog()
      .getByText(/ are free at /)
      .waitFor();
    await dialog().getByRole('button', { name: 'Other choices…' }).click();
    await dialog().getByRole('button', { name: 'Restore', exact: true }).click();
    await dialog().getByRole('progressbar').waitFor();
    await page.reload();
    await card().getByText('Restoring', { exact: true }).waitFor();
    await card().getByRole('button', { name: 'Restore…' }).click();
    await dialog().getByRole('heading', { name: 'Restoring Survival' }).waitFor();
    await dialog()
      .getByText(/The files in use are not touched yet\.$/)
      .waitFor();
    await dialog().getByRole('button', { name: 'Cancel, change nothing' }).click();
    await dialog().getByRole('heading', { name: 'Cancelled' }).waitFor();
    await dialog().getByText('Nothing was changed; the files are as they were.').waitFor();
    expect(treeDigest(home.folder)).toBe(before);
    expect(readdirSync(home.base).filter((name) => name.includes('srv'))).toEqual(['srv']);
    expect(complaints).toEqual([]);
  });

  test('a card says what failed, names the place that needs the sign-in', async () => {
    const stage = await stageService();
    const staged = await openPage(browser, { viewport: { width: 1100, height: 760 } });
    try {
      await staged.page.clock.setFixedTime(stagedNow);
      await staged.page.goto(stage.link());
      await staged.page.getByRole('article').nth(3).waitFor();
      const [google, , , creative] = stagedServers;
      if (google === undefined || creative === undefined) throw new Error('the stage has lost its servers');
      const last = stagedServers[1]?.last ?? null;
      if (last?.fault === null || last === null) throw new Error('the stage has lost its failed job');
      stage.emit({
        event: 'server',
        data: { ...creative, state: 'failed', last: { ...last, kind: 'drill', destination: 'tide-s3' } },
      });
      await staged.page
        .getByRole('article', { name: 'Creative' })
        .getByText(/The last test restore failed/)
        .waitFor();
      stage.emit({
        event: 'server',
        data: {
          ...google,
          settings: { ...google.settings, destinations: ['google', 'tide-s3'] },
          last: { ...last, fault: { ...last.fault, code: 'sign-in-needed', context: { destination: 'tide-s3' } } },
        },
      });
      await staged.page.getByRole('article', { name: 'Nextcloud' }).getByRole('button', { name: 'Sign in to S3…' }).waitFor();
      // Still under way when the next one would be due.
      const running = { ...last, kind: 'backup', state: 'running', endedAt: null, fault: null } as const;
      stage.emit({ event: 'server', data: { ...creative, state: 'late', running } });
      const late = staged.page.getByRole('article', { name: 'Creative' });
      await late.getByText('Running late', { exact: true }).waitFor();
      await late.getByText(/has run past the time of the next backup/).waitFor();
      expect(staged.complaints).toEqual([]);
    } finally {
      await staged.page.context().close();
      await stage.http.close();
    }
  });
});
