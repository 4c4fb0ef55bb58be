import type { Browser, BrowserContextOptions } from 'playwright';
import { openPage, type WatchedPage } from './browser.ts';
import { stagedNow, type StagedService } from './staged-service.ts';

export interface StagedPageOptions extends BrowserContextOptions {
  /** False where time is measured: a clock that stands still costs time of its own. */
  readonly clock?: boolean;
}

/** The page of a stage, signed in, at the time of the stage. `view`: behind `#/`. */
export async function openStagedPage(
  browser: Browser,
  service: StagedService,
  view: string,
  { clock = true, ...options }: StagedPageOptions = {},
): Promise<WatchedPage> {
  const watched = await openPage(browser, { viewport: { width: 1100, height: 760 }, reducedMotion: 'reduce', ...options });
  const { page } = watched;
  if (clock) await page.clock.setFixedTime(stagedNow);
  await page.goto(service.link());
  await page.goto(`http://127.0.0.1:${service.http.port}/#/${view}`);
  return watched;
}
