import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Refusal } from '../support/clouds/backblaze-b2/refusal.ts';
import { startB2Server, type B2Server } from '../support/clouds/backblaze-b2/server.ts';
import { startSignInCloud, type SignInCloud } from '../support/clouds/sign-in-cloud.ts';
import { browserMissing, openBrowser } from '../support/page/browser.ts';
import { chooseProvider, openOnNewMachine, restoreLatest, setUpServer, type FillPlace } from '../support/page/flow-steps.ts';
import { beginSignIn, signedInPlace } from '../support/page/sign-in-flow.ts';
import { visit } from '../support/page/visitor.ts';
import type { Language } from '../support/page/words.ts';
import { ServiceHome, testPassword, type RunningService } from '../support/service-process.ts';

describe.skipIf(browserMissing !== '')(`the page and the strict clouds${browserMissing === '' ? '' : ` (${browserMissing})`}`, () => {
  const home = new ServiceHome();
  let b2: B2Server;
  let google: SignInCloud;
  let dropbox: SignInCloud;
  let browser: Browser;
  let service: RunningService;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    const folder = (name: string): string => join(home.base, name);
    mkdirSync(folder('b2'));
    [b2, google, dropbox, browser] = await Promise.all([
      startB2Server({ folder: folder('b2') }),
      startSignInCloud('google-drive', folder('google-drive')),
      startSignInCloud('dropbox', folder('dropbox')),
      openBrowser(),
      home.json(['keychain', 'use', 'machine-key', '--yes']),
    ]);
    b2.addBucket('my-backups');
    env = {
      HOLDFAST_B2_ENDPOINT: b2.endpoint,
      HOLDFAST_GOOGLE_ENDPOINT: google.address,
      HOLDFAST_DROPBOX_ENDPOINT: dropbox.address,
    };
    service = await home.start(env);
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
    await Promise.all([b2.close(), google.close(), dropbox.close()]);
  });

  /** With a key of its own each time, as another computer has. */
  const b2Place: FillPlace = async (visitor) => {
    const { keyId, applicationKey } = b2.addKey({ buckets: ['my-backups'] });
    await chooseProvider(visitor, 'backblaze-b2');
    await visitor.field('place.bucket').fill('my-backups');
    await visitor.field('place.b2.keyId').fill(keyId);
    await visitor.field('place.b2.applicationKey').fill(applicationKey);
  };

  const cases: readonly { readonly name: string; readonly language: Language; readonly place: FillPlace }[] = [
    { name: 'Backblaze', language: 'de', place: b2Place },
    { name: 'Google', language: 'en', place: signedInPlace('google-drive') },
    { name: 'Dropbox', language: 'de', place: signedInPlace('dropbox') },
  ];

  test.each(cases)('$name ($language): set up, restored with one click, and listed on a new machine', async ({ name, language, place }) => {
    const folder = join(home.base, `srv-${name}`);
    mkdirSync(folder);
    const level = join(folder, 'level.dat');
    writeFileSync(level, 'blocks');
    const visitor = await visit(browser, service, 'new-server', language);
    await setUpServer(visitor, { folder, name, place, password: testPassword });
    expect(await visitor.page.locator('html').getAttribute('lang')).toBe(language);
    writeFileSync(level, 'griefed');
    await visitor.button('wizard.done.home').click();
    await restoreLatest(visitor, name);
    expect(readFileSync(level, 'utf8')).toBe('blocks');
    expect(visitor.complaints).toEqual([]);
    await visitor.page.context().close();

    const other = new ServiceHome();
    await other.json(['keychain', 'use', 'machine-key', '--yes']);
    const there = await other.start(env);
    const elsewhere = await visit(browser, there, '', language);
    await openOnNewMachine(elsewhere, place, testPassword);
    await elsewhere.heading('machine.servers.title', { count: 1 }).waitFor();
    await elsewhere
      .card(name)
      .getByText(elsewhere.say('machine.snapshots', { count: 1 }))
      .waitFor();
    expect(elsewhere.complaints).toEqual([]);
    await elsewhere.page.context().close();
    await there.stop();
  });

  test('a backup under way is cancelled from its card, and leaves nothing half done', async () => {
    const { card, say, page, complaints } = await visit(browser, service, '', 'de');
    const gate = Promise.withResolvers<void>();
    const waiting = Promise.withResolvers<void>();
    b2.hold = async (call) => {
      if (call !== 'b2_get_upload_url') return;
      waiting.resolve();
      await gate.promise;
    };
    writeFileSync(join(home.base, 'srv-Backblaze', 'new.dat'), 'more');
    const press = (key: 'do.backUpNow' | 'do.cancel'): Promise<void> =>
      card('Backblaze')
        .getByRole('button', { name: say(key), exact: true })
        .click();
    await press('do.backUpNow');
    await waiting.promise;
    await card('Backblaze').getByText(say('state.running.backup'), { exact: true }).waitFor();
    await press('do.cancel');
    await card('Backblaze').getByText(say('state.ok'), { exact: true }).waitFor();
    gate.resolve();
    b2.hold = () => Promise.resolve();
    await page.getByRole('link', { name: say('nav.activity'), exact: true }).click();
    await page
      .getByRole('button', { name: say('job.of', { kind: say('job.backup'), server: 'Backblaze' }) })
      .first()
      .waitFor();
    await page.getByText(say('job.state.cancelled'), { exact: true }).first().waitFor();
    expect(await home.json(['snapshots', '-d', 'my-backups'], { ...env })).toHaveLength(1);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('a sign-in that the provider has ended is asked for, and what it stopped is said to be still to come', async () => {
    const visitor = await visit(browser, service, '');
    const { card, page, say, text, complaints } = visitor;
    google.oauth.revoke();
    writeFileSync(join(home.base, 'srv-Google', 'new.dat'), 'more');
    await card('Google')
      .getByRole('button', { name: say('do.backUpNow'), exact: true })
      .click();
    await card('Google').getByText(say('state.sign-in-needed'), { exact: true }).waitFor();
    await card('Google')
      .getByText(say('note.signIn', { provider: 'Google' }))
      .waitFor();
    await card('Google')
      .getByRole('button', { name: say('do.signIn', { provider: 'Google' }), exact: true })
      .click();
    await card('Google').waitFor({ state: 'detached' });
    // What the view still asks for comes when the person has left it.
    const gate = Promise.withResolvers<void>();
    await page.route('**/api/call/destinations.list', async (route) => {
      await gate.promise;
      await route.continue();
    });
    await beginSignIn(visitor, 'google-drive');
    await text('places.signedInMissed').waitFor();
    await visitor.go('');
    await card('Google').getByText(say('note.lateSignedIn')).waitFor();
    const account = page.waitForResponse('**/api/call/destination.account');
    gate.resolve();
    await account;
    await card('Google')
      .getByRole('button', { name: say('do.backUpNow'), exact: true })
      .click();
    await card('Google').getByText(say('state.ok'), { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test.each(['en', 'de'] as const)('keys that were taken away fail with cause and next step (%s)', async (language) => {
    const { card, page, say, complaints } = await visit(browser, service, '', language);
    b2.refuse = () => new Refusal(401, 'unauthorized', 'this key is no more');
    writeFileSync(join(home.base, 'srv-Backblaze', 'new.dat'), `more in ${language}`);
    await card('Backblaze')
      .getByRole('button', { name: say(language === 'en' ? 'do.backUpNow' : 'do.tryNow'), exact: true })
      .click();
    await card('Backblaze').getByText(say('state.failed'), { exact: true }).waitFor();
    await card('Backblaze').getByText(say('fault.unauthenticated.says')).waitFor();
    await card('Backblaze').getByText(say('fault.unauthenticated.next')).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });
});
