import type { Browser } from 'playwright';
import { browserMissing, openBrowser } from './browser.ts';
import type { Face } from './face.ts';
import { visit } from './visitor.ts';

/** A browser at the headless service, over HTTP. */
export function browserFace(): Face {
  let browser: Browser;
  return {
    name: 'in a browser',
    missing: browserMissing,
    async begin() {
      browser = await openBrowser();
    },
    end: () => browser.close(),
    async start(home, env) {
      const service = await home.start(env);
      return {
        visit: (view, language) => visit(browser, service, view, language),
        stop: async () => {
          await service.stop();
        },
      };
    },
  };
}
