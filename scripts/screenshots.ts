/**
 * `npm run screenshots [-- VIEW…]`: writes pictures of every view to docs/screenshots, light and dark, the tray's size and wide. What they show is
 * staged (tests/support/page/staged-service.ts); the page, its build and the HTTP server are the real ones.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openBrowser } from '../tests/support/page/browser.ts';
import { picturesOf } from '../tests/support/page/pictures.ts';
import { views } from '../tests/support/page/views.ts';
import { openStagedPage } from '../tests/support/page/staged-page.ts';
import { stageService } from '../tests/support/page/staged-service.ts';

const folder = join(import.meta.dirname, '..', 'docs', 'screenshots');
const wanted = process.argv.slice(2);

mkdirSync(folder, { recursive: true });
const browser = await openBrowser();
try {
  for (const view of views.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const service = await stageService({ empty: view.empty === true, locked: view.locked === true });
    for (const { name, viewport, scheme, language } of picturesOf(view)) {
      const { page, complaints } = await openStagedPage(browser, service, view.path, {
        ...{ viewport, colorScheme: scheme, timezoneId: 'Europe/Berlin' },
        locale: language === 'de' ? 'de-DE' : 'en-GB',
      });
      await view.ready(page, language, service);
      if (view.whole === true) {
        const height = await page.evaluate<number>('document.documentElement.scrollHeight');
        await page.setViewportSize({ width: viewport.width, height });
      }
      await page.screenshot({ path: join(folder, name) });
      process.stdout.write(`${name}${complaints.length === 0 ? '' : ` complained: ${complaints.join('; ')}`}\n`);
      await page.context().close();
    }
    await service.http.close();
  }
} finally {
  await browser.close();
}
