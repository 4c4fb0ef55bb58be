import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright';
import { axeFindings, contrastFindings } from '../support/page/axe.ts';
import { browserMissing, openBrowser } from '../support/page/browser.ts';
import { openStagedPage } from '../support/page/staged-page.ts';
import { stageService, type StagedService } from '../support/page/staged-service.ts';
import { stateViews } from '../support/page/state-views.ts';
import { views, type View } from '../support/page/views.ts';
import { walkWizard, wizardSteps } from '../support/page/wizard-views.ts';

/**
 * Each view once in light and English, as wide as a desktop, and once dark and in German, as small as the tray's window. The other scheme changes
 * nothing but colours: of it the contrasts are looked at, at both sizes.
 */
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

  /** Opens a view and looks at it, and at what `ready` stops at on its way. */
  async function lookAt(
    view: Pick<View, 'path' | 'empty' | 'locked'>,
    { scheme, language, viewport }: (typeof looks)[number],
    ready: (page: Page, service: StagedService, look: () => Promise<void>) => Promise<unknown>,
  ): Promise<void> {
    const service = await stageService({ empty: view.empty === true, locked: view.locked === true });
    const locale = language === 'de' ? 'de-DE' : 'en-GB';
    const { page, complaints } = await openStagedPage(browser, service, view.path, { viewport, colorScheme: scheme, locale });
    const look = async (): Promise<void> => {
      expect(await axeFindings(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: scheme === 'light' ? 'dark' : 'light' });
      expect(await contrastFindings(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: scheme });
      expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
    };
    try {
      await ready(page, service, look);
      await look();
      // The browser's own word for a refusal that is shown.
      expect(complaints.filter((line) => !line.includes('409 (Conflict)'))).toEqual([]);
    } finally {
      await page.context().close();
      await service.http.close();
    }
  }

  const says = 'nothing that axe finds, nothing in the console, nothing wider than the window';
  for (const look of looks) {
    const { scheme, language } = look;
    for (const view of [...views, ...stateViews]) {
      // What clicks its way by English names is looked at in English only.
      if (language === 'de' && view.languages?.includes('de') !== true) continue;
      // These are looked at on one way through all of them.
      if (wizardSteps.includes(view)) continue;
      test(`${view.name}, ${scheme}, ${language}: ${says}`, () =>
        lookAt(view, look, (page, service) => view.ready(page, language, service)));
    }
    test(`the wizard, ${scheme}, ${language}: ${says}`, async () => {
      const seen: string[] = [];
      await lookAt({ path: 'new-server' }, look, (page, _, at) =>
        walkWizard(page, language, 'wizard-first', async (name) => {
          seen.push(name);
          await at();
        }),
      );
      expect(seen).toEqual(wizardSteps.map(({ name }) => name));
    });
  }
});
