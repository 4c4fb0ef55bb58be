import type { Locator, Page } from 'playwright';
import { restoringJob, stagedNow, toldApart } from './staged-restore.ts';
import type { StagedService } from './staged-service.ts';
import type { View } from './views.ts';

const both = ['en', 'de'] as const;
const creative = 'snapshots/creative/tide-s3';

/** In a snapshot: a folder and a file of it. */
export async function tickSome(page: Page): Promise<void> {
  const tree = page.getByRole('tree');
  await tree.getByRole('treeitem', { name: /^world / }).waitFor();
  await tree.focus();
  for (const key of ['w', 'ArrowRight']) await page.keyboard.press(key);
  await tree.getByRole('treeitem', { name: /region/ }).waitFor();
  for (const key of ['ArrowDown', ' ', 'ArrowDown', 'ArrowDown', ' ']) await page.keyboard.press(key);
  await page.getByRole('button', { name: /^(Restore|Wiederherstellen)…$/ }).waitFor();
}

/** From the card to the question. Its button, whatever else the page calls so. */
export async function askRestore(page: Page): Promise<void> {
  const card = page.getByRole('article').filter({ hasText: 'Creative' });
  const unfold = card.getByRole('button', { name: /^Creative: / });
  await card.waitFor();
  if (await unfold.isVisible()) await unfold.click();
  await card.getByRole('button', { name: /^(Restore|Wiederherstellen)…$/ }).click();
  await page.getByRole('dialog').getByText(/112/).waitFor();
}

/** What the page says of how long a running job takes yet. */
export function timeLeft(where: Page | Locator): Locator {
  return where.getByText(/(B\/s, about .* left|B\/s, noch etwa)/).first();
}

export async function startRestore(page: Page, service: StagedService): Promise<void> {
  await askRestore(page);
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^(Restore|Wiederherstellen)$/ })
    .click();
  await page
    .getByRole('dialog')
    .getByRole('heading', { name: /^(Restoring|Stelle)/ })
    .waitFor();
  await page.getByRole('dialog').getByRole('progressbar').waitFor();
  await page.clock.setFixedTime(stagedNow + 2 * toldApart * 1000);
  service.emit({ event: 'job', data: restoringJob });
  await timeLeft(page.getByRole('dialog')).waitFor();
}

/** What leads back: the question, its choices, on the way, done. */
export const restoreViews: readonly View[] = [
  { name: 'restore', path: '', languages: both, ready: askRestore },
  {
    ...{ name: 'restore-choices', path: '', languages: both },
    async ready(page) {
      await askRestore(page);
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /^(Other choices|Andere Wahl)…$/ })
        .click();
      await page.getByRole('radio', { name: /beside|daneben/ }).click();
      await page.getByRole('dialog').getByText(/112/).waitFor();
    },
  },
  { name: 'restore-progress', path: '', languages: both, ready: (page, _, service) => startRestore(page, service) },
  {
    ...{ name: 'restore-done', path: `${creative}/snap-0000`, languages: both },
    async ready(page) {
      await tickSome(page);
      await page.getByRole('button', { name: /^(Restore|Wiederherstellen)…$/ }).click();
      await page.getByRole('dialog').getByText(/112/).waitFor();
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /^(Restore|Wiederherstellen)$/ })
        .click();
      await page.getByRole('button', { name: /^(Undo|Rückgängig)$/ }).waitFor();
    },
  },
];
