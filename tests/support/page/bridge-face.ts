import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { startApp, type AppProcess } from '../app-process.ts';
import { builtApp } from '../built-app.ts';
import { browserMissing, openBrowser, openPage } from './browser.ts';
import type { Face } from './face.ts';
import { localeOf, visitorAt } from './visitor.ts';

/** Secure like app://holdfast, and nobody's: a browser knows no scheme of ours. */
const origin = 'https://holdfast.invalid';

/**
 * The app without Electron: the built main process with its own service, the page as its protocol serves it, and the built preload between the two.
 * Chromium stands in for the window, and a few lines in the page for what Electron gives a preload. To be made where tests are declared.
 */
export function bridgeFace(): Face {
  const folder = builtApp();
  let browser: Browser;
  return {
    name: 'over the app’s bridge',
    missing: browserMissing,
    async begin() {
      browser = await openBrowser();
    },
    end: () => browser.close(),
    async start(home, env) {
      const app = startApp(home, join(folder, 'main.js'), env);
      const pages = new Set<Page>();
      app.hear((channel, ...args) => {
        for (const page of pages) void tell(page, channel, args);
      });
      return {
        async visit(view, language = 'en') {
          const watched = await openPage(browser, {
            ...{ viewport: { width: 1100, height: 900 }, reducedMotion: 'reduce', locale: localeOf(language) },
          });
          await joinPage(watched.page, app, join(folder, 'preload.cjs'));
          await watched.page.goto(`${origin}/index.html#/${view}`);
          pages.add(watched.page);
          watched.page.once('close', () => pages.delete(watched.page));
          return visitorAt(watched, language);
        },
        async stop() {
          pages.clear();
          const { code, printed } = await app.quit();
          if (code !== 0 || printed !== '') throw new Error(`the app ended with ${String(code)}:\n${printed}`);
        },
      };
    },
  };
}

/** A page that is just being loaded anew, or has gone, hears nothing, and neither does Electron's. */
async function tell(page: Page, channel: string, args: readonly unknown[]): Promise<void> {
  try {
    await page.evaluate(`window.electronTells?.(${JSON.stringify(channel)}, ${JSON.stringify(args)})`);
  } catch (error) {
    if (!page.isClosed() && !/context was destroyed|navigat/i.test(String(error))) throw error;
  }
}

async function joinPage(page: Page, app: AppProcess, preload: string): Promise<void> {
  await page.route(`${origin}/**`, async (route) => {
    const { status, headers, body } = await app.page(route.request().url().replace(origin, 'app://holdfast'));
    await route.fulfill({ status, headers: { ...headers }, body: Buffer.from(body) });
  });
  await page.exposeFunction('electronAsks', (channel: string, args: readonly unknown[]) => app.invoke(channel, ...args));
  await page.addInitScript(`(() => {
    const listeners = [];
    window.electronTells = (channel, args) => {
      for (const [name, listener] of listeners) if (name === channel) listener({}, ...args);
    };
    const electron = {
      contextBridge: { exposeInMainWorld: (name, value) => Object.defineProperty(window, name, { value: Object.freeze(value) }) },
      ipcRenderer: {
        invoke: (channel, ...args) => window.electronAsks(channel, args),
        on: (channel, listener) => void listeners.push([channel, listener]),
        off: (channel, listener) => void listeners.splice(listeners.findIndex((one) => one[1] === listener), 1),
      },
    };
    ((require, module, exports) => {${readFileSync(preload, 'utf8')}\n})(() => electron, { exports: {} }, {});
  })()`);
}
