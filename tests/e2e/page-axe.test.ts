import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser } from 'playwright';
import { axeFindings, contrastFindings } from '../support/page/axe.ts';
import { browserMissing, openBrowser, openPage } from '../support/page/browser.ts';

/* What the looks at the page go by: a browser that is as Playwright makes it, and an axe that tells what it finds. */

describe.skipIf(browserMissing !== '')(`the browser of the tests${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  test('leaves out what Playwright leaves out, and more', async () => {
    const session = await browser.newBrowserCDPSession();
    const { commandLine } = await session.send('SystemInfo.getInfo');
    const lists = [...commandLine.matchAll(/--disable-features=(\S+)/gu)].map(([, list]) => (list ?? '').split(','));
    expect(lists).toHaveLength(2);
    const [theirs = [], ours = []] = lists;
    expect(theirs.length).toBeGreaterThan(0);
    expect(theirs.filter((feature) => !ours.includes(feature))).toEqual([]);
  });

  test('shows what axe finds, of all rules and of contrasts alone, also when it looks again', async () => {
    const { page } = await openPage(browser);
    const body = (style: string): string => `<main><h1>Snapshots</h1><p style="${style}">pale</p><input></main>`;
    const document = (style: string): string => `<html lang="en"><head><title>Holdfast</title></head><body>${body(style)}</body></html>`;
    await page.setContent(document('color: #bbb'));
    const pale = 'color-contrast: <p style="color: #bbb">pale</p>';
    expect(await axeFindings(page)).toEqual([pale, 'label: <input>']);
    expect(await contrastFindings(page)).toEqual([pale]);
    await page.locator('p').evaluate((text) => text.removeAttribute('style'));
    expect([await axeFindings(page), await contrastFindings(page)]).toEqual([['label: <input>'], []]);
    await page.locator('main').evaluate((main) => main.remove());
    await expect(contrastFindings(page)).rejects.toThrow('no text');
  });
});
