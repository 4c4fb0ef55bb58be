import type { Page } from 'playwright';

export interface Scrolled {
  /** Milliseconds; 0 where none took more than 50. */
  readonly longest: number;
  /** How many took more than 50 ms. */
  readonly tasks: number;
  readonly frames: number;
  /** The most rows that were there at once. */
  readonly most: number;
}

/** Opens the folder of 100,000 entries of the staged snapshot that the page shows. */
export async function openLargeFolder(page: Page): Promise<void> {
  const tree = page.getByRole('tree');
  await tree.getByRole('treeitem').first().waitFor();
  await tree.focus();
  for (const key of ['w', 'ArrowRight']) await page.keyboard.press(key);
  await tree.getByRole('treeitem', { name: /region/ }).waitFor();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
  await tree.getByRole('treeitem', { name: /r\.0\.0\.mca/ }).waitFor();
}

/** Scrolls through the whole tree, in small steps and in great ones by turns. */
export async function scrollThrough(page: Page): Promise<Scrolled> {
  return await page.evaluate<Scrolled>(`(async () => {
    const box = document.querySelector('[role=tree]');
    const tasks = [];
    const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
    observer.observe({ type: 'longtask' });
    let most = 0;
    const frames = 240;
    for (let frame = 0; frame < frames; frame += 1) {
      box.scrollTop = frame % 2 === 0 ? box.scrollTop + 300 : (box.scrollHeight * frame) / frames;
      await new Promise((next) => requestAnimationFrame(next));
      most = Math.max(most, box.querySelectorAll('[role=treeitem]').length);
    }
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
    observer.disconnect();
    return { longest: Math.max(0, ...tasks), tasks: tasks.length, frames, most };
  })()`);
}
