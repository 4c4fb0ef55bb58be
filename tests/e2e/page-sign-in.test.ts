import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openOrigins } from '../../main/electron/links.ts';
import { startSignInCloud, type SignInCloud } from '../support/clouds/sign-in-cloud.ts';
import { bridgeFace } from '../support/page/bridge-face.ts';
import { browserFace } from '../support/page/browser-face.ts';
import { browserMissing, openBrowser } from '../support/page/browser.ts';
import { chooseFolder, chooseProvider } from '../support/page/flow-steps.ts';
import { signInFlows } from '../support/page/flows/sign-in.ts';
import { beginSignIn, fillClient } from '../support/page/sign-in-flow.ts';
import { visit, type Visitor } from '../support/page/visitor.ts';
import { ServiceHome, type RunningService } from '../support/service-process.ts';

const clouds = [
  { name: 'Google', provider: 'google-drive', endpoint: 'HOLDFAST_GOOGLE_ENDPOINT' },
  { name: 'Dropbox', provider: 'dropbox', endpoint: 'HOLDFAST_DROPBOX_ENDPOINT' },
] as const;

/** What only a browser does: it opens the provider’s page itself. */
describe.skipIf(browserMissing !== '').each(clouds)(
  'signing in with $name in the browser that shows the page',
  ({ name, provider, endpoint }) => {
    const home = new ServiceHome();
    let cloud: SignInCloud;
    let browser: Browser;
    let service: RunningService;

    beforeAll(async () => {
      writeFileSync(join(home.folder, 'level.dat'), 'blocks');
      cloud = await startSignInCloud(provider, join(home.base, 'cloud'));
      await home.json(['keychain', 'use', 'machine-key', '--yes']);
      service = await home.start({ [endpoint]: cloud.address });
      browser = await openBrowser();
    });
    afterAll(async () => {
      await browser.close();
      await service.stop();
      await cloud.close();
    });

    /** At the form of the provider, in the wizard. */
    async function atForm(): Promise<Visitor> {
      const visitor = await visit(browser, service, 'new-server');
      await chooseFolder(visitor, home.folder);
      await chooseProvider(visitor, provider);
      return visitor;
    }

    test('without a client id it is said where it goes; the form opens there', async () => {
      const { page, field } = await atForm();
      await page.getByRole('button', { name: `Sign in with ${name}…` }).click();
      await page.getByText(`To sign in with ${name}, a client id of your own is needed.`).waitFor();
      await field(provider === 'dropbox' ? 'place.appKey' : 'place.clientId').waitFor();
      // It is led to by the page itself, wherever it was installed.
      await page.getByRole('button', { name: 'Guide', exact: true }).click();
      await page.getByText(`# Setting up ${provider === 'dropbox' ? 'Dropbox' : 'Google Drive'}`).waitFor();
      await page.evaluate('window.open = (link) => { window.opened = link; }');
      await page
        .getByRole('button', { name: provider === 'dropbox' ? 'Open Dropbox’s App Console' : 'Open the Google Cloud console' })
        .click();
      await page.waitForFunction('window.opened !== undefined');
      expect(openOrigins).toContain(new URL(await page.evaluate<string>('window.opened')).origin);
      await page.context().close();
    });

    test('a person who says no is told so, and may try again; then the account is shown and the place can be used', async () => {
      const visitor = await atForm();
      const { page } = visitor;
      await fillClient(visitor, provider);
      cloud.oauth.refuses = true;
      await beginSignIn(visitor, provider);
      await page.getByText(`The access was not allowed on ${name}’s page.`).waitFor();
      cloud.oauth.refuses = false;
      await beginSignIn(visitor, provider);
      await page.getByText('Signed in as person@example.org.').waitFor();
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('heading', { name: 'A password for' }).waitFor();
      // The page has no token: not in its address, nor in what it keeps.
      const kept = await page.evaluate<string>('JSON.stringify({ ...sessionStorage, ...localStorage }) + location.href');
      expect(kept).not.toContain('planted');
      await page.context().close();
    });
  },
);

signInFlows(browserFace());
signInFlows(bridgeFace());
