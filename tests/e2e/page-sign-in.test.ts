import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDropboxServer } from '../support/clouds/dropbox/server.ts';
import { startDriveServer } from '../support/clouds/google-drive/server.ts';
import { startOAuthServer, testClient, type OAuthServer } from '../support/clouds/oauth/server.ts';
import { closed, listening } from '../support/clouds/serve.ts';
import { browserMissing, openBrowser } from '../support/page/browser.ts';
import { openLivePage } from '../support/page/live-page.ts';
import { toPlaces } from '../support/page/setting-up.ts';
import { ServiceHome, type RunningService } from '../support/service-process.ts';

const clouds = [
  {
    ...{ provider: 'Google', chip: 'Google Drive', clientId: 'Client id', secret: 'Client secret', start: startDriveServer },
    endpoint: 'HOLDFAST_GOOGLE_ENDPOINT',
  },
  {
    ...{ provider: 'Dropbox', chip: 'Dropbox', clientId: 'App key', secret: 'App secret (optional)', start: startDropboxServer },
    endpoint: 'HOLDFAST_DROPBOX_ENDPOINT',
  },
] as const;

describe.skipIf(browserMissing !== '').each(clouds)('signing in with $provider from the page', (cloud) => {
  const home = new ServiceHome();
  let oauth: OAuthServer;
  let front: Server;
  let address = '';
  let closeCloud: () => Promise<void>;
  let browser: Browser;
  let service: RunningService;

  beforeAll(async () => {
    mkdirSync(join(home.base, 'cloud'));
    writeFileSync(join(home.folder, 'level.dat'), 'blocks');
    oauth = await startOAuthServer();
    const server = await cloud.start({ folder: join(home.base, 'cloud'), authority: oauth });
    closeCloud = () => server.close();
    front = createServer((request: IncomingMessage, response: ServerResponse) => {
      if (!oauth.handle(request, response)) server.handle(request, response);
    });
    address = `http://127.0.0.1:${await listening(front)}`;
    await home.json(['keychain', 'use', 'machine-key', '--yes']);
    service = await home.start({ [cloud.endpoint]: address });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
    await closed(front);
    await closeCloud();
    await oauth.close();
  });

  /** At the form of the provider, in the wizard. */
  async function atForm(): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
    const watched = await openLivePage(browser, service, 'new-server');
    const { page } = watched;
    await toPlaces(page, home.folder);
    await page.getByRole('radio', { name: cloud.chip, exact: true }).click();
    return watched;
  }

  async function fillClient(page: Page): Promise<void> {
    await page.getByText('Advanced: own client id').click();
    await page.getByLabel(cloud.clientId, { exact: true }).fill(testClient.id);
    await page.getByLabel(cloud.secret, { exact: true }).fill(testClient.secret);
  }

  /** Dropbox has one port for all sign-ins of a computer: another one that waits there ends before long. */
  async function begin(page: Page): Promise<void> {
    const waiting = page.getByText(`Waiting for ${cloud.provider}’s page in your browser.`);
    const done = page.getByText(/^Signed in as|not allowed on/);
    const taken = page.getByText(`Another sign-in with ${cloud.provider} is waiting on this computer.`);
    for (;;) {
      await page.getByRole('button', { name: /^(Sign in with|Try again)/ }).click();
      await waiting.or(done).or(taken).first().waitFor();
      if ((await taken.count()) === 0) return;
    }
  }

  test('without a client id it is said where it goes; the form opens there', async () => {
    const { page } = await atForm();
    await page.getByRole('button', { name: `Sign in with ${cloud.provider}…` }).click();
    await page.getByText(`${cloud.provider} wants a client id of your own.`).waitFor();
    await page.getByLabel(cloud.clientId, { exact: true }).waitFor();
    await page.context().close();
  });

  test('a person who says no is told so, and may try again; then the account is shown and the place can be used', async () => {
    const { page } = await atForm();
    await fillClient(page);
    oauth.refuses = true;
    await begin(page);
    await page.getByText(`The access was not allowed on ${cloud.provider}’s page.`).waitFor();
    oauth.refuses = false;
    await begin(page);
    await page.getByText('Signed in as person@example.org.').waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'A password for' }).waitFor();
    // The page has no token: not in its address, nor in what it keeps.
    const kept = await page.evaluate<string>('JSON.stringify({ ...sessionStorage, ...localStorage }) + location.href');
    expect(kept).not.toContain('planted');
    await page.context().close();
  });

  test('a browser elsewhere: the link is opened there, and the address that it ended on is pasted back', async () => {
    const { page } = await atForm();
    await fillClient(page);
    // The browser here opens nothing.
    await page.context().route(`${address}/**`, (route) => route.abort());
    await begin(page);
    await page.getByText('No browser on the computer that runs Holdfast?').click();
    const link = await page.getByText(`${address}/`).innerText();
    const answer = page.getByLabel('Address of the page that did not load');
    await answer.fill('http://127.0.0.1:1/elsewhere/altogether');
    await page.keyboard.press('Enter');
    await page.getByText('That is not the address it ended on.').waitFor();
    const ended = (await fetch(link, { redirect: 'manual' })).headers.get('location') ?? '';
    await answer.fill(ended);
    await page.keyboard.press('Enter');
    await page.getByText('Signed in as person@example.org.').waitFor();
    await page.context().close();
  });

  test('a sign-in that is cancelled waits no longer', async () => {
    const { page } = await atForm();
    await fillClient(page);
    await page.context().route(`${address}/**`, (route) => route.abort());
    await begin(page);
    const link = await page.locator('.link').textContent();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: `Sign in with ${cloud.provider}…` }).waitFor();
    const ended = (await fetch(link ?? '', { redirect: 'manual' })).headers.get('location') ?? '';
    await expect(fetch(ended)).rejects.toThrow();
    await page.context().close();
  });
});
