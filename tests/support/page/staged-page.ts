import type { Browser, BrowserContextOptions } from 'playwright';
import { openPage, type WatchedPage } from './browser.ts';
import { toldApart } from './staged-restore.ts';
import { runningJob, stagedNow, type StagedService } from './staged-service.ts';

export interface StagedPageOptions extends BrowserContextOptions {
  /** False where time is measured: a clock that stands still costs time of its own. */
  readonly clock?: boolean;
}

/** The page of a stage, signed in, at the time of the stage, told twice of the job that runs. `view`: behind `#/`. */
export async function openStagedPage(
  browser: Browser,
  service: StagedService,
  view: string,
  { clock = true, ...options }: StagedPageOptions = {},
): Promise<WatchedPage> {
  const watched = await openPage(browser, { viewport: { width: 1100, height: 760 }, reducedMotion: 'reduce', ...options });
  const { page } = watched;
  if (clock) await page.clock.setFixedTime(stagedNow);
  // It asks for a running job once it has taken all that the service lists.
  const taken = clock && service.isBusy ? page.waitForRequest('**/api/call/job.get') : null;
  await page.goto(service.link());
  await page.goto(`http://127.0.0.1:${service.http.port}/#/${view}`);
  if (taken !== null) {
    await taken;
    await page.clock.setFixedTime(stagedNow + toldApart * 1000);
    service.emit({ event: 'job', data: runningJob });
  }
  return watched;
}
