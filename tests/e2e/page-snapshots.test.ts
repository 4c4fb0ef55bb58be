import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, Page } from 'playwright';
import { browserMissing, openBrowser } from '../support/page/browser.ts';
import { openLargeFolder, scrollThrough } from '../support/page/scrolling.ts';
import { openStagedPage } from '../support/page/staged-page.ts';
import { restoringJob } from '../support/page/staged-restore.ts';
import { stagedServers, stageService, type StagedService, type StageOptions } from '../support/page/staged-service.ts';

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
    work: (page: Page, stage: { readonly service: StagedService }) => Promise<void>,
    options: StageOptions & { readonly clock?: false } = {},
  ): Promise<void> {
    const service = await stageService(options);
    const { page, complaints } = await openStagedPage(browser, service, view, {
      timezoneId: 'Europe/Berlin',
      clock: options.clock !== false,
    });
    try {
      await work(page, { service });
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

  test('what differs is told while somebody looks around already: they stay where they are, and what they open opens', async () => {
    await on(browsed, async (page) => {
      const held: Record<'entries' | 'changes', (() => Promise<void>)[]> = { entries: [], changes: [] };
      const tree = page.getByRole('tree', { name: 'Files' });
      // Signed in, before the page is left.
      await tree.getByRole('treeitem').first().waitFor();
      await page.route('**/api/call/snapshot.changes', (route) => void held.changes.push(() => route.continue()));
      await page.reload();
      await tree.getByRole('treeitem').first().waitFor();
      await tree.focus();
      await page.route('**/api/call/snapshot.entries', (route) => void held.entries.push(() => route.continue()));
      const asked = page.waitForRequest('**/api/call/snapshot.entries');
      for (const key of ['w', 'ArrowRight']) await page.keyboard.press(key);
      await asked;
      for (const go of held.changes) await go();
      await tree.getByRole('treeitem', { name: /^world .*changed/ }).waitFor();
      expect(await stands(page)).toBe('world 1 3 7 false false');
      for (const go of held.entries) await go();
      await tree.getByRole('treeitem', { name: /level\.dat.*changed/ }).waitFor();
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
      // A folder that was found is added up by what it holds; where that fails once, it is asked for again.
      await page.getByRole('button', { name: 'Untick all' }).click();
      const fault = { code: 'unavailable', persistence: 'temporary', operation: 'entries', message: 'as the service says it', context: {} };
      await page.route('**/api/call/snapshot.entries', (route) => route.fulfill({ json: { ok: false, fault } }), { times: 1 });
      await page.getByRole('searchbox', { name: 'Search files' }).fill('world');
      await page
        .getByRole('treeitem', { name: /^world / })
        .locator('.cb')
        .click();
      await page.getByText('Ticked, size not known').waitFor();
      const found = await page.getByRole('treeitem').allInnerTexts();
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByText('3.6 GB ticked').waitFor();
      expect(await page.getByRole('treeitem').allInnerTexts()).toEqual(found);
    });
  });

  test('a search that failed is made again by Try again, and the tree is as it was left', async () => {
    await on(browsed, async (page) => {
      const tree = page.getByRole('tree', { name: 'Files' });
      await tree.getByRole('treeitem').first().waitFor();
      await tree.focus();
      for (const key of ['w', 'ArrowRight']) await page.keyboard.press(key);
      await tree.getByRole('treeitem', { name: /level\.dat/ }).waitFor();
      const fault = { code: 'unavailable', persistence: 'temporary', operation: 'search', message: 'as the service says it', context: {} };
      await page.route('**/api/call/snapshot.search', (route) => route.fulfill({ json: { ok: false, fault } }), { times: 1 });
      const search = page.getByRole('searchbox', { name: 'Search files' });
      await search.fill('server.prop');
      await page.getByRole('button', { name: 'Try again' }).click();
      await tree.getByRole('treeitem', { name: /level\.dat/ }).waitFor({ state: 'detached' });
      expect(await tree.getByRole('treeitem').count()).toBe(1);
      expect(await search.inputValue()).toBe('server.prop');
      await search.fill('');
      await tree.getByRole('treeitem', { name: /level\.dat/ }).waitFor();
    });
  });

  test('a folder of 100,000 entries draws only what is seen, shows the right rows after a far jump, and scrolls', async () => {
    await on(
      browsed,
      async (page) => {
        const tree = page.getByRole('tree');
        await openLargeFolder(page);
        expect(await tree.getByRole('treeitem').count()).toBeLessThan(40);
        const seen = await scrollThrough(page);
        process.stdout.write(
          `100,000 entries: the longest task while scrolling took ${seen.longest.toFixed(0)} ms (${String(seen.tasks)} over 50 ms in ${String(seen.frames)} frames)\n`,
        );
        expect(seen.most).toBeLessThan(40);
        // The last of the folder, one that is gone, stands above what comes behind it.
        for (const key of ['End', 'ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowUp', 'ArrowUp']) await page.keyboard.press(key);
        expect(await stands(page)).toBe('r.9.999.mca 3 100001 100001 - -');
        // By the wheel, half way down: entry 50,000 lies where it must.
        // Five rows of the folders around it come before its first.
        expect(await page.evaluate<number>(farJump)).toBe(50_000 - 5 + 1);
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
        // Signed in, before the page is left.
        await list.getByRole('link').first().waitFor();
        const since = performance.now();
        await page.reload();
        await list.getByRole('link').first().waitFor();
        expect(await list.getByRole('listitem').first().getAttribute('aria-setsize')).toBe('1000');
        process.stdout.write(
          `1,000 snapshots: listed ${(performance.now() - since).toFixed(0)} ms after the page was asked for, its start included\n`,
        );
        // The oldest of them, by a jump to the end.
        await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)');
        await list.locator('li[aria-posinset="1000"]').waitFor();
        await page.evaluate('window.scrollTo(0, 0)');
        await page.getByRole('radio', { name: 'Pinned 1' }).click();
        await page.getByText('“Before the 1.22 update”').waitFor();
        expect(await page.getByRole('list').getByRole('listitem').count()).toBe(1);
        const days = page.getByRole('img', { name: /^Backups per day, 26 weeks/ });
        await days.focus();
        await page.keyboard.press('End');
        await page.getByText(/^Mon 23\sNov: \d+ backups, \d+ kept, 5\.0\sGB$/).waitFor();
        for (const key of ['ArrowUp', 'ArrowLeft']) await page.keyboard.press(key);
        await page.getByText(/^Sun 15\sNov: /).waitFor();
      },
      { snapshots: 1000 },
    );
  });

  test('a restore under way is hidden and found again, and cancelled; a folder that is in use must be let go first', async () => {
    await on('', async (page, { service }) => {
      const dialog = page.getByRole('dialog');
      const open = page.getByRole('article').filter({ hasText: 'Creative' }).getByRole('button', { name: 'Restore…' });
      await open.click();
      await dialog.getByText(/112\sGB are free/).waitFor();
      await dialog.getByRole('button', { name: 'Other choices…' }).click();
      await dialog.getByRole('radio', { name: 'Another folder' }).click();
      await dialog.getByLabel('Folder', { exact: true }).fill('/srv/busy');
      await dialog.getByText('java (4711) uses the folder.').waitFor();
      const start = dialog.getByRole('button', { name: 'Restore', exact: true });
      expect(await start.getAttribute('aria-disabled')).toBe('true');
      await dialog.getByText('Restore although it is in use').click();
      expect(await start.getAttribute('aria-disabled')).toBeNull();
      await dialog.getByRole('radio', { name: 'Its old place' }).click();
      await dialog.getByText(/112\sGB are free at \/srv\/minecraft\/creative/).waitFor();
      await start.click();
      await dialog.getByRole('progressbar', { name: 'Restoring Creative' }).waitFor();
      await dialog.getByRole('button', { name: 'Hide' }).click();
      await dialog.waitFor({ state: 'detached' });
      const creative = stagedServers.find(({ settings }) => settings.slug === 'creative');
      if (creative === undefined) throw new Error('Creative is not staged');
      service.emit({ event: 'server', data: { ...creative, state: 'running', running: restoringJob } });
      await page.getByRole('article').getByText('Restoring', { exact: true }).waitFor();
      await open.click();
      await dialog.getByRole('button', { name: 'Cancel, change nothing' }).click();
      await dialog.getByRole('heading', { name: 'Cancelled' }).waitFor();
      await dialog.getByText('Nothing was changed; the files are as they were.').waitFor();
    });
  });

  test('what is kept says why, what lies there over time, and what the next clean-up takes; that can be pinned, and what is not whole not opened', async () => {
    await on('snapshots/creative/tide-s3', async (page) => {
      const rows = page.getByRole('list').getByRole('listitem');
      await page
        .getByRole('heading', { name: 'The next clean-up, today 17:02, removes 4 snapshots and frees 12.8 GB', exact: true })
        .waitFor();
      await page.getByText('today 01:02; yesterday 17:02; yesterday 13:02 and one more. Pin one to keep it.').waitFor();
      const why = async (index: number): Promise<readonly string[]> => await rows.nth(index).locator('.why span').allInnerTexts();
      expect(await why(0)).toEqual(['Newest', 'Latest, 1 of 3', 'Daily, 1 of 7', 'Weekly, 1 of 4', 'Monthly, 1 of 6']);
      expect(await why(1)).toEqual(['Latest, 2 of 3']);
      expect(await why(2)).toEqual(['Latest, 3 of 3']);
      expect(await why(3)).toEqual(['Goes at the next clean-up']);
      expect(await why(4)).toEqual(['Daily, 2 of 7', 'Weekly, 2 of 4']);
      const storage = page.getByRole('region', { name: 'Storage', exact: true });
      await storage.getByRole('img', { name: '36.5 GB in the backup place now, 21 snapshots since Tue 30 Jun.', exact: true }).waitFor();
      await storage.getByText('Show as table').click();
      const cells = (await storage.getByRole('cell').allInnerTexts()).map((text) => text.replaceAll('\u00a0', ' '));
      expect([...cells.slice(0, 4), ...cells.slice(-2)]).toEqual([
        'Mon 23 Nov',
        '36.5 GB',
        'Mon 23 Nov',
        '32.9 GB',
        'Tue 30 Jun',
        '3.6 GB',
      ]);
      await page.getByRole('button', { name: 'See all 4', exact: true }).click();
      expect(await rows.count()).toBe(4);
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

/** Run in the page: jumps to where row 50,000 must be, and gives the place in its folder of the row that is seen first then. */
const farJump = `(async () => {
  const box = document.querySelector('[role=tree]');
  box.scrollTop = 50_000 * 36;
  await new Promise((frame) => requestAnimationFrame(() => requestAnimationFrame(frame)));
  const { top } = box.getBoundingClientRect();
  const first = [...box.querySelectorAll('[role=treeitem]')].find((item) => item.getBoundingClientRect().bottom - 1 > top);
  return Number(first.getAttribute('aria-posinset'));
})()`;
