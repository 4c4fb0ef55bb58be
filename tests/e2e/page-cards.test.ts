import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { browserMissing, openBrowser, openPage } from '../support/page/browser.ts';
import { stagedNow, stagedServers, stageService } from '../support/page/staged-service.ts';

describe.skipIf(browserMissing !== '')(`cards on the page${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

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
      // Nobody restores by a schedule.
      stage.emit({ event: 'server', data: { ...creative, state: 'failed', last: { ...last, kind: 'restore' } } });
      const failed = staged.page.getByRole('article', { name: 'Creative' });
      await failed.getByText(/The last restore failed/).waitFor();
      expect(await failed.innerText()).not.toContain('The next try');
      // Nothing has to be unfolded to stop what runs, or to begin.
      await staged.page.setViewportSize({ width: 360, height: 640 });
      await staged.page.getByRole('article', { name: 'Survival' }).getByRole('button', { name: 'Cancel' }).waitFor();
      stage.emit({ event: 'server', data: { ...creative, state: 'new', lastSuccess: null } });
      await failed.getByRole('button', { name: 'Back up now' }).waitFor();
      expect(staged.complaints).toEqual([]);
    } finally {
      await staged.page.context().close();
      await stage.http.close();
    }
  });
});
