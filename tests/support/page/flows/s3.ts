import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { choosePassword, chooseProvider, confirmRestore, restoreLatest, setUpServer, undoRestore, type FillPlace } from '../flow-steps.ts';
import type { Visitor } from '../visitor.ts';
import { makeBucket, plainClient } from '../../s3/destinations.ts';
import { startSwift, swiftKeys, swiftMissing, type Swift } from '../../s3/swift.ts';
import { ServiceHome, testPassword } from '../../service-process.ts';
import { countClicks } from '../count-clicks.ts';
import { titleOn, withNewService, type Face, type Running } from '../face.ts';

/** A bucket of a real S3 server as the place, from the wizard to undo. */
export function s3Flows(face: Face): void {
  const missing = [face.missing, swiftMissing].filter((why) => why !== '').join(', ');
  describe.skipIf(missing !== '')(titleOn({ ...face, missing }, 'a real S3 server as the place'), () => {
    const home = new ServiceHome();
    let swift: Swift;
    let bucket = '';
    let running: Running;
    let visitor: Visitor;
    const inFolder = (name: string): string => join(home.folder, name);
    const read = (name: string): string => readFileSync(inFolder(name), 'utf8');

    beforeAll(async () => {
      mkdirSync(inFolder('world'));
      writeFileSync(inFolder('world/level.dat'), 'first blocks');
      writeFileSync(inFolder('world/region.mca'), 'first region');
      writeFileSync(inFolder('ops.json'), '[]');
      const used = home.json(['keychain', 'use', 'machine-key', '--yes']);
      [swift] = await Promise.all([startSwift(), face.begin(), used]);
      running = await face.start(home);
      bucket = await makeBucket(swift.endpoint);
      visitor = await running.visit('new-server');
    });
    afterAll(async () => {
      await face.end();
      await running.stop();
      swift.stop();
    });

    /** First with a secret key that is not the right one, which the test of the connection has to find. */
    const place: FillPlace = async (at) => {
      const { page, field, button, text } = at;
      await chooseProvider(at, 's3');
      await field('place.kind').selectOption({ label: 'Another S3 server' });
      await field('place.endpoint').fill(swift.endpoint);
      await field('place.bucket').fill(bucket);
      await field('place.accessKeyId').fill(swiftKeys.accessKeyId);
      await field('place.secretAccessKey').fill('not the right one');
      await button('test.do').click();
      await text('test.sum', { count: 1 }).waitFor();
      const row = page.getByRole('listitem').filter({ hasText: 'Failed: ' });
      await row.getByText('Next:').waitFor();
      expect(await row.innerText()).toMatch(/key/);
      expect(await button('do.continue').getAttribute('aria-disabled')).toBe('true');
      await field('place.secretAccessKey').fill(swiftKeys.secretAccessKey);
      await text('test.old').waitFor();
      await button('test.again').click();
      await text('test.sum', { count: 0 }).waitFor();
    };

    test('five clicks, and nothing else but typing, lead through the wizard to a first backup in a bucket', async () => {
      await withNewService(face, async (first, at) => {
        const other = await at.visit('new-server');
        const { page, button, field, heading } = other;
        const clicks = await countClicks(page);
        await field('wizard.folder').fill(first.folder);
        await field('wizard.name').waitFor();
        await button('do.continue').click();
        // Amazon, which is chosen, has no server for tests; another provider is chosen by the keyboard here.
        await field('place.kind').selectOption({ label: 'Another S3 server' });
        await field('place.endpoint').fill(swift.endpoint);
        await field('place.bucket').fill(await makeBucket(swift.endpoint));
        await field('place.accessKeyId').fill(swiftKeys.accessKeyId);
        await field('place.secretAccessKey').fill(swiftKeys.secretAccessKey);
        await button('do.continue').click();
        await choosePassword(other, testPassword);
        await button('wizard.start').click();
        await heading('wizard.done.title', { name: 'Srv' }).waitFor();
        expect(await clicks()).toBe(5);
        await other.leave();
      });
    });

    test('the wizard tells a wrong key from the right one, and ends with a backup in the bucket', async () => {
      await setUpServer(visitor, { folder: home.folder, name: 'Survival', place, password: testPassword });
      const s3 = plainClient(swift.endpoint);
      const { Contents = [] } = await s3.listObjectsV2({ Bucket: bucket });
      s3.destroy();
      expect(Contents.map(({ Key }) => Key)).toEqual(expect.arrayContaining(['holdfast.vault', expect.stringMatching(/^survival\//)]));
      const settings = readFileSync(join(home.config, 'config.json'), 'utf8');
      expect(settings).toContain(swift.endpoint);
      for (const secret of [swiftKeys.secretAccessKey, testPassword]) expect(settings).not.toContain(secret);
    });

    test('what is stored is browsed, and one ticked file comes back alone', async () => {
      writeFileSync(inFolder('ops.json'), 'griefed');
      writeFileSync(inFolder('world/level.dat'), 'later blocks');
      const { page, button } = visitor;
      await button('do.browse').click();
      await page.getByRole('list').getByRole('link').first().click();
      await page
        .getByRole('tree', { name: 'Files' })
        .getByRole('treeitem', { name: /ops\.json/ })
        .locator('.cb')
        .click();
      await page.getByRole('button', { name: 'Restore…', exact: true }).click();
      await confirmRestore(visitor, 'Survival');
      expect([read('ops.json'), read('world/level.dat')]).toEqual(['[]', 'later blocks']);
      await button('ended.close').click();
    });

    test('one click and one confirmation bring everything back, and Undo swaps it again', async () => {
      writeFileSync(inFolder('new.txt'), 'made since');
      await visitor.go('');
      // However long it takes to list all, the newest is known.
      const gate = Promise.withResolvers<void>();
      await visitor.page.route('**/api/call/snapshots.list', async (route) => {
        await gate.promise;
        await route.continue();
      });
      await restoreLatest(visitor, 'Survival');
      gate.resolve();
      expect([read('world/level.dat'), existsSync(inFolder('new.txt'))]).toEqual(['first blocks', false]);
      await undoRestore(visitor);
      expect([read('world/level.dat'), read('new.txt')]).toEqual(['later blocks', 'made since']);
    });

    test('nothing was written to the console', () => {
      expect(visitor.complaints).toEqual([]);
    });
  });
}
