import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyringMissing, startKeyringSession, type KeyringSession } from '../../keyring-session.ts';
import { folderPlace, setUpServer } from '../flow-steps.ts';
import type { Visitor } from '../visitor.ts';
import { filesIn, ServiceHome, testPassword } from '../../service-process.ts';
import { titleOn, type Face, type Running } from '../face.ts';

/** Passwords in the keyring of the system, open and locked. */
export function keyringFlows(face: Face): void {
  const missing = [face.missing, keyringMissing].filter((why) => why !== '').join(', ');
  describe.skipIf(missing !== '')(titleOn({ ...face, missing }, 'a real keyring'), () => {
    const home = new ServiceHome();
    let session: KeyringSession;
    let running: Running;
    let visitor: Visitor;

    beforeAll(async () => {
      writeFileSync(join(home.folder, 'level.dat'), 'blocks');
      [session] = await Promise.all([startKeyringSession(home.base), face.begin()]);
      // Nothing but the keyring has the password.
      running = await face.start(home, { ...session.env, HOLDFAST_PASSWORD: '' });
      visitor = await running.visit('settings');
    });
    afterAll(async () => {
      await face.end();
      await running.stop();
      await session.stop();
    });

    const keys = () => visitor.page.locator('section').filter({ has: visitor.heading('settings.keys') });

    test('the keyring of the system is put in force on Settings, and is shown there', async () => {
      const { page, say, text } = visitor;
      await keys()
        .getByRole('button', { name: say('keys.change'), exact: true })
        .click();
      await page.getByRole('radio', { name: say('keys.kind.system'), exact: true }).click();
      await page
        .getByRole('dialog')
        .getByRole('button', { name: say('keys.move'), exact: true })
        .click();
      await keys().getByText(say('keys.kind.system'), { exact: true }).waitFor();
      await keys().getByText(say('keys.strong'), { exact: true }).waitFor();
      await text('keys.says.system').waitFor();
      expect(JSON.parse(readFileSync(join(home.config, 'config.json'), 'utf8'))).toMatchObject({ keychain: 'system' });
    });

    test('the wizard keeps the password there and nowhere else, and backs up with it', async () => {
      await visitor.go('new-server');
      await setUpServer(visitor, { folder: home.folder, name: 'Survival', place: folderPlace(home.place), password: testPassword });
      const files = filesIn(home.config);
      expect(files.filter((file) => basename(file).startsWith('keys.'))).toEqual([]);
      for (const file of files) expect(readFileSync(file, 'latin1')).not.toContain(testPassword);
      // Another process of the session finds it there too.
      expect(await home.json(['snapshots', '-d', 'place'], { ...session.env, HOLDFAST_PASSWORD: null })).toHaveLength(1);
    });

    test.each(['en', 'de'] as const)(
      'locked, the card shows the pause and what to do; unlocked, a click backs up again (%s)',
      async (language) => {
        const { card, page, say, button, text, complaints, leave } = await running.visit('', language);
        await session.lock();
        writeFileSync(join(home.folder, 'level.dat'), `more blocks (${language})`);
        await card('Survival')
          .getByRole('button', { name: say('do.backUpNow'), exact: true })
          .click();
        await card('Survival').getByText(say('state.paused'), { exact: true }).waitFor();
        await card('Survival').getByText(say('fault.keychain.next')).waitFor();
        // Above the views as well, as it concerns every server.
        await text('keychain.locked').waitFor();
        await page.getByRole('link', { name: say('nav.settings'), exact: true }).click();
        // Of the badge alone: what stood on the view before says the word too, for as long as it is there.
        await page.getByText(say('keys.locked'), { exact: true }).waitFor();

        await session.unlock();
        await button('keys.open').first().click();
        await button('keys.open.ask').click();
        await text('keys.opened').waitFor();
        await text('keys.strong').waitFor();
        await page.getByRole('link', { name: say('nav.home'), exact: true }).click();
        await card('Survival')
          .getByRole('button', { name: say('do.backUpNow'), exact: true })
          .click();
        await card('Survival').getByText(say('state.ok'), { exact: true }).waitFor();
        expect(complaints).toEqual([]);
        await leave();
      },
    );

    test('nothing was written to the console', () => {
      expect(visitor.complaints).toEqual([]);
    });
  });
}
