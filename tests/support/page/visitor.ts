import type { Browser, Locator, Page } from 'playwright';
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
  /** To another view, by what stands behind `#/`. */
  readonly go: (view: string) => Promise<void>;
  /** What is on the clipboard. */
  readonly copied: () => Promise<string>;
  /** Is done with the page. */
  readonly leave: () => Promise<void>;
}

export function localeOf(language: Language): string {
  return language === 'en' ? 'en-GB' : 'de-DE';
}

export function visitorAt(watched: WatchedPage, language: Language, own: Partial<Pick<Visitor, 'copied' | 'leave'>> = {}): Visitor {
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
    // The page itself may not be left: the app's window goes nowhere.
    go: (view) => page.evaluate(`location.hash = ${JSON.stringify(`#/${view}`)}`),
    copied: () => copiedOn(page),
    leave: () => page.context().close(),
    ...own,
  };
}

async function copiedOn(page: Page): Promise<string> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  return await page.evaluate<string>('navigator.clipboard.readText()');
}

export async function visit(browser: Browser, service: RunningService, view: string, language: Language = 'en'): Promise<Visitor> {
  return visitorAt(await openLivePage(browser, service, view, { locale: localeOf(language) }), language);
}
