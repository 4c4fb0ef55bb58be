import { join } from 'node:path';
import { _electron, type ElectronApplication } from 'playwright';
import { buildApp } from '../../../scripts/build-app.ts';
import { electronProgram, whyNoApp } from '../../../scripts/start.ts';
import type { ServiceHome } from '../service-process.ts';
import type { Face } from './face.ts';
import { visitorAt } from './visitor.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const program = electronProgram();

/** Why the app cannot be tried in the real Electron; empty when it can. */
export const electronMissing =
  whyNoApp(process.env, process.platform, program) === '' ? '' : 'there is no display, or Electron’s program is not here';

export async function launchApp(home: ServiceHome, env: Readonly<Record<string, string>> = {}): Promise<ElectronApplication> {
  return await _electron.launch({
    executablePath: program ?? '',
    args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), root],
    env: { ...(process.env as Record<string, string>), ...home.env, ...env },
    locale: 'en-GB',
  });
}

/** The app's one window, in the real Electron. */
export function electronFace(): Face {
  return {
    name: 'in the real Electron',
    missing: electronMissing,
    begin: () => buildApp(),
    end: () => Promise.resolve(),
    async start(home, env) {
      const app = await launchApp(home, env);
      const page = await app.firstWindow();
      page.setDefaultTimeout(240_000);
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      return {
        async visit(view, language = 'en') {
          await page.evaluate(`localStorage.setItem('holdfast.language', '${language}'); location.hash = ${JSON.stringify(`#/${view}`)}`);
          await page.reload();
          return visitorAt({ page, complaints }, language, {
            copied: () => app.evaluate(({ clipboard }) => clipboard.readText()),
            leave: () => Promise.resolve(),
          });
        },
        async stop() {
          // Yes, whatever is asked.
          await app.evaluate(({ dialog }) => void (dialog.showMessageBox = async () => ({ response: 1, checkboxChecked: false })));
          await app.close();
        },
      };
    },
  };
}
