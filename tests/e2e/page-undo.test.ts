import { describe, expect, test } from 'vitest';
import { browserMissing } from '../support/page/browser.ts';
import { openStage } from '../support/page/stage.ts';
import { openStagedPage } from '../support/page/staged-page.ts';
import { restoredJob, restoringJob } from '../support/page/staged-restore.ts';
import { stagedServers } from '../support/page/staged-service.ts';

describe.skipIf(browserMissing !== '')(
  `what a restore set aside, on the page${browserMissing === '' ? '' : ` (${browserMissing})`}`,
  () => {
    const stage = openStage();

    test('is neither looked at nor offered while another tab restores, and is looked at when that has ended; a look that failed is made again', async () => {
      const { service } = stage;
      const { page, complaints } = await openStagedPage(stage.browser, service, 'snapshots/creative/tide-s3');
      const creative = stagedServers.find(({ settings }) => settings.slug === 'creative');
      if (creative === undefined) throw new Error('Creative is not staged');
      const undo = page.getByRole('button', { name: 'Undo' });
      await undo.waitFor();
      let looks = 0;
      const fault = { code: 'unexpected', persistence: 'permanent', operation: 'undo', message: 'the folder is gone', context: {} };
      await page.route('**/api/call/undo.list', (route) => {
        looks++;
        return looks === 1 ? route.fulfill({ json: { ok: false, fault } }) : route.continue();
      });
      service.emit({ event: 'server', data: { ...creative, state: 'running', running: restoringJob } });
      await page.getByRole('progressbar').waitFor();
      await undo.waitFor({ state: 'detached' });
      // The list of snapshots is read anew, and this one is not.
      expect([looks, await page.getByRole('alert').count()]).toEqual([0, 0]);
      service.emit({ event: 'server', data: { ...creative, last: restoredJob } });
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByRole('alert').waitFor({ state: 'detached' });
      await undo.waitFor();
      expect(looks).toBe(2);
      expect(complaints).toEqual([]);
      await page.context().close();
    });
  },
);
