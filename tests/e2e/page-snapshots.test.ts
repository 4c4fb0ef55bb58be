import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright';
import { browserMissing, openBrowser, openPage, type WatchedPage } from '../support/page/browser.ts';
import { stagedNow, stageService, type StageOptions } from '../support/page/staged-service.ts';

const browsed = 'snapshots/creative/tide-s3/snap-0000';

describe.skipIf(browserMissing !== '')(`snapshots on the page${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  /** The page of a stage, for as long as the work on it takes; it must have had nothing to complain of. */
  async function on(
    view: string,
    work: (page: Page, watched: WatchedPage) => Promise<void>,
    options: StageOptions & { readonly clock?: false } = {},
  ): Promise<void> {
    const service = await stageService(options);
    const watched = await openPage(browser, {
      viewport: { width: 1100, height: 760 },
      timezoneId: 'Europe/Berlin',
      reducedMotion: 'reduce',
    });
    const { page, complaints } = watched;
    try {
      // A clock that stands still costs time of its own: none where time is measured.
      if (options.clock !== false) await page.clock.setFixedTime(stagedNow);
      await page.goto(service.link());
      await page.goto(`http://127.0.0.1:${service.http.port}/#/${view}`);
      await work(page, watched);
      expect(complaints).toEqual([]);
    } finally {
      await page.context().close();
      await service.http.close();
    }
  }

  /** What the tree says of the row that the keyboard stands on. */
  async function stands(page: Page): Promise<string> {
    const id = await page.getByRole('tree').getAttribute('aria-activedescendant');
    const row = page.locator(`[id="${id ?? ''}"]`);
    const facts = await Promise.all(
      ['aria-level', 'aria-posinset', 'aria-setsize', 'aria-expanded', 'aria-checked'].map((name) => row.getAttribute(name)),
    );
    return [(await row.locator('.name').innerText()).trim(), ...facts.map((fact) => fact ?? '-')].join(' ');
  }

  test('the keyboard walks, opens, finds and ticks in the tree', async () => {
    await on(browsed, async (page) => {
      const tree = page.getByRole('tree', { name: 'Files' });
      await tree.getByRole('treeitem').first().waitFor();
      await tree.focus();
      const press = async (...keys: string[]): Promise<string> => {
        for (const key of keys) await page.keyboard.press(key);
        return await stands(page);
      };
      expect(await press('Home')).toBe('config 1 1 7 false false');
      expect(await press('End')).toBe('server.properties 1 7 7 - false');
      expect(await press('Home', 'w')).toBe('world 1 3 7 false false');
      expect(await press('w')).toBe('world_nether 1 4 7 false false');
      await press('ArrowUp', 'ArrowRight');
      await tree.getByRole('treeitem', { name: /playerdata/ }).waitFor();
      expect(await press('ArrowRight')).toBe('playerdata 2 1 3 false false');
      expect(await press(' ')).toBe('playerdata 2 1 3 false true');
      expect(await press('ArrowLeft')).toBe('world 1 3 7 true mixed');
      // Ticked as a whole, and one of it taken out again.
      expect(await press(' ', 'ArrowDown', ' ', 'ArrowLeft')).toBe('world 1 3 7 true mixed');
      await page.getByText('but for one entry in it').waitFor();
      expect(await press('ArrowLeft')).toBe('world 1 3 7 false mixed');
      // All the others beside it.
      await press('*');
      await tree.getByRole('treeitem', { name: /level\.dat/ }).waitFor();
      await page.getByRole('button', { name: 'Untick all' }).click();
      await tree.focus();
      expect(await stands(page)).toBe('world 1 3 7 true false');
    });
  });

  test('what is gone is told and cannot be ticked, and a search finds what no folder was opened for', async () => {
    await on(browsed, async (page) => {
      await page.getByRole('radio', { name: 'Differing 216' }).click();
      const gone = page.getByRole('treeitem', { name: /r\.9\.999\.mca.*gone/ });
      await gone.locator('.cb').click();
      expect(await gone.getAttribute('aria-checked')).toBeNull();
      await page.getByText('Tick what is to come back, or restore everything.').waitFor();
      await page.getByRole('searchbox', { name: 'Search files' }).fill('level');
      await gone.waitFor({ state: 'detached' });
      await page.getByRole('treeitem', { name: /^level\.dat.*world/ }).click();
      await page.getByText('2.6 kB ticked').waitFor();
      expect(await page.getByRole('treeitem').count()).toBe(1);
    });
  });

  test('a folder of 100,000 entries draws only what is seen, shows the right rows after a far jump, and scrolls', async () => {
    await on(
      browsed,
      async (page) => {
        const tree = page.getByRole('tree');
        await tree.getByRole('treeitem').first().waitFor();
        await tree.focus();
        for (const key of ['w', 'ArrowRight']) await page.keyboard.press(key);
        await tree.getByRole('treeitem', { name: /region/ }).waitFor();
        for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
        await tree.getByRole('treeitem', { name: /r\.0\.0\.mca/ }).waitFor();
        expect(await tree.getByRole('treeitem').count()).toBeLessThan(40);
        const seen = await page.evaluate(scrolled);
        process.stdout.write(
          `100,000 entries: the longest task while scrolling took ${seen.longest.toFixed(0)} ms (${String(seen.tasks)} over 50 ms in ${String(seen.frames)} frames)\n`,
        );
        expect(seen.most).toBeLessThan(40);
        // The last of the folder, one that is gone, stands above what comes behind it.
        for (const key of ['End', 'ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowUp']) await page.keyboard.press(key);
        expect(await stands(page)).toBe('r.9.999.mca 3 100001 100001 - -');
        // By the wheel, half way down: entry 50,000 lies where it must.
        const names = await tree.evaluate(async (box) => {
          box.scrollTop = 50_000 * 36;
          await new Promise((frame) => requestAnimationFrame(() => requestAnimationFrame(frame)));
          const top = box.getBoundingClientRect().top;
          return [...box.querySelectorAll('.item')]
            .filter((item) => item.getBoundingClientRect().bottom - 1 > top)[0]
            ?.getAttribute('aria-posinset');
        });
        // Five rows of the folders around it come before its first.
        expect(Number(names)).toBe(50_000 - 5 + 1);
        expect(await tree.getByRole('treeitem').count()).toBeLessThan(40);
      },
      { clock: false },
    );
  });

  test('1,000 snapshots are listed, narrowed by their tier, and told day by day', async () => {
    await on(
      'snapshots/creative/tide-s3',
      async (page) => {
        const list = page.getByRole('list');
        const since = performance.now();
        await page.reload();
        await list.getByRole('link').first().waitFor();
        expect(await list.getByRole('listitem').first().getAttribute('aria-setsize')).toBe('1000');
        process.stdout.write(
          `1,000 snapshots: listed ${(performance.now() - since).toFixed(0)} ms after the page was asked for, its start included\n`,
        );
        // The oldest of them, by a jump to the end.
        await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
        await list.locator('li[aria-posinset="1000"]').waitFor();
        await page.evaluate(() => window.scrollTo(0, 0));
        await page.getByRole('radio', { name: 'Pinned 1' }).click();
        await page.getByText('“Before the 1.22 update”').waitFor();
        expect(await page.getByRole('list').getByRole('listitem').count()).toBe(1);
        const days = page.getByRole('img', { name: /^Backups per day, 26 weeks/ });
        await days.focus();
        await page.keyboard.press('End');
        await page.getByText(/^Mon 23 Nov: \d+ backups, \d+ kept, 5\.0 GB$/).waitFor();
        for (const key of ['ArrowUp', 'ArrowLeft']) await page.keyboard.press(key);
        await page.getByText(/^Sun 15 Nov: /).waitFor();
      },
      { snapshots: 1000 },
    );
  });

  test('a snapshot that is not whole says so, offers no way into it, and what the clean-up takes can be pinned', async () => {
    await on('snapshots/creative/tide-s3', async (page) => {
      await page.getByRole('button', { name: /^See all/ }).click();
      const first = page.getByRole('listitem').filter({ hasText: 'Goes at the next clean-up' }).first();
      await first.getByRole('button', { name: /^Pin / }).click();
      await page
        .getByRole('dialog', { name: /^Pin the snapshot of/ })
        .getByLabel('Note')
        .waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('radio', { name: /^With a problem 2/ }).click();
      const broken = page.getByRole('listitem').filter({ hasText: 'Not whole' });
      expect(await broken.getByRole('link').count()).toBe(0);
      await broken.getByText('Details').click();
      await broken.getByText('no manifest: the run did not end').waitFor();
      await broken.getByRole('button', { name: /^More for/ }).click();
      expect(await page.getByRole('menuitem').allInnerTexts()).toEqual(['Check']);
    });
  });
});

/** Scrolls through the whole tree, some in small steps and some in great ones, and tells the longest task and the most rows. */
async function scrolled(): Promise<{ longest: number; tasks: number; frames: number; most: number }> {
  const box = document.querySelector('[role=tree]');
  if (box === null) throw new Error('there is no tree');
  const tasks: number[] = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ type: 'longtask' });
  let most = 0;
  const frames = 240;
  for (let frame = 0; frame < frames; frame += 1) {
    box.scrollTop = frame % 2 === 0 ? Number(box.scrollTop) + 300 : (box.scrollHeight * frame) / frames;
    await new Promise((next) => requestAnimationFrame(next));
    most = Math.max(most, box.querySelectorAll('[role=treeitem]').length);
  }
  await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
  observer.disconnect();
  return { longest: Math.max(0, ...tasks), tasks: tasks.length, frames, most };
}
