import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ServiceHome } from '../../service-process.ts';
import { treeDigest } from '../../tree-digest.ts';
import { titleOn, type Face, type Running } from '../face.ts';
import type { Visitor } from '../visitor.ts';

/** What runs and waits, seen and stopped. A restore is slow by the settings' own limit, and a backup stays in its hook until there is `go`. */
export function jobFlows(face: Face): void {
  describe.skipIf(face.missing !== '')(titleOn(face, 'jobs'), () => {
    const home = new ServiceHome();
    let running: Running;
    let visitor: Visitor;
    let page: Page;
    const go = join(home.base, 'go');

    beforeAll(async () => {
      mkdirSync(join(home.folder, 'world'));
      writeFileSync(join(home.folder, 'world/region.mca'), randomBytes(24_000_000));
      writeFileSync(join(home.folder, 'world/level.dat'), 'first blocks');
      await home.setUp();
      await home.json(['server', 'backup', 'survival']);
      writeFileSync(join(home.folder, 'world/level.dat'), 'later blocks');
      const file = join(home.config, 'config.json');
      const { servers, ...settings } = JSON.parse(readFileSync(file, 'utf8'));
      const hooks = { before: [{ timeoutSeconds: 600, argv: ['/bin/sh', '-c', `until [ -e '${go}' ]; do sleep 0.1; done`] }] };
      const changed = { ...settings, servers: [{ ...servers[0], hooks }], bandwidth: { limit: 'off:40K', whilePlayers: 'off' } };
      writeFileSync(file, JSON.stringify(changed));
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
    const dialog = () => page.getByRole('dialog');

    test('a job that waits behind another is cancelled where it stands, on the card or in Activity, and the other one goes on', async () => {
      await card().getByRole('button', { name: 'Back up now' }).click();
      await card().getByText('Backing up', { exact: true }).waitFor();
      const waits = page.getByText('Check waits for another one to end.');
      const check = async (): Promise<void> => {
        await card().getByRole('button', { name: 'More for Survival' }).click();
        await page.getByRole('menuitem', { name: 'Check' }).click();
        await waits.waitFor();
      };
      await check();
      await card().getByRole('button', { name: 'Cancel', description: 'Check waits for another one to end.' }).click();
      await waits.waitFor({ state: 'detached' });
      await check();
      await visitor.go('activity');
      const rows = page.getByRole('button', { name: /^\S+ Check of Survival/ });
      await rows.filter({ hasText: 'Waiting' }).click();
      await waits.waitFor();
      await page.getByRole('button', { name: 'Cancel', exact: true }).click();
      await rows.filter({ hasText: 'Cancelled' }).nth(1).waitFor();
      await page
        .getByRole('button', { name: /Backup of Survival/ })
        .filter({ hasText: 'Running' })
        .waitFor();
    });

    test('a backup under way is cancelled on its card, and the place keeps what it had', async () => {
      await visitor.go('');
      await card().getByRole('button', { name: 'Cancel', exact: true }).click();
      await card().getByText('Safe', { exact: true }).waitFor();
      expect(await home.json(['snapshots', '-d', `folder:${home.place}`])).toHaveLength(1);
    });

    test('the log of a running job grows while it is looked at', async () => {
      await card().getByRole('button', { name: 'Back up now' }).click();
      await card().getByText('Backing up', { exact: true }).waitFor();
      await visitor.go('activity');
      await page
        .getByRole('button', { name: /Backup of Survival/ })
        .filter({ hasText: 'Running' })
        .click();
      await page.getByText('Log', { exact: true }).click();
      const log = page.getByRole('list', { name: 'Log of Backup of Survival' });
      await log.getByText(/backup running/).waitFor();
      expect(await log.getByText(/stored destination=nas/).count()).toBe(0);
      writeFileSync(go, '');
      await log.getByText(/stored destination=nas/).waitFor();
      await log.getByText(/backup done/).waitFor();
    });

    test('a restore is shown as what it does, also when the page is loaded anew; cancelled, it leaves the folder as it was and says so', async () => {
      // Nothing of it lies in the folder any more, so that all is fetched.
      writeFileSync(join(home.folder, 'world/region.mca'), randomBytes(24_000_000));
      const before = treeDigest(home.folder);
      await visitor.go('');
      await card().getByRole('button', { name: 'Restore…' }).click();
      await dialog()
        .getByText(/ are free at /)
        .waitFor();
      await dialog().getByRole('button', { name: 'Other choices…' }).click();
      await dialog().getByRole('button', { name: 'Restore', exact: true }).click();
      await dialog().getByRole('progressbar').waitFor();
      await page.reload();
      await card().getByText('Restoring', { exact: true }).waitFor();
      await card().getByRole('button', { name: 'Restore…' }).click();
      await dialog().getByRole('heading', { name: 'Restoring Survival' }).waitFor();
      await dialog()
        .getByText(/The files in use are not touched yet\.$/)
        .waitFor();
      await dialog().getByRole('button', { name: 'Cancel, change nothing' }).click();
      await dialog().getByRole('heading', { name: 'Cancelled' }).waitFor();
      await dialog().getByText('Nothing was changed; the files are as they were.').waitFor();
      expect(treeDigest(home.folder)).toBe(before);
      expect(readdirSync(home.base).filter((name) => name.includes('srv'))).toEqual(['srv']);
      expect(visitor.complaints).toEqual([]);
    });
  });
}
