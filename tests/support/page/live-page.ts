import type { Browser, BrowserContextOptions } from 'playwright';
import { signInLink } from '../../../main/compose/service/http-client.ts';
import type { RunningService } from '../service-process.ts';
import { openPage, type WatchedPage } from './browser.ts';

/** The page of a real service, signed in by a link as `holdfast open-page` prints it. */
export async function openLivePage(
  browser: Browser,
  service: RunningService,
  view: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const watched = await openPage(browser, { viewport: { width: 1100, height: 900 }, reducedMotion: 'reduce', ...options });
  await watched.page.goto(await signInLink(service));
  await watched.page.goto(`http://127.0.0.1:${service.port}/#/${view}`);
  return watched;
}
