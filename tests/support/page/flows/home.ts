import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { titleOn, type Face, type Running } from '../face.ts';
import { bringBack, folderPlace, openOnNewMachine } from '../flow-steps.ts';
import { testConnection } from '../setting-up.ts';
import type { Visitor } from '../visitor.ts';
import { ServiceHome, testPassword } from '../../service-process.ts';

const newPassword = 'zwölf nasse Biber bauen';

/** Home, Activity, Settings and New machine with a real service, a real folder to back up and one to back up to. */
export function homeFlows(face: Face): void {
  describe.skipIf(face.missing !== '')(titleOn(face, 'the page of a running service'), () => {
    const home = new ServiceHome();
    let running: Running;
    let visitor: Visitor;
    let page: Page;

    beforeAll(async () => {
      writeFileSync(join(home.folder, 'level.dat'), 'blocks');
      await home.setUp(['--daily', '04:00', '--keep-daily', '7']);
      await face.begin();
      running = await face.start(home);
      visitor = await running.visit('');
      ({ page } = visitor);
    });
    afterAll(async () => {
      await face.end();
      await running.stop();
    });

    const card = () => page.getByRole('article', { name: 'Survival' });

    test('a server without a backup says so, and is safe after a click', async () => {
      await card().getByText('Not backed up yet').waitFor();
      await card().getByRole('button', { name: 'Back up now' }).click();
      await card().getByText('Safe', { exact: true }).waitFor();
      await page.getByRole('heading', { level: 1, name: 'Your server is safe' }).waitFor();
      expect(existsSync(join(home.place, 'holdfast.vault'))).toBe(true);
    });

    test('a pause is shown and ended', async () => {
      await card().getByRole('button', { name: 'More for Survival' }).click();
      await page.getByRole('menuitem', { name: 'Until I resume it' }).click();
      await card().getByText('Nothing is backed up until then.').waitFor();
      await card().getByRole('button', { name: 'Resume' }).click();
      await card().getByText('Safe', { exact: true }).waitFor();
    });

    test('a backup place that is gone fails with cause and next step, and works again once it is back', async () => {
      renameSync(home.place, `${home.place}-away`);
      await card().getByRole('button', { name: 'Back up now' }).click();
      await card().getByText('Failed', { exact: true }).waitFor();
      await page.getByRole('heading', { level: 1, name: 'One server needs you' }).waitFor();
      await card().getByText('Details').click();
      await card().getByText(/place/).last().waitFor();
      renameSync(`${home.place}-away`, home.place);
      writeFileSync(join(home.folder, 'level.dat'), 'more blocks');
      await card().getByRole('button', { name: 'Try now' }).click();
      await card().getByText('Safe', { exact: true }).waitFor();
    });

    test('activity lists what ran, and tells the failed one apart', async () => {
      await page.getByRole('link', { name: 'Activity', exact: true }).click();
      const rows = page.getByRole('button', { name: /Backup of Survival/ });
      await rows.nth(2).waitFor();
      await page.getByRole('button', { name: 'Only what failed' }).click();
      await expect.poll(() => rows.count()).toBe(1);
      await rows.first().click();
      await page.getByText('Details').waitFor();
    });

    test('what ran shows its log, also in its report; one whose log is gone says so', async () => {
      const log = page.getByRole('list', { name: 'Log of Backup of Survival' });
      await page.getByText('Log', { exact: true }).click();
      await log.getByText(/backup waiting/).waitFor();
      await log.getByText(/^Error: backup failed/).waitFor();
      await page.getByRole('button', { name: 'Copy report' }).nth(1).click();
      await page.getByText('The report on this is on the clipboard.').waitFor();
      expect(await visitor.copied()).toMatch(/"state": "failed"[\s\S]*## Log[\s\S]*info backup waiting[\s\S]*error backup failed/);
      await page.getByRole('button', { name: 'Copy report' }).first().click();
      await page.getByText('The report is on the clipboard.').waitFor();
      expect(await visitor.copied()).toContain('"event":"backup failed"');
      rmSync(join(home.own(), 'log', 'holdfast.log'));
      await page.getByText('Log', { exact: true }).click();
      await page.getByText('Log', { exact: true }).click();
      await page.getByText('The log no longer holds this').waitFor();
    });

    test('a server is edited, and what the form does not show stays', async () => {
      await page.getByRole('link', { name: 'Settings', exact: true }).click();
      await page.getByRole('link', { name: /Survival/ }).click();
      await page.getByLabel('Name').fill('SURVIVAL');
      await page.getByRole('radio', { name: 'Hourly' }).click();
      await page.getByLabel('Leave out as well').fill('*.tmp\n/cache/');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('article', { name: 'SURVIVAL', exact: true }).waitFor();
      const { servers } = JSON.parse(readFileSync(join(home.config, 'config.json'), 'utf8'));
      expect(servers).toMatchObject([
        {
          ...{ name: 'SURVIVAL', slug: 'survival', folder: home.folder, excludes: ['*.tmp', '/cache/'], keep: { daily: 7 } },
          schedule: { kind: 'every', hours: 1 },
        },
      ]);
    });

    test('the password of a place is changed: the wrong one is told, and the new one opens it', async () => {
      await page.getByRole('link', { name: 'Settings', exact: true }).click();
      await page.getByRole('link', { name: /^nas/ }).click();
      await page.getByRole('button', { name: 'Change the password…' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Password now').fill('not this one');
      await dialog.getByLabel('Password', { exact: true }).fill(newPassword);
      await dialog.getByLabel('Password again').fill(newPassword);
      await dialog.getByRole('button', { name: 'Change the password' }).click();
      await dialog.getByText('That password does not open this backup place.').waitFor();
      await dialog.getByLabel('Password now').fill(testPassword);
      await dialog.getByRole('button', { name: 'Change the password' }).click();
      await page.getByText('The new password is in force').waitFor();
      const asBefore = await home.run(['snapshots', '-d', `folder:${home.place}`, '--json']);
      expect(asBefore.code).toBe(12);
      const asNow = await home.run(['snapshots', '-d', `folder:${home.place}`, '--json'], { HOLDFAST_PASSWORD: newPassword });
      expect(JSON.parse(asNow.stdout)).toHaveLength(2);
    });

    test('the connection of a place is tested', async () => {
      await testConnection(page);
    });

    test('a limit by the clock and a pause on battery are kept', async () => {
      await page.getByRole('link', { name: 'Settings', exact: true }).click();
      await page.getByLabel('Limit').selectOption({ label: 'Timetable' });
      await page.getByRole('button', { name: 'Add a time' }).click();
      await page.getByLabel('Upload, MB/s').fill('2');
      await page.getByRole('checkbox', { name: 'Pause on battery' }).check({ force: true });
      await page.getByRole('button', { name: 'Save' }).click();
      const kept = () => {
        const { bandwidth, pauseOn } = JSON.parse(readFileSync(join(home.config, 'config.json'), 'utf8'));
        return [bandwidth.limit, pauseOn.battery];
      };
      await expect.poll(kept).toEqual(['08:00,2M', true]);
    });

    test('light and dark are chosen, whatever the system has, and stay chosen', async () => {
      await page.getByRole('link', { name: 'Settings', exact: true }).click();
      const ground = (): Promise<string> => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      const chosen = (look: string) => page.locator(`html[data-theme=${look}]`).waitFor();
      await page.getByRole('radio', { name: 'Light', exact: true }).click();
      await chosen('light');
      const light = await ground();
      await page.getByRole('radio', { name: 'Dark', exact: true }).click();
      await chosen('dark');
      const dark = await ground();
      expect(dark).not.toBe(light);
      await page.reload();
      await chosen('dark');
      expect(await ground()).toBe(dark);
      await page.getByRole('radio', { name: 'As the system', exact: true }).click();
      await page.locator('html:not([data-theme])').waitFor();
    });

    test('German is chosen at once and stays chosen', async () => {
      await page.getByRole('radio', { name: 'Deutsch' }).click();
      await page.getByRole('heading', { level: 1, name: 'Einstellungen' }).waitFor();
      await page.reload();
      await page.getByRole('heading', { level: 1, name: 'Einstellungen' }).waitFor();
      await page.getByRole('radio', { name: 'English' }).click();
    });

    test('on a new machine, the place and the password bring every server back', async () => {
      const other = new ServiceHome();
      await other.json(['keychain', 'use', 'machine-key', '--yes']);
      const there = await face.start(other);
      try {
        const opened = await there.visit('');
        await openOnNewMachine(opened, folderPlace(home.place), 'not this one');
        await opened.page.getByText('That password does not open this backup place.').waitFor();
        await opened.field('password.open').fill(newPassword);
        await opened.button('machine.open').click();
        const target = join(other.base, 'back');
        // By the name that its newest backup was made under.
        await bringBack(opened, 'Survival', target);
        expect(readFileSync(join(target, 'level.dat'), 'utf8')).toBe('more blocks');
        expect(opened.complaints.filter((text) => !text.includes('409'))).toEqual([]);
        await opened.leave();
      } finally {
        await there.stop();
      }
    });

    test('an overdue server is told with since when', async () => {
      await running.stop();
      const file = join(home.own(), 'state.json');
      const state = JSON.parse(readFileSync(file, 'utf8'));
      // Its schedule was made and changed just now.
      Object.assign(state.servers.survival, {
        lastSuccess: Date.now() - 5 * 86_400_000,
        since: Date.now() - 5 * 86_400_000,
        schedule: null,
      });
      // Nobody can be asked for a newer one.
      renameSync(home.place, `${home.place}-away`);
      writeFileSync(file, JSON.stringify(state));
      running = await face.start(home);
      for (const language of ['en', 'de'] as const) {
        const opened = await running.visit('', language);
        const { card: cardOf, say } = opened;
        const late = cardOf('SURVIVAL');
        await late.getByText(say('state.overdue'), { exact: true }).waitFor();
        await late.getByText(new RegExp(say('note.overdue', { since: '.+' }).replace(/\.$/, ''))).waitFor();
        await opened.leave();
      }
    });

    test('nothing was written to the console but refusals that were provoked', () => {
      expect(visitor.complaints.filter((text) => !/status of (409|400)/.test(text) && !text.includes('ERR_'))).toEqual([]);
    });
  });
}
