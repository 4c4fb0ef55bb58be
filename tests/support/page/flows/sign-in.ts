import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSignInCloud, type SignInCloud } from '../../clouds/sign-in-cloud.ts';
import { ServiceHome } from '../../service-process.ts';
import { titleOn, type Face, type Running } from '../face.ts';
import { chooseFolder, chooseProvider } from '../flow-steps.ts';
import { beginSignIn, fillClient, signedIn } from '../sign-in-flow.ts';
import type { Visitor } from '../visitor.ts';

const clouds = [
  { name: 'Google', provider: 'google-drive', endpoint: 'HOLDFAST_GOOGLE_ENDPOINT' },
  { name: 'Dropbox', provider: 'dropbox', endpoint: 'HOLDFAST_DROPBOX_ENDPOINT' },
] as const;

/** Signing in where the link is opened by hand, which each face offers: the app itself opens none of a server of the tests. */
export function signInFlows(face: Face): void {
  describe.skipIf(face.missing !== '').each(clouds)(titleOn(face, 'signing in with $name by a link'), ({ name, provider, endpoint }) => {
    const home = new ServiceHome();
    let cloud: SignInCloud;
    let running: Running;

    beforeAll(async () => {
      writeFileSync(join(home.folder, 'level.dat'), 'blocks');
      cloud = await startSignInCloud(provider, join(home.base, 'cloud'));
      await home.json(['keychain', 'use', 'machine-key', '--yes']);
      await face.begin();
      running = await face.start(home, { [endpoint]: cloud.address });
    });
    afterAll(async () => {
      await face.end();
      await running.stop();
      await cloud.close();
    });

    /** At the form of the provider, in the wizard; nothing is opened by the page itself. */
    async function atForm(): Promise<Visitor> {
      const visitor = await running.visit('new-server');
      await visitor.page.context().route(`${cloud.address}/**`, (route) => route.abort());
      await chooseFolder(visitor, home.folder);
      await chooseProvider(visitor, provider);
      return visitor;
    }

    test('what the person answers in another browser is shown: a no, a refusal of the provider’s own, and then a yes with the account', async () => {
      const visitor = await atForm();
      const { page, text, button, heading } = visitor;
      await fillClient(visitor, provider);
      const ends = [
        [true, () => text('signIn.fault.permission-denied.says', { provider: name })],
        ['server_error', () => text('say.sign-in-unavailable.says', { provider: name })],
        ['invalid_scope', () => text('say.client-refused.says', { provider: name })],
        [false, () => signedIn(visitor)],
      ] as const;
      for (const [refuses, shown] of ends) {
        cloud.oauth.refuses = refuses;
        await beginSignIn(visitor, provider);
        await page.locator('.link').waitFor({ state: 'attached' });
        // As a browser on this computer, to where the provider sends it.
        await fetch((await page.locator('.link').textContent()) ?? '');
        await shown().waitFor();
      }
      await button('do.continue').click();
      await heading('wizard.password.title', { place: provider === 'dropbox' ? 'dropbox' : 'google-drive' }).waitFor();
      await visitor.leave();
    });

    test('a browser elsewhere: the link is opened there, and the address that it ended on is pasted back', async () => {
      const visitor = await atForm();
      const { page } = visitor;
      await fillClient(visitor, provider);
      await beginSignIn(visitor, provider);
      await page.getByText('No browser on the computer that runs Holdfast?').click();
      const link = await page.locator('.link').innerText();
      const answer = page.getByLabel('Address of the page that did not load');
      await answer.fill('http://127.0.0.1:1/elsewhere/altogether');
      await page.keyboard.press('Enter');
      await page.getByText('That is not the address it ended on.').waitFor();
      const ended = (await fetch(link, { redirect: 'manual' })).headers.get('location') ?? '';
      await answer.fill(ended);
      await page.keyboard.press('Enter');
      await page.getByText('Signed in as person@example.org.').waitFor();
      await visitor.leave();
    });

    test('a sign-in that is cancelled waits no longer', async () => {
      const visitor = await atForm();
      const { page } = visitor;
      await fillClient(visitor, provider);
      await beginSignIn(visitor, provider);
      const link = await page.locator('.link').textContent();
      await page.getByRole('button', { name: 'Cancel', exact: true }).click();
      await page.getByRole('button', { name: `Sign in with ${name}…` }).waitFor();
      const ended = (await fetch(link ?? '', { redirect: 'manual' })).headers.get('location') ?? '';
      // The page does not wait for the service to be told.
      await expect.poll(() => isListening(ended)).toBe(false);
      await visitor.leave();
    });
  });
}

/** Whether somebody waits at an address. Nothing is asked there: one answer is all that a sign-in waits for. */
async function isListening(address: string): Promise<boolean> {
  const { hostname, port } = new URL(address);
  return await new Promise((done) => {
    const socket = connect(Number(port), hostname, () => {
      socket.destroy();
      done(true);
    }).once('error', () => {
      done(false);
    });
  });
}
