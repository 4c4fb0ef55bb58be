import { describe, expect, test } from 'vitest';
import type { Page } from 'playwright';
import { openStage } from '../support/page/stage.ts';
import { browserMissing } from '../support/page/browser.ts';
import { openStagedPage } from '../support/page/staged-page.ts';

describe.skipIf(browserMissing !== '')(`buttons on the page${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const stage = openStage();

  test.each(['light', 'dark'] as const)(
    'what a button that does nothing says can be read under the pointer, of every kind (%s)',
    async (scheme) => {
      const { page } = await openStagedPage(stage.browser, stage.service, 'new-server', { colorScheme: scheme });
      const button = page.getByRole('button', { name: 'Continue' });
      expect(await button.getAttribute('aria-disabled')).toBe('true');
      await button.hover();
      const found: Record<string, number> = {};
      for (const kind of ['prim', 'plain', 'line', 'ghost']) {
        await page.evaluate(`document.querySelector('.btn:hover').className = 'btn ${kind}'`);
        found[kind] = await contrast(page);
      }
      // WCAG asks 4.5 of text that is in force.
      for (const [kind, ratio] of Object.entries(found)) expect(ratio, kind).toBeGreaterThan(4.5);
      await page.context().close();
    },
  );
});

/** Of the words of the button under the pointer on its own ground, as WCAG counts it. */
async function contrast(page: Page): Promise<number> {
  const [color, ground] = await page.evaluate<[string, string]>(
    "(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.querySelector('.btn:hover')))",
  );
  const [one, other] = [luminance(color), luminance(ground)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

function luminance(color: string): number {
  const channels = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(color)?.slice(1);
  if (channels === undefined) throw new Error(`${color} is not opaque`);
  const [red = 0, green = 0, blue = 0] = channels.map((channel) => {
    const part = Number(channel) / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
