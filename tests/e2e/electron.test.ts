import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../scripts/build-app.ts';
import { electronProgram, whyNoApp } from '../../scripts/start.ts';
import { ServiceHome } from '../support/service-process.ts';

const root = join(import.meta.dirname, '..', '..');
const program = electronProgram();
const why = whyNoApp(process.env, process.platform, program);
if (why !== '')
  process.stdout.write('The app in the real Electron was not tried: there is no display, or Electron’s program is not here.\n');

describe.skipIf(why !== '')('the app in the real Electron', () => {
  const home = new ServiceHome();
  let app: ElectronApplication;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    await buildApp();
    await home.setUp();
    writeFileSync(join(home.folder, 'level.dat'), 'world');
    app = await _electron.launch({
      executablePath: program ?? '',
      args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), root],
      env: { ...(process.env as Record<string, string>), ...home.env },
    });
    page = await app.firstWindow();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.waitForLoadState();
  });
  afterAll(() => app.close());

  test('shows the servers, from its own origin', async () => {
    expect(page.url()).toMatch(/^app:\/\/holdfast\//);
    await page.getByText('Survival').first().waitFor();
    expect(complaints).toEqual([]);
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

  test('backs a folder up, and the page hears how it ends', async () => {
    const state = await page.evaluate(async () => {
      type Told = { event: string; data: { state: string; endedAt: number | null } };
      const { holdfast } = globalThis as unknown as {
        holdfast: { call(name: string, request: unknown): Promise<unknown>; subscribe(listener: (event: Told) => void): () => void };
      };
      return await new Promise<string>((settle) => {
        holdfast.subscribe(({ event, data }) => {
          if (event === 'job' && data.endedAt !== null) settle(data.state);
        });
        void holdfast.call('backup.start', { slug: 'survival' });
      });
    });
    expect(state).toBe('done');
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
