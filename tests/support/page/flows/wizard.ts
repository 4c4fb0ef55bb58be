import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServerStatus } from '../../../../main/contract/server-status.ts';
import { countClicks } from '../count-clicks.ts';
import { titleOn, withNewService, type Face, type Running } from '../face.ts';
import { chooseFolder, choosePassword, chooseProvider, describePlace, firstBackup, folderPlace, setUpServer } from '../flow-steps.ts';
import { chooseFolder as lookAtFolder } from '../setting-up.ts';
import { ServiceHome } from '../../service-process.ts';

const chosen = 'quiet copper lantern meadow';

/** The whole wizard with a real service, and the ways on which it goes wrong. */
export function wizardFlows(face: Face): void {
  describe.skipIf(face.missing !== '')(titleOn(face, 'setting up'), () => {
    const home = new ServiceHome();
    let running: Running;

    beforeAll(async () => {
      mkdirSync(join(home.folder, 'world'));
      writeFileSync(join(home.folder, 'server.properties'), 'level-name=world\n');
      writeFileSync(join(home.folder, 'world', 'level.dat'), 'blocks');
      await home.json(['keychain', 'use', 'machine-key', '--yes']);
      await face.begin();
      running = await face.start(home);
    });
    afterAll(async () => {
      await face.end();
      await running.stop();
    });

    test('seven clicks, and nothing else but typing, lead from an empty Home to a running first backup in another folder', async () => {
      await withNewService(face, async (first, at) => {
        const visitor = await at.visit('');
        const { page, button, field, heading, complaints } = visitor;
        const clicks = await countClicks(page);
        await page.getByRole('link', { name: visitor.say('empty.choose'), exact: true }).click();
        await field('wizard.folder').fill(first.folder);
        await field('wizard.name').waitFor();
        await button('do.continue').click();
        await chooseProvider(visitor, 'folder');
        await field('place.path').fill(first.place);
        await button('do.continue').click();
        await choosePassword(visitor, chosen);
        await button('wizard.start').click();
        await page
          .getByRole('progressbar')
          .or(heading('wizard.done.title', { name: 'Srv' }))
          .first()
          .waitFor();
        expect(await clicks()).toBe(7);
        expect(complaints).toEqual([]);
        await heading('wizard.done.title', { name: 'Srv' }).waitFor();
        await visitor.leave();
      });
    });

    test('five clicks lead from a known folder to the first backup, in a new place with a key file', async () => {
      const visitor = await running.visit('new-server');
      const { page, button, complaints } = visitor;
      const clicks = await countClicks(page);
      let extra = 0;
      await setUpServer(visitor, {
        ...{ folder: home.folder, name: 'Survival', place: folderPlace(home.place), password: chosen },
        async atPassword() {
          expect(await page.getByLabel('Password again').inputValue()).toBe('');
          await page.getByLabel('Password', { exact: true }).fill('abc');
          await page.getByText(/^Guessed/).waitFor();
          await page.getByLabel('Password', { exact: true }).fill(chosen);
          await page.getByText('Very strong.').waitFor();
        },
        async atKeyFile(kit) {
          expect(kit.suggestedFilename()).toBe('holdfast-recovery-kit-place.html');
          expect(readFileSync(await kit.path(), 'utf8')).toContain('Holdfast recovery kit');
          const before = await clicks();
          await page.getByLabel('With the recovery key').check();
          // Another key file is another thing to put away.
          expect(await button('wizard.kit.put').getAttribute('aria-disabled')).toBe('true');
          await button('kit.print').click();
          await page.getByText('It is made. Now put it away.').waitFor();
          const heading = "document.querySelector('iframe[data-print]').contentDocument.querySelector('h1')";
          expect(await page.evaluate<string>(`${heading}.textContent`)).toBe('Holdfast recovery kit');
          expect(await page.evaluate<string>(`getComputedStyle(${heading}).fontSize`)).toBe('25.6px');
          extra = (await clicks()) - before;
        },
      });
      expect((await clicks()) - extra).toBe(5);

      const [status] = (await home.json(['server', 'list'])) as ServerStatus[];
      expect(status).toMatchObject({
        // Full verification and a test restore follow by themselves, and may still be at it.
        ...{ state: expect.stringMatching(/^(ok|running)$/) as string, lastSuccess: expect.any(Number) as number },
        settings: {
          ...{ name: 'Survival', slug: 'survival', folder: home.folder, destinations: ['place'], preset: 'minecraft' },
          ...{ schedule: { kind: 'every', hours: 4 }, keep: { last: 3, daily: 7, weekly: 4, monthly: 6 } },
        },
      });
      await button('wizard.done.home').click();
      await page.getByRole('heading', { name: 'Your server is safe' }).waitFor();
      expect(complaints).toEqual([]);
      await visitor.leave();
    });

    test('a place that is there is offered first, and three clicks are enough', async () => {
      const other = join(home.base, 'creative');
      mkdirSync(other);
      writeFileSync(join(other, 'notes.txt'), 'hello');
      const visitor = await running.visit('new-server');
      const { page, button, complaints } = visitor;
      const clicks = await countClicks(page);
      await chooseFolder(visitor, other);
      expect(await page.getByRole('radio', { name: /^place/ }).isChecked()).toBe(true);
      await button('do.continue').click();
      await firstBackup(visitor, 'Creative');
      expect(await clicks()).toBe(3);
      expect(complaints).toEqual([]);
      await visitor.leave();
    });

    test('backups that another password seals are told, and opened by theirs', async () => {
      const theirs = join(home.base, 'theirs');
      const folder = join(home.base, 'lobby');
      for (const path of [theirs, folder]) mkdirSync(path);
      writeFileSync(join(folder, 'level.dat'), 'more blocks');
      await home.json(['backup', folder, '-d', `folder:${theirs}`], { HOLDFAST_PASSWORD: 'their own words' });
      const before = readdirSync(theirs);
      const visitor = await running.visit('new-server');
      const { page, complaints } = visitor;
      await chooseFolder(visitor, folder);
      await describePlace(visitor, folderPlace(theirs));
      for (const label of ['Password', 'Password again']) await page.getByLabel(label, { exact: true }).fill(chosen);
      await page.getByRole('button', { name: 'Download key file' }).click();
      await page.getByText('Backups are in this place already, and another password opens them. Enter that one.').waitFor();
      expect(readdirSync(theirs)).toEqual(before);
      const password = page.getByLabel('Password of this backup place');
      await password.fill('not this either');
      await page.keyboard.press('Enter');
      await page.getByText('That password does not open this backup place. Check Caps Lock.').waitFor();
      await password.fill('their own words');
      await page.keyboard.press('Enter');
      await firstBackup(visitor, 'Lobby');
      // The browser's own word for the two refusals.
      expect(complaints.filter((line) => !line.includes('409 (Conflict)'))).toEqual([]);
      await visitor.leave();
    });

    test('a folder that cannot be backed up says why', async () => {
      const nothing = join(home.base, 'nothing');
      mkdirSync(nothing);
      const visitor = await running.visit('new-server');
      const { page, complaints } = visitor;
      for (const [path, why] of [
        ['relative/path', 'Give the whole path, from the root on.'],
        [join(home.base, 'none'), `There is no folder ${join(home.base, 'none')} on that computer.`],
        [join(home.folder, 'server.properties'), 'is a file, not a folder.'],
        [nothing, 'is empty. Perhaps its disk is not mounted.'],
        [home.base, 'so each backup would swallow those before.'],
      ] as const) {
        await lookAtFolder(page, path, why);
        expect(await page.getByLabel('Name', { exact: true }).count()).toBe(0);
      }
      expect(complaints).toEqual([]);
      await visitor.leave();
    });

    test('a place that cannot be used says what is wrong with it and what to do', async () => {
      const file = join(home.base, 'no-folder');
      const folder = join(home.base, 'skyblock');
      writeFileSync(file, '');
      mkdirSync(folder);
      writeFileSync(join(folder, 'level.dat'), 'blocks');
      const visitor = await running.visit('new-server');
      const { page, complaints } = visitor;
      await chooseFolder(visitor, folder);
      await page.getByRole('radio', { name: /^A new place/ }).check();
      await folderPlace(join(folder, 'backups'))(visitor);
      await page.getByRole('button', { name: 'Continue' }).click();
      const inside = page.getByText('so each backup would swallow those before.');
      await inside.waitFor();
      expect(readdirSync(folder)).toEqual(['level.dat']);
      await folderPlace(file)(visitor);
      await inside.waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Test connection' }).click();
      await page.getByText('One thing to mend.').waitFor();
      const row = page.getByRole('listitem').filter({ hasText: 'Failed: ' });
      expect(await row.innerText()).toContain('has a file where a folder should be');
      expect(await row.innerText()).toContain('Next:');
      expect(await page.getByRole('button', { name: 'Continue' }).getAttribute('aria-disabled')).toBe('true');
      // The browser's own word for the refusal.
      expect(complaints.filter((line) => !line.includes('status of 400'))).toEqual([]);
      await visitor.leave();
    });
  });
}
