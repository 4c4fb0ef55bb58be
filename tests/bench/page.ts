/** `node tests/bench/page.ts`: how soon the page is there and how it scrolls, in Debian's Chromium. Part of `npm run bench`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright';
import { browserMissing, openBrowser, openPage } from '../support/page/browser.ts';
import { openLargeFolder, scrollThrough } from '../support/page/scrolling.ts';
import { stageService } from '../support/page/staged-service.ts';
import { sayIn } from '../support/page/words.ts';
import { startLiveService } from './live-service.ts';
import { median, root } from './run-command.ts';
import { sectionOf } from './section.ts';
import type { Row } from './table.ts';

const title = '## The page, in Chromium';
const how =
  'Home with four servers and the tree come from the HTTP server of the service with made-up data behind it; all else from a service as people run it, with a ' +
  'folder as backup place and 1,000 snapshots in it. The browser runs already, its cache is empty. Paint and list count from the moment that the page is asked ' +
  'for. The first look at the list reads the beginnings of 1,000 manifests, later ones read what is new.';
const rounds = 3;

export async function pageSection(): Promise<string> {
  return browserMissing === '' ? sectionOf(`${title}\n\n${how}`, await pageRows()) : `${title}\n\nLeft out: ${browserMissing}.\n`;
}

async function pageRows(): Promise<readonly Row[]> {
  const browser = await openBrowser();
  try {
    const paints: number[] = [];
    const lives: Awaited<ReturnType<typeof ofRealService>>[] = [];
    let longest = 0;
    for (let round = 0; round < rounds; round += 1) {
      paints.push(await firstPaint(browser));
      lives.push(await ofRealService(browser));
      longest = Math.max(longest, await scrolling(browser));
    }
    return [
      most('first paint of Home, four servers', median(paints), 1000, 'ms'),
      most('first paint of Home, a real service', median(lives.map(({ paint }) => paint)), 1000, 'ms'),
      most('1,000 snapshots listed, start of the page included', median(lives.map(({ again }) => again)), 1000, 'ms'),
      most('the same when nobody has looked since the start of the service', median(lives.map(({ first }) => first)), 1000, 'ms'),
      most(
        'from *Restore…* of a card until it can be confirmed, before any list was read',
        median(lives.map(({ restore }) => restore)),
        1000,
        'ms',
      ),
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
  const paint = await paintOf(page);
  await page.context().close();
  await service.http.close();
  return paint;
}

function paintOf(page: Page): Promise<number> {
  return page.evaluate<number>(
    `Math.max(...performance.getEntriesByType('paint').filter(({ name }) => name === 'first-contentful-paint').map(({ startTime }) => startTime))`,
  );
}

/** How long Home and the list of 1,000 snapshots take of a service as people run it, the list when it is first looked at and again; and the question of *Restore latest*. */
async function ofRealService(browser: Browser): Promise<Readonly<Record<'paint' | 'first' | 'again' | 'restore', number>>> {
  const service = await startLiveService(1000);
  try {
    const { page } = await openPage(browser, { viewport: { width: 1100, height: 760 } });
    const address = `http://127.0.0.1:${String(service.port)}/#/`;
    const card = page.getByRole('article').first();
    await page.goto(await service.link());
    await card.waitFor();
    await page.reload();
    await card.waitFor();
    const paint = await paintOf(page);
    // It is there once the service has looked what the place holds of a server that it does not know.
    await card.getByRole('button', { name: sayIn('en')('do.restore'), exact: true }).waitFor();
    const restore = await secondsOf(async () => {
      await card.getByRole('button', { name: sayIn('en')('do.restore'), exact: true }).click();
      await page
        .getByRole('dialog')
        .getByRole('button', { name: sayIn('en')('restore.do'), exact: true, disabled: false })
        .waitFor();
    });
    const list = async (): Promise<number> => {
      await page.goto(`${address}snapshots/nights/nas`);
      await page.reload();
      return await shownAt(page, 'a[href*="#/snapshots/nights/nas/"]');
    };
    const [first, again] = [await list(), await list()];
    await page.context().close();
    return { paint, first, again, restore };
  } finally {
    await service.stop();
  }
}

/** When the page, which has just begun, shows what a selector finds, in milliseconds since it was asked for. Playwright itself looks half a second apart. */
function shownAt(page: Page, selector: string): Promise<number> {
  const look = `document.querySelector(${JSON.stringify(selector)})?.checkVisibility() === true`;
  return page.evaluate<number>(
    `new Promise((tell) => {
      const look = () => requestAnimationFrame(${look} ? () => tell(performance.now()) : look);
      look();
    })`,
  );
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
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
