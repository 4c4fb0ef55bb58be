import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Page } from 'playwright';
import { titleOn, type Face, type Running } from '../face.ts';
import type { Visitor } from '../visitor.ts';
import { ServiceHome } from '../../service-process.ts';

/** Names that mean more than themselves in a pattern, each beside one that the pattern would mean. */
const odd = ['a[1]*.txt', 'a1.txt', ' x', 'x', 'trailing ', 'trailing'];

/** From what is stored back to the folder: browsed, in part, as a whole, and undone. */
export function restoreFlows(face: Face): void {
  describe.skipIf(face.missing !== '')(titleOn(face, 'the way back'), () => {
    const home = new ServiceHome();
    let running: Running;
    const inFolder = (name: string): string => join(home.folder, name);

    beforeAll(async () => {
      for (const name of odd) writeFileSync(inFolder(name), `first ${name}`);
      mkdirSync(inFolder('world'));
      writeFileSync(inFolder('world/level.dat'), 'first blocks');
      writeFileSync(inFolder('world/region.mca'), 'first region');
      await home.setUp();
      await home.json(['server', 'backup', 'survival']);
      await face.begin();
      running = await face.start(home);
    });
    afterAll(async () => {
      await face.end();
      await running.stop();
    });

    async function on(view: string, work: (visitor: Visitor) => Promise<void>): Promise<void> {
      const visitor = await running.visit(view);
      await work(visitor);
      expect(visitor.complaints).toEqual([]);
      await visitor.leave();
    }

    /** From the list of snapshots into the newest of them. */
    async function intoNewest(page: Page): Promise<void> {
      await page.getByRole('list').getByRole('link').first().click();
      await page.getByRole('treeitem').first().waitFor();
    }

    async function confirm(page: Page): Promise<void> {
      const dialog = page.getByRole('dialog');
      await dialog.getByText(/ are free at /).waitFor();
      await dialog.getByRole('button', { name: 'Restore', exact: true }).click();
      await page.getByRole('heading', { name: 'Survival is back' }).waitFor();
    }

    test('a snapshot is pinned with a note, which the command shows, too; unpinning can be undone, and the note is there again', async () => {
      const pins = async () =>
        ((await home.json(['snapshots', '-d', 'nas'])) as readonly { readonly pinned?: boolean; readonly note?: string }[]).map(
          ({ pinned = false, note }) => [pinned, note],
        );
      await on('snapshots', async ({ page, button }) => {
        const row = page.getByRole('list').getByRole('listitem').first();
        const note = row.getByText('“Before the update”');
        await row.getByRole('button', { name: /^Pin / }).click();
        await page.getByRole('dialog').getByLabel('Note', { exact: true }).fill('Before the update');
        await button('pin.pin').click();
        await note.waitFor();
        await row.getByText('Pinned by you').waitFor();
        expect(await pins()).toEqual([[true, 'Before the update']]);
        const unpin = row.getByRole('button', { name: /^Unpin / });
        await unpin.click();
        await note.waitFor({ state: 'detached' });
        await button('do.undo').click();
        await note.waitFor();
        expect(await pins()).toEqual([[true, 'Before the update']]);
        await unpin.click();
        await note.waitFor({ state: 'detached' });
      });
      expect(await pins()).toEqual([[false, undefined]]);
    });

    test('what is ticked comes back into a new folder beside it, however it is called, and nothing else does', async () => {
      await on('snapshots', async ({ page }) => {
        await intoNewest(page);
        for (const name of ['a[1]*.txt', ' x', 'trailing ']) {
          // By its place: what a screen reader says of two of them is the same.
          const index = await page
            .getByRole('treeitem')
            .evaluateAll((items, wanted) => items.findIndex((item) => item.querySelector('.name')?.textContent === wanted), name);
          await page.getByRole('treeitem').nth(index).locator('.cb').click();
        }
        await page.getByRole('button', { name: 'Restore…' }).click();
        await page.getByRole('button', { name: 'Other choices…' }).click();
        await page.getByRole('radio', { name: 'A new folder beside it' }).click();
        await confirm(page);
      });
      const beside = readdirSync(home.base).filter((name) => name.startsWith('srv-'));
      expect(beside).toHaveLength(1);
      const made = join(home.base, beside[0] ?? '');
      expect(
        readdirSync(made)
          .filter((name) => !name.startsWith('.holdfast'))
          .sort(),
      ).toEqual([' x', 'a[1]*.txt', 'trailing ']);
      expect(readFileSync(join(made, 'a[1]*.txt'), 'utf8')).toBe('first a[1]*.txt');
    });

    test('a folder without one of its files goes back into its place, and the rest stays as it is', async () => {
      writeFileSync(inFolder('world/level.dat'), 'later blocks');
      writeFileSync(inFolder('world/region.mca'), 'later region');
      writeFileSync(inFolder('x'), 'later x');
      await on('snapshots', async ({ page }) => {
        await intoNewest(page);
        const tree = page.getByRole('tree');
        await tree.focus();
        for (const key of ['Home', ' ', 'ArrowRight']) await page.keyboard.press(key);
        await tree
          .getByRole('treeitem', { name: /region\.mca/ })
          .locator('.cb')
          .click();
        await page.getByText('but for one entry in it').waitFor();
        await page.getByRole('button', { name: 'Restore…' }).click();
        await confirm(page);
      });
      expect(readFileSync(inFolder('world/level.dat'), 'utf8')).toBe('first blocks');
      expect(readFileSync(inFolder('world/region.mca'), 'utf8')).toBe('later region');
      expect(readFileSync(inFolder('x'), 'utf8')).toBe('later x');
    });

    test('from the card, one click and one confirmation bring everything back; Undo swaps it again, and what is kept can be deleted', async () => {
      writeFileSync(inFolder('world/level.dat'), 'griefed');
      await on('', async ({ page, go }) => {
        await page.getByRole('article').getByRole('button', { name: 'Restore…' }).click();
        await page.getByRole('heading', { name: /^Restore Survival as of today/ }).waitFor();
        await confirm(page);
        expect(readFileSync(inFolder('world/level.dat'), 'utf8')).toBe('first blocks');
        await page
          .getByRole('dialog')
          .getByText(/^The files from before are kept beside it/)
          .waitFor();
        await page.getByRole('dialog').getByRole('button', { name: 'Undo' }).click();
        await page.getByText(/^Swapped back\./).waitFor();
        expect(readFileSync(inFolder('world/level.dat'), 'utf8')).toBe('griefed');
        await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
        await go('snapshots');
        await page.getByRole('button', { name: 'Delete them…' }).click();
        expect(await page.evaluate<string>('document.activeElement.textContent.trim()')).toBe('Keep them');
        await page.getByRole('button', { name: 'Delete', exact: true }).click();
        await page.getByText('Deleted; the space is free again.').waitFor();
        await page.getByRole('button', { name: 'Undo' }).waitFor({ state: 'detached' });
      });
      expect(readFileSync(inFolder('world/level.dat'), 'utf8')).toBe('griefed');
    });

    test('a snapshot that was cleaned up while it was looked into says so, and leads to those that are there', async () => {
      await home.json(['server', 'backup', 'survival', '--force']);
      const rows = (await home.json(['snapshots', '-d', 'nas'])) as { readonly id: string }[];
      const older = rows.map(({ id }) => id).sort()[0] ?? '';
      const visitor = await running.visit(`snapshots/survival/nas/${older}`);
      const { page, button } = visitor;
      await page.getByRole('treeitem', { name: /world/ }).waitFor();
      await home.json(['prune', '-d', 'nas', '--server', 'Survival', '--keep-last', '1']);
      await button('pick.restoreAll').click();
      await visitor.text('restore.gone').waitFor();
      await button('restore.list').click();
      await page.getByRole('heading', { level: 1, name: 'Survival', exact: true }).waitFor();
      expect(new URL(page.url()).hash).toBe('#/snapshots/survival/nas');
      await visitor.go(`snapshots/survival/nas/${older}`);
      await visitor.text('say.snapshot-gone.says').waitFor();
      await visitor.leave();
    });
  });
}
