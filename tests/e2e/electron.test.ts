import type { ElectronApplication, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../scripts/build-app.ts';
import { electronFace, electronMissing, launchApp } from '../support/page/electron-face.ts';
import { connectionFlows } from '../support/page/flows/connection.ts';
import { homeFlows } from '../support/page/flows/home.ts';
import { jobFlows } from '../support/page/flows/jobs.ts';
import { keyringFlows } from '../support/page/flows/keyring.ts';
import { restoreFlows } from '../support/page/flows/restore.ts';
import { s3Flows } from '../support/page/flows/s3.ts';
import { signInFlows } from '../support/page/flows/sign-in.ts';
import { wizardFlows } from '../support/page/flows/wizard.ts';
import { ServiceHome } from '../support/service-process.ts';

if (electronMissing !== '') process.stdout.write(`The app in the real Electron was not tried: ${electronMissing}.\n`);

const all = [wizardFlows, homeFlows, restoreFlows, jobFlows, connectionFlows, signInFlows, s3Flows, keyringFlows];
for (const flows of all) flows(electronFace());

/** What only Electron itself can show. */
describe.skipIf(electronMissing !== '')('the app in the real Electron', () => {
  const home = new ServiceHome();
  let app: ElectronApplication;
  let page: Page;

  beforeAll(async () => {
    await buildApp();
    await home.setUp();
    app = await launchApp(home);
    page = await app.firstWindow();
    await page.waitForLoadState();
  });
  afterAll(() => app.close());

  test('shows the page from its own origin', async () => {
    expect(page.url()).toMatch(/^app:\/\/holdfast\//);
    await page.getByText('Survival').first().waitFor();
  });

  test('gives the page its three functions, and nothing of Node', async () => {
    const has = await page.evaluate(() => {
      const all = globalThis as Record<string, unknown>;
      return [Object.keys(all['holdfast'] as object).sort(), typeof all['require'], typeof all['process'], typeof all['Buffer']];
    });
    expect(has).toEqual([['call', 'cancel', 'subscribe'], 'undefined', 'undefined', 'undefined']);
  });

  test('leads nowhere, and opens no other window', async () => {
    await page.evaluate(() => {
      const { open, location } = globalThis as unknown as { open: (url: string) => unknown; location: { href: string } };
      open('https://example.org/');
      location.href = 'https://example.org/';
    });
    expect(page.url()).toMatch(/^app:\/\/holdfast\//);
    expect(app.windows()).toHaveLength(1);
  });

  test('closed, it waits in the tray; started again, it shows its window', async () => {
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().forEach((window) => window.close()));
    const visible = (): Promise<boolean[]> =>
      app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().map((one) => one.isVisible()));
    expect(await visible()).toEqual([false]);
    await app.evaluate(({ app: own }) => void own.emit('second-instance'));
    expect(await visible()).toEqual([true]);
  });
});
