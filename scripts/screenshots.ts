/**
 * `npm run screenshots [-- VIEW…]`: writes pictures of every view to docs/screenshots, light and dark, the tray's size and wide. What they show is
 * staged (tests/support/page/staged-service.ts); the page, its build and the HTTP server are the real ones.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openBrowser } from '../tests/support/page/browser.ts';
import { views } from '../tests/support/page/views.ts';
import { openStagedPage } from '../tests/support/page/staged-page.ts';
import { stageService } from '../tests/support/page/staged-service.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'screenshots');
const sizes = { tray: { width: 380, height: 640 }, wide: { width: 1100, height: 760 } } as const;
const wanted = process.argv.slice(2);

mkdirSync(folder, { recursive: true });
const browser = await openBrowser();
try {
  for (const view of views.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const service = await stageService({ empty: view.empty === true, locked: view.locked === true });
    for (const [size, viewport] of Object.entries(sizes)) {
      for (const scheme of ['light', 'dark'] as const) {
        for (const language of view.languages ?? ['en']) {
          const { page, complaints } = await openStagedPage(browser, service, view.path, {
            ...{ viewport, colorScheme: scheme, timezoneId: 'Europe/Berlin' },
            locale: language === 'de' ? 'de-DE' : 'en-GB',
          });
          await view.ready(page, language, service);
          if (view.whole === true) {
            const height = await page.evaluate<number>('document.documentElement.scrollHeight');
            await page.setViewportSize({ width: viewport.width, height });
          }
          const name = `${view.name}-${size}-${scheme}${language === 'en' ? '' : `-${language}`}.png`;
          await page.screenshot({ path: join(folder, name) });
          process.stdout.write(`${name}${complaints.length === 0 ? '' : ` complained: ${complaints.join('; ')}`}\n`);
          await page.context().close();
        }
      }
    }
    await service.http.close();
  }
} finally {
  await browser.close();
}
