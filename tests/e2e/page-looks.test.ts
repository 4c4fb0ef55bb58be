import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from 'playwright';
import { browserMissing, openBrowser } from '../support/page/browser.ts';
import { openStagedPage } from '../support/page/staged-page.ts';
import { stageService } from '../support/page/staged-service.ts';
import { stateViews } from '../support/page/state-views.ts';
import { views } from '../support/page/views.ts';

/** Each view once in light and English, as wide as a desktop, and once dark and in German, as small as the tray's window. */
const looks = [
  { scheme: 'light', language: 'en', viewport: { width: 1100, height: 760 } },
  { scheme: 'dark', language: 'de', viewport: { width: 360, height: 640 } },
] as const;

describe.skipIf(browserMissing !== '')(`every view of the page${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  for (const view of [...views, ...stateViews]) {
    for (const { scheme, language, viewport } of looks) {
      // What clicks its way by English names is looked at in English only.
      if (language === 'de' && view.languages?.includes('de') !== true) continue;
      test(`${view.name}, ${scheme}, ${language}: nothing that axe finds, nothing in the console, nothing wider than the window`, async () => {
        const service = await stageService({ empty: view.empty === true, locked: view.locked === true });
        const locale = language === 'de' ? 'de-DE' : 'en-GB';
        const { page, complaints } = await openStagedPage(browser, service, view.path, { viewport, colorScheme: scheme, locale });
        try {
          await view.ready(page, language, service);
          const { violations } = await new AxeBuilder({ page }).analyze();
          expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' | ')}`)).toEqual([]);
          // The browser's own word for a refusal that is shown.
          expect(complaints.filter((line) => !line.includes('409 (Conflict)'))).toEqual([]);
          expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
        } finally {
          await page.context().close();
          await service.http.close();
        }
      });
    }
  }
});
