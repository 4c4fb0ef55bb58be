import type { Page } from 'playwright';

/** Presses of the mouse from now on; the keyboard's do not count. */
export async function countClicks(page: Page): Promise<() => Promise<number>> {
  await page.evaluate("window.clicks = 0; addEventListener('pointerdown', () => window.clicks++, { capture: true })");
  return () => page.evaluate<number>('window.clicks');
}
