/** `node tests/bench/page.ts`: how soon the page is there and how it scrolls, in Debian's Chromium. Part of `npm run bench`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright';
import { browserMissing, openBrowser, openPage } from '../support/page/browser.ts';
import { openLargeFolder, scrollThrough } from '../support/page/scrolling.ts';
import { stageService } from '../support/page/staged-service.ts';
import { median, root } from './run-command.ts';
import { sectionOf } from './section.ts';
import type { Row } from './table.ts';

const title = '## The page, in Chromium';
const how =
  'Served by the HTTP server of the service with made-up data behind it, so that nothing but the page and its way to it is measured; the browser runs ' +
  'already, its cache is empty. Paint and list count from the moment that the page is asked for.';
const rounds = 3;

export async function pageSection(): Promise<string> {
  return browserMissing === '' ? sectionOf(`${title}\n\n${how}`, await pageRows()) : `${title}\n\nLeft out: ${browserMissing}.\n`;
}

async function pageRows(): Promise<readonly Row[]> {
  const browser = await openBrowser();
  try {
    const paints: number[] = [];
    const lists: number[] = [];
    let longest = 0;
    for (let round = 0; round < rounds; round += 1) {
      paints.push(await firstPaint(browser));
      lists.push(await thousandSnapshots(browser));
      longest = Math.max(longest, await scrolling(browser));
    }
    return [
      most('first paint of Home, four servers', median(paints), 1000, 'ms'),
      most('1,000 snapshots listed, start of the page included', median(lists), 1000, 'ms'),
      most('longest task while 100,000 entries scroll, worst of three', longest, 50, 'ms'),
      most('all scripts of the page, gzipped', scriptBytes() / 1000, 250, 'kB'),
    ];
  } finally {
    await browser.close();
  }
}

function most(what: string, value: number, limit: number, unit: string): Row {
  const shown = `${value.toFixed(0)} ${unit}`;
  return { what, ours: shown, peer: '', result: shown, goal: `≤ ${String(limit)} ${unit}`, met: value <= limit };
}

async function firstPaint(browser: Browser): Promise<number> {
  const service = await stageService();
  const { page } = await openPage(browser, { viewport: { width: 380, height: 640 } });
  await page.goto(service.link());
  await page.getByRole('article').nth(3).waitFor();
  const paint = await page.evaluate<number>(
    `Math.max(...performance.getEntriesByType('paint').filter(({ name }) => name === 'first-contentful-paint').map(({ startTime }) => startTime))`,
  );
  await page.context().close();
  await service.http.close();
  return paint;
}

async function thousandSnapshots(browser: Browser): Promise<number> {
  const service = await stageService({ snapshots: 1000 });
  const { page } = await openPage(browser, { viewport: { width: 1100, height: 760 } });
  await page.goto(service.link());
  await page.goto(`http://127.0.0.1:${String(service.http.port)}/#/snapshots/creative/tide-s3`);
  const first = page.getByRole('list').getByRole('link').first();
  // Signed in, before the page is left.
  await first.waitFor();
  const since = performance.now();
  await page.reload();
  await first.waitFor();
  const passed = performance.now() - since;
  await page.context().close();
  await service.http.close();
  return passed;
}

async function scrolling(browser: Browser): Promise<number> {
  const service = await stageService();
  const { page } = await openPage(browser, { viewport: { width: 1100, height: 760 } });
  await page.goto(service.link());
  await page.goto(`http://127.0.0.1:${String(service.http.port)}/#/snapshots/creative/tide-s3/snap-0000`);
  await openLargeFolder(page);
  const { longest } = await scrollThrough(page);
  await page.context().close();
  await service.http.close();
  return longest;
}

function scriptBytes(): number {
  const folder = join(root, 'dist', 'page', 'assets');
  const scripts = readdirSync(folder).filter((name) => name.endsWith('.js'));
  return scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
}

if (import.meta.main) process.stdout.write(`${await pageSection()}\n`);
