import type { Browser, Locator } from 'playwright';
import type { RunningService } from '../service-process.ts';
import { openLivePage } from './live-page.ts';
import type { WatchedPage } from './browser.ts';
import { sayIn, type Language, type Say } from './words.ts';

/** Somebody at the page of a real service, who finds everything by the words that a person reads. */
export interface Visitor extends WatchedPage {
  readonly say: Say;
  readonly button: (...text: Parameters<Say>) => Locator;
  readonly field: (key: Parameters<Say>[0]) => Locator;
  readonly text: (...text: Parameters<Say>) => Locator;
  readonly heading: (...text: Parameters<Say>) => Locator;
  readonly card: (server: string) => Locator;
  readonly goHome: () => Promise<void>;
}

export async function visit(browser: Browser, service: RunningService, view: string, language: Language = 'en'): Promise<Visitor> {
  const locale = language === 'en' ? 'en-GB' : 'de-DE';
  const watched = await openLivePage(browser, service, view, { locale });
  const { page } = watched;
  const say = sayIn(language);
  const exact = true;
  return {
    ...watched,
    say,
    button: (key, values) => page.getByRole('button', { name: say(key, values), exact }),
    field: (key) => page.getByLabel(say(key), { exact }),
    text: (key, values) => page.getByText(say(key, values)),
    heading: (key, values) => page.getByRole('heading', { name: say(key, values), exact }),
    card: (server) => page.getByRole('article', { name: server, exact }),
    goHome: async () => {
      await page.goto(`http://127.0.0.1:${String(service.port)}/#/`);
    },
  };
}
